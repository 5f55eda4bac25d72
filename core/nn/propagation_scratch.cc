#include "core/nn/propagation_scratch.h"

#include <new>

namespace mlp {
namespace {

constexpr std::align_val_t kCacheLine{64};

}  // namespace

void PropagationScratch::Free::operator()(float* values) const {
  ::operator delete(values, kCacheLine);
}

float* PropagationScratch::Take(int64_t count) {
  if (count > count_) {
    values_.reset();  // first, so that the two are never held at once
    count_ = 0;
    values_.reset(static_cast<float*>(
        ::operator new(static_cast<size_t>(count) * sizeof(float), kCacheLine)));
    count_ = count;
  }
  return values_.get();
}

}  // namespace mlp
