#include "core/nn/weighted_sums.h"

#include <algorithm>
#include <type_traits>

#include "core/nn/gemm.h"
#include "core/nn/weighted_sums_avx512.h"

namespace mlp {

template <typename Scalar>
void WeightedSums(const LayerUnits<Scalar>& layer, const Scalar* values, int64_t rows, Scalar* sums,
                  int64_t sums_stride) {
  if constexpr (std::is_same_v<Scalar, float>) {
    if (HasWeightedSumsAvx512()) {
      WeightedSumsAvx512({.inputs = values,
                          .weights = layer.weights,
                          .biases = layer.biases,
                          .rows = rows,
                          .units = layer.units,
                          .features = layer.inputs,
                          .sums = sums,
                          .sums_stride = sums_stride});
      return;
    }
  }
  // The product is added to rows of biases, which costs no pass of its own: BLAS would have to
  // clear them otherwise.
  for (int64_t i = 0; i < rows; ++i) {
    std::copy_n(layer.biases, layer.units, sums + i * sums_stride);
  }
  AddProductWithTranspose<Scalar>(
      ConstMatrixMap<Scalar>(values, rows, layer.inputs),
      ConstMatrixMap<Scalar>(layer.weights, layer.units, layer.inputs),
      StridedMatrixMap<Scalar>(sums, rows, layer.units, Eigen::OuterStride<>(sums_stride)));
}

bool WeightedSumsKeepTheirBits() { return HasWeightedSumsAvx512(); }

template void WeightedSums<float>(const LayerUnits<float>&, const float*, int64_t, float*, int64_t);
template void WeightedSums<double>(const LayerUnits<double>&, const double*, int64_t, double*,
                                   int64_t);

}  // namespace mlp
