// The rows of a ModelInferRequest: where they lie in the message, checked against their tensor, and
// read from there straight into the batch.
#pragma once

#include <cstdint>

#include <absl/status/statusor.h>

#include "inference/grpc_service.pb.h"

namespace mlp {

// Points into a request, which outlives it unchanged. Thread-compatible.
struct InputRows {
  // How one value lies there, in any form.
  enum class Value { kFloat, kDouble, kUint8, kUint32 };

  Value value = Value::kFloat;
  const char* data = nullptr;  // [rows x features], not aligned
  int64_t rows = 0;            // N
  int64_t features = 0;        // D
  bool raw = false;            // as raw_input_contents
};

// Checks all of `request` that is about its input, for a model of `features` features, and
// allocates nothing unless it refuses. INVALID_ARGUMENT naming the field; RESOURCE_EXHAUSTED over
// kMaxPredictRows.
absl::StatusOr<InputRows> FindInputRows(const inference::ModelInferRequest& request, int features);

// Rows [first, first + count) as floats to `out` [count x D]. FP64 outside float's range becomes
// infinity.
void CopyRows(const InputRows& input, int64_t first, int64_t count, float* out);

}  // namespace mlp
