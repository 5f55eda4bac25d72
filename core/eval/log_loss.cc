#include "core/eval/log_loss.h"

#include <algorithm>
#include <cmath>

namespace mlp {
namespace {

constexpr double kSmallest = 1e-15;

double Limit(float output) {
  return output > 0.0f ? std::clamp<double>(output, kSmallest, 1.0 - kSmallest) : kSmallest;
}

}  // namespace

double LogLoss(absl::Span<const float> outputs, int32_t label) {
  double sum = 0.0;
  for (const float output : outputs) sum += Limit(output);
  return -std::log(Limit(outputs[static_cast<size_t>(label)]) / sum);
}

}  // namespace mlp
