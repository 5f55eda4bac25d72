#include "core/train/output_step.h"

#include "core/nn/activation.h"

namespace mlp {

OutputStep::OutputStep(CostKind cost, int64_t classes, const TileKernel& kernel)
    : cost_(cost), classes_(classes), panel_(kernel.panel) {}

double OutputStep::Run(int64_t panel, absl::Span<const int32_t> labels,
                       absl::Span<const float> weights, LayerValues& outputs,
                       PropagationScratch& scratch) const {
  const int64_t rows = outputs.by_unit.columns_of(panel);
  const auto first = static_cast<size_t>(panel * panel_);
  // Row-major, as cost and softmax want them.
  MatrixMap<float> z(scratch.Take(ScratchFloats()), rows, classes_);
  Transpose({.from = outputs.by_unit.row(panel, 0),
             .from_row = panel_,
             .rows = classes_,
             .columns = rows,
             .to = z.data(),
             .to_row = classes_});
  double cost = 0.0;
  for (int64_t i = 0; i < rows; ++i) {
    const size_t row = first + static_cast<size_t>(i);
    const double weight = weights.empty() ? 1.0 : static_cast<double>(weights[row]);
    cost += weight * CrossEntropySum<float>(cost_, z.row(i), labels.subspan(row, 1));
  }
  // dJ/dz = weight (h - y) / N for either cost.
  Activate<float>({.units = static_cast<int>(classes_), .activation = OutputActivation(cost_)}, z);
  for (int64_t i = 0; i < rows; ++i) {
    const size_t row = first + static_cast<size_t>(i);
    const double weight = weights.empty() ? 1.0 : static_cast<double>(weights[row]);
    z(i, labels[row]) -= 1.0f;
    z.row(i) *= static_cast<float>(weight / static_cast<double>(labels.size()));
  }
  Transpose({.from = z.data(),
             .from_row = classes_,
             .rows = rows,
             .columns = classes_,
             .to = outputs.delta.row(panel, 0),
             .to_row = panel_});
  return cost;
}

}  // namespace mlp
