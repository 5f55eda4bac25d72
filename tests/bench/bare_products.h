// The matrix products of one forward propagation and nothing else: the limit that forward
// propagation on all cores is held against.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/thread_pool.h"
#include "core/nn/network.h"

namespace mlp::bench {

// OpenBLAS's SGEMM, divided among the cores in three ways. Thread-compatible.
class BareProducts {
 public:
  // `theta` [layout.size] and `pool` outlive it.
  BareProducts(const Topology& topology, const float* theta, int64_t rows, ThreadPool& pool);

  // Each core its own rows.
  void DivideRows(const float* inputs);
  // Each core its own units, layer by layer.
  void DivideUnits(const float* inputs);
  // As OpenBLAS divides them. Its threads go on spinning for a while afterwards.
  void LetOpenBlas(const float* inputs);

 private:
  const float* Below(size_t l, const float* inputs) const {
    return l == 0 ? inputs : values_[l - 1].data();
  }
  void Multiply(size_t l, const float* below, int64_t row, int64_t rows, int64_t unit,
                int64_t units);

  const ParameterLayout layout_;
  const float* const theta_;
  const int64_t rows_;
  ThreadPool& pool_;
  std::vector<std::vector<float>> values_;
};

}  // namespace mlp::bench
