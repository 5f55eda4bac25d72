// The matrix products of one step of mini-batch training and nothing else: the limit that a step on
// all cores is held against.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/thread_pool.h"
#include "core/nn/network.h"

namespace mlp::bench {

// OpenBLAS's SGEMM, each product divided among the cores by hand or left to OpenBLAS.
// Thread-compatible.
class BareStep {
 public:
  enum class Division { kRows, kColumns, kOpenBlas };

  // `theta` [layout.size] and `pool` outlive it.
  BareStep(const Topology& topology, const float* theta, int64_t most_rows, ThreadPool& pool);

  // `rows` rows of `inputs` [rows x D]. Each core takes its rows or columns of every result.
  void Run(const float* inputs, int64_t rows, Division division);

 private:
  // c [m x n] = op(a) * op(b), of which op(x) is x or its transpose. Leading lengths are those of
  // the matrices as they lie in memory.
  struct Product {
    bool transpose_a, transpose_b;
    int64_t m, n, k;
    const float* a;
    int64_t lda;
    const float* b;
    int64_t ldb;
    float* c;
  };
  void Multiply(const Product& product, Division division);

  const ParameterLayout layout_;
  const float* const theta_;
  ThreadPool& pool_;
  std::vector<std::vector<float>> values_;  // one a layer, [most_rows x units]; so are the deltas
  std::vector<std::vector<float>> deltas_;
  std::vector<float> gradient_;
};

}  // namespace mlp::bench
