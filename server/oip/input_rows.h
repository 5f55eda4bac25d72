// The rows of a ModelInferRequest: where they lie in the message, checked against their tensor, and
// read from there straight into the batch.
#pragma once

#include <cstdint>

#include <absl/status/statusor.h>

#include "server/inference/split_bytes.h"
#include "server/oip/infer_request_parser.h"

namespace mlp {

// Points into a parsed request, which outlives it unchanged. Thread-compatible.
struct InputRows {
  // How one value lies there, in any form.
  enum class Value { kFloat, kDouble, kUint8, kUint32 };

  Value value = Value::kFloat;
  // The values [rows x features], not aligned: of raw_input_contents, or null and `typed`.
  const SplitBytes* raw = nullptr;
  const char* typed = nullptr;
  int64_t rows = 0;      // N
  int64_t features = 0;  // D
};

// Checks all of the request that is about its input, for a model of `features` features, and
// allocates nothing unless it refuses. INVALID_ARGUMENT naming the field; RESOURCE_EXHAUSTED over
// kMaxPredictRows.
absl::StatusOr<InputRows> FindInputRows(const InferRequestParser& parser, int features);

// Rows [first, first + count) as floats to `out` [count x D]. FP64 outside float's range becomes
// infinity.
void CopyRows(const InputRows& input, int64_t first, int64_t count, float* out);

// INVALID_ARGUMENT for a value that CopyRows gives as `value`, NaN or infinity: with what the
// caller sent, where that is a number that FP32 does not hold.
absl::Status RefuseValue(const InputRows& input, int64_t row, int64_t feature, float value);

}  // namespace mlp
