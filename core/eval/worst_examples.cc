#include "core/eval/worst_examples.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace mlp {
namespace {

bool Worse(const WorstExample& a, const WorstExample& b) {
  return std::tie(a.label_probability, b.predicted_probability, a.row) <
         std::tie(b.label_probability, a.predicted_probability, b.row);
}

}  // namespace

void WorstExamples::Add(const WorstExample& example) {
  if (heap_.size() == most_) {
    if (most_ == 0 || !Worse(example, heap_.front())) return;
    std::pop_heap(heap_.begin(), heap_.end(), Worse);
    heap_.pop_back();
  }
  heap_.push_back(example);
  std::push_heap(heap_.begin(), heap_.end(), Worse);
}

std::vector<WorstExample> WorstExamples::Take() {
  std::sort_heap(heap_.begin(), heap_.end(), Worse);
  return std::exchange(heap_, {});
}

}  // namespace mlp
