// mlp.v1.PredictRequest straight from its bytes, and mlp.v1.PredictResponse straight to them: the
// rows are copied once, from what the socket brought into the batch.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include "server/inference/inference_message.h"
#include "server/inference/split_bytes.h"

namespace mlp {

// A message of Predict. Thread-compatible but for what InferenceRequest says.
class PredictMessage : public InferenceMessage {
 public:
  absl::Status Parse(google::protobuf::io::ZeroCopyInputStream& in) override;

  absl::string_view model_reference() const override;
  absl::StatusOr<int64_t> Fit(const std::shared_ptr<const ServableModel>& model) override;
  void ReadRows(int64_t first, int64_t count, float* out) const override;
  absl::Status NotFinite(int64_t row, int64_t feature, float value) const override;
  void WriteOutputs(int64_t first, int64_t count, const float* outputs) override;

  void AppendResponse(const absl::Status& status, std::string& out) override;
  void Clear() override;

 protected:
  // Reads the next `bytes` bytes of `in` as a PredictRequest.
  absl::Status ParsePart(google::protobuf::io::CodedInputStream& in, int bytes);

 private:
  bool ParseFields(google::protobuf::io::CodedInputStream& in);
  bool ParseModel(google::protobuf::io::CodedInputStream& in);
  // Takes one value that is not packed, which needs a tag of its own: a copy, next to the one
  // before.
  bool TakeOneFeature(google::protobuf::io::CodedInputStream& in);

  std::string model_name_;
  SplitBytes features_;
  SplitBytes pixels_;
  std::vector<std::unique_ptr<char[]>> unpacked_;  // in chunks, which stay where they are
  size_t unpacked_used_ = 0;                       // of the last one
  int32_t announced_rows_ = 0;

  std::shared_ptr<const ServableModel> model_;
  int64_t rows_ = 0;
  std::vector<float> outputs_;  // [rows x K]
};

// A message of StreamPredict: the same with an id, and errors as answers.
class StreamPredictMessage final : public PredictMessage {
 public:
  absl::Status Parse(google::protobuf::io::ZeroCopyInputStream& in) override;
  absl::Status Check() override;
  void AppendResponse(const absl::Status& status, std::string& out) override;
  absl::Duration timeout() const override;
  void Clear() override;

 private:
  int64_t id_ = 0;
  int64_t timeout_us_ = 0;
  std::string response_;  // kept for its memory
};

}  // namespace mlp
