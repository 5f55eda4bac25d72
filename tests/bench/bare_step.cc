#include "tests/bench/bare_step.h"

#include <algorithm>

#include <cblas.h>

namespace mlp::bench {

BareStep::BareStep(const Topology& topology, const float* theta, int64_t most_rows,
                   ThreadPool& pool)
    : layout_(topology), theta_(theta), pool_(pool), gradient_(static_cast<size_t>(layout_.size)) {
  for (const LayerSpec& layer : topology.layers) {
    values_.emplace_back(static_cast<size_t>(most_rows * layer.units), 0.1f);
    deltas_.emplace_back(static_cast<size_t>(most_rows * layer.units), 0.1f);
  }
}

void BareStep::Multiply(const Product& p, Division division) {
  const bool by_rows = division == Division::kRows;
  const int64_t length = by_rows ? p.m : p.n;
  const int64_t parts =
      division == Division::kOpenBlas ? 1 : std::min<int64_t>(pool_.threads(), length);
  pool_.ParallelFor(static_cast<int>(parts), [&](int part, int) {
    const int64_t first = length * part / parts;
    const int64_t count = length * (part + 1) / parts - first;
    const float* a = by_rows ? p.a + first * (p.transpose_a ? 1 : p.lda) : p.a;
    const float* b = by_rows ? p.b : p.b + first * (p.transpose_b ? p.ldb : 1);
    cblas_sgemm(CblasRowMajor, p.transpose_a ? CblasTrans : CblasNoTrans,
                p.transpose_b ? CblasTrans : CblasNoTrans,
                static_cast<blasint>(by_rows ? count : p.m),
                static_cast<blasint>(by_rows ? p.n : count), static_cast<blasint>(p.k), 1, a,
                static_cast<blasint>(p.lda), b, static_cast<blasint>(p.ldb), 0,
                by_rows ? p.c + first * p.n : p.c + first, static_cast<blasint>(p.n));
  });
}

void BareStep::Run(const float* inputs, int64_t rows, Division division) {
  if (division == Division::kOpenBlas) openblas_set_num_threads(pool_.threads());
  const auto below = [&](size_t l) { return l == 0 ? inputs : values_[l - 1].data(); };
  for (size_t l = 0; l < layout_.layers.size(); ++l) {
    const auto& [in, out, weights, biases] = layout_.layers[l];
    Multiply({.transpose_a = false,
              .transpose_b = true,
              .m = rows,
              .n = out,
              .k = in,
              .a = below(l),
              .lda = in,
              .b = theta_ + weights,
              .ldb = in,
              .c = values_[l].data()},
             division);
  }
  for (size_t l = layout_.layers.size(); l-- > 0;) {
    const auto& [in, out, weights, biases] = layout_.layers[l];
    if (l > 0) {
      Multiply({.transpose_a = false,
                .transpose_b = false,
                .m = rows,
                .n = in,
                .k = out,
                .a = deltas_[l].data(),
                .lda = out,
                .b = theta_ + weights,
                .ldb = in,
                .c = deltas_[l - 1].data()},
               division);
    }
    Multiply({.transpose_a = true,
              .transpose_b = false,
              .m = out,
              .n = in,
              .k = rows,
              .a = deltas_[l].data(),
              .lda = out,
              .b = below(l),
              .ldb = in,
              .c = gradient_.data() + weights},
             division);
  }
  if (division == Division::kOpenBlas) openblas_set_num_threads(1);
}

}  // namespace mlp::bench
