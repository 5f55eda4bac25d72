// What FakeMlpd answers, apart from gRPC.
#pragma once

#include <string>

#include <absl/time/time.h>

#include "mlp/v1/evaluation.pb.h"
#include "mlp/v1/model.pb.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

// A serialized google.rpc.Status whose only detail is a google.rpc.RetryInfo.
std::string RetryDetails(absl::Duration delay);

// digits@3.
v1::ModelVersion DigitsVersion();

// Three of four examples of two classes right.
v1::Evaluation CannedEvaluation(v1::DatasetPart part, bool include_curves);

// Adds to a job that SUCCEEDED or FAILED why it stopped and what came of it.
void EndJob(int iterations, v1::TrainingJob& job);

}  // namespace mlp
