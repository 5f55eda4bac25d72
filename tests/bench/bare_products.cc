#include "tests/bench/bare_products.h"

#include <algorithm>

#include <cblas.h>

namespace mlp::bench {

BareProducts::BareProducts(const Topology& topology, const float* theta, int64_t rows,
                           ThreadPool& pool)
    : layout_(topology), theta_(theta), rows_(rows), pool_(pool) {
  for (const LayerSpec& layer : topology.layers) {
    values_.emplace_back(static_cast<size_t>(rows * layer.units));
  }
}

void BareProducts::DivideRows(const float* inputs) {
  const int64_t parts = std::min<int64_t>(pool_.threads(), rows_);
  pool_.ParallelFor(static_cast<int>(parts), [&](int part, int) {
    const int64_t first = rows_ * part / parts;
    const int64_t count = rows_ * (part + 1) / parts - first;
    for (size_t l = 0; l < values_.size(); ++l) {
      Multiply(l, Below(l, inputs), first, count, 0, layout_.layers[l].outputs);
    }
  });
}

void BareProducts::DivideUnits(const float* inputs) {
  for (size_t l = 0; l < values_.size(); ++l) {
    const int64_t units = layout_.layers[l].outputs;
    const int64_t parts = std::min<int64_t>(pool_.threads(), units);
    pool_.ParallelFor(static_cast<int>(parts), [&](int part, int) {
      const int64_t first = units * part / parts;
      Multiply(l, Below(l, inputs), 0, rows_, first, units * (part + 1) / parts - first);
    });
  }
}

void BareProducts::LetOpenBlas(const float* inputs) {
  openblas_set_num_threads(pool_.threads());
  for (size_t l = 0; l < values_.size(); ++l) {
    Multiply(l, Below(l, inputs), 0, rows_, 0, layout_.layers[l].outputs);
  }
  openblas_set_num_threads(1);
}

void BareProducts::Multiply(size_t l, const float* below, int64_t row, int64_t rows, int64_t unit,
                            int64_t units) {
  const ParameterLayout::Layer& layer = layout_.layers[l];
  const auto k = static_cast<blasint>(layer.inputs);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<blasint>(rows),
              static_cast<blasint>(units), k, 1, below + row * k, k,
              theta_ + layer.weights + unit * k, k, 0,
              values_[l].data() + row * layer.outputs + unit, layer.outputs);
}

}  // namespace mlp::bench
