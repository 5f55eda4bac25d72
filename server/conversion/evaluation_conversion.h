// What core reports of a training -> the API's messages.
#pragma once

#include <string>

#include <absl/types/span.h>

#include "core/eval/evaluation.h"
#include "core/optim/optimizer.h"
#include "core/train/progress.h"
#include "mlp/v1/evaluation.pb.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

v1::StopReason StopReasonToApi(StopReason reason);

v1::ProgressPoint ProgressPointToApi(const ProgressPoint& point);
ProgressPoint ProgressPointFromApi(const v1::ProgressPoint& message);

// class_names [K].
v1::Evaluation EvaluationToApi(const Evaluation& evaluation, v1::DatasetPart part,
                               absl::Span<const std::string> class_names);

}  // namespace mlp
