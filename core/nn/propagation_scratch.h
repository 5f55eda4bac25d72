// Memory for the activations of hidden layers on the way through a network.
#pragma once

#include <cstdint>
#include <memory>

namespace mlp {

// Belongs to a thread rather than to a model: it grows to what the largest model asked of it and
// serves them all. Thread-compatible.
class PropagationScratch {
 public:
  // `count` floats on a cache-line boundary, of undefined value, until the next call.
  float* Take(int64_t count);

  // What Take gave last; null before it.
  float* values() const { return values_.get(); }

  int64_t bytes() const { return count_ * static_cast<int64_t>(sizeof(float)); }

 private:
  struct Free {
    void operator()(float* values) const;
  };

  std::unique_ptr<float, Free> values_;
  int64_t count_ = 0;
};

}  // namespace mlp
