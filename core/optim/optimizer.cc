#include "core/optim/optimizer.h"

namespace mlp {

bool OnMiniBatches(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::kLbfgs:
    case OptimizerKind::kConjugateGradient:
      return false;
    case OptimizerKind::kSgd:
    case OptimizerKind::kAdam:
    case OptimizerKind::kAdamW:
      return true;
  }
  return false;
}

}  // namespace mlp
