// One caller's rows on their way through the batcher, whatever protocol brought them: made by the
// services of server/api, queued and run by Batcher.
#pragma once

#include <cstdint>
#include <memory>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "server/inference/servable_model.h"

namespace mlp {

// The batcher calls, in this order: Fit once; then, for as long as Waiting says so, ReadRows and
// WriteOutputs for every row exactly once, in pieces, possibly on several threads at a time but
// never for the same row; and Finish, always, exactly once, after which it no longer touches the
// object. Thread-compatible but for that.
class InferenceRequest {
 public:
  virtual ~InferenceRequest() = default;

  // NAME, NAME@VERSION or NAME@ALIAS; stays valid until Finish.
  virtual absl::string_view model_reference() const = 0;

  // How many rows there are for `model`, which is the version that will answer; makes room for the
  // answer. INVALID_ARGUMENT where the rows are not as wide as the model's inputs, or as the
  // protocol's own rules want; RESOURCE_EXHAUSTED over kMaxPredictRows.
  virtual absl::StatusOr<int64_t> Fit(const std::shared_ptr<const ServableModel>& model) = 0;

  // Rows [first, first + count) as the caller sent them, unscaled, to `out` [count x D] row-major.
  // Not yet checked for NaN and infinity.
  virtual void ReadRows(int64_t first, int64_t count, float* out) const = 0;

  // What is wrong with a value that ReadRows gave as `value`, which is not finite: INVALID_ARGUMENT
  // with the caller's name for it.
  virtual absl::Status NotFinite(int64_t row, int64_t feature, float value) const = 0;

  // Takes the outputs [count x K] row-major of rows [first, first + count).
  virtual void WriteOutputs(int64_t first, int64_t count, const float* outputs) = 0;

  // OK while somebody waits for the answer; CANCELLED where the caller has gone, DEADLINE_EXCEEDED
  // where its time is over. Asked before each batch that has rows of it. Any thread.
  virtual absl::Status Waiting() const = 0;

  // The end: OK after all outputs were written, otherwise why there is no answer. Any thread.
  virtual void Finish(const absl::Status& status) = 0;
};

// Rows of one request.
inline constexpr int64_t kMaxPredictRows = 65536;

}  // namespace mlp
