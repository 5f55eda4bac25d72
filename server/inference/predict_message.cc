#include "server/inference/predict_message.h"

#include <algorithm>

#include <absl/strings/str_cat.h>
#include <absl/types/span.h>

#include "core/base/status_macros.h"
#include "core/eval/evaluation.h"
#include "mlp/v1/prediction.pb.h"
#include "server/inference/wire_format.h"
#include "server/retry_delay.h"

namespace mlp {
namespace {

using google::protobuf::io::CodedInputStream;

// The messages' tags.
constexpr uint32_t kModel = BytesTag(1);
constexpr uint32_t kFeatures = BytesTag(2);
constexpr uint32_t kOneFeature = Fixed32Tag(2);  // not packed
constexpr uint32_t kPixels = BytesTag(3);
constexpr uint32_t kRows = VarintTag(4);
constexpr uint32_t kVersion = VarintTag(1);
constexpr uint32_t kLabels = BytesTag(2);
constexpr uint32_t kClassNames = BytesTag(3);
constexpr uint32_t kOutputs = BytesTag(4);
constexpr uint32_t kStreamId = VarintTag(1);
constexpr uint32_t kStreamRequest = BytesTag(2);
constexpr uint32_t kStreamTimeout = VarintTag(3);
constexpr uint32_t kStreamResponse = BytesTag(2);
constexpr uint32_t kStreamError = BytesTag(3);

constexpr int64_t kMaxTimeoutUs = 3'600'000'000;

// Memory that is kept from request to request.
constexpr size_t kKeptOutputs = 16384;
// Names of models are short; a longer one is no name and is cut where it is certain to be none.
constexpr int kMaxReference = 256;

absl::Status NotAMessage(absl::string_view name) {
  return absl::InvalidArgumentError(absl::StrCat("request: not a mlp.v1.", name, " message"));
}

// Rows in `values` values of a request, or why they are not whole rows of D = `features`.
absl::StatusOr<int64_t> CountRows(absl::string_view field, int64_t values, int features,
                                  int64_t announced) {
  if (announced < 0) {
    return absl::InvalidArgumentError(absl::StrCat("rows: expected 0 or more, got ", announced));
  }
  const int64_t expected_rows = announced == 0 ? 1 : announced;
  if (announced == 0 ? values % features != 0 : values != announced * features) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": expected ", announced == 0 ? "a multiple of " : "",
                     expected_rows * features, " values (rows of ", features, "), got ", values));
  }
  const int64_t rows = values / features;
  if (rows > kMaxPredictRows) {
    return absl::ResourceExhaustedError(
        absl::StrCat("rows: expected at most ", kMaxPredictRows, " a call, got ", rows));
  }
  return rows;
}

}  // namespace

absl::Status PredictMessage::Parse(google::protobuf::io::ZeroCopyInputStream& in) {
  Clear();
  CodedInputStream coded(&in);
  return ParseFields(coded) ? absl::OkStatus() : NotAMessage("PredictRequest");
}

absl::Status PredictMessage::ParsePart(CodedInputStream& in, int bytes) {
  const CodedInputStream::Limit limit = in.PushLimit(bytes);
  const bool parsed = ParseFields(in) && in.BytesUntilLimit() == 0;
  in.PopLimit(limit);
  return parsed ? absl::OkStatus() : NotAMessage("PredictRequest");
}

bool PredictMessage::ParseFields(CodedInputStream& in) {
  while (const uint32_t tag = in.ReadTag()) {
    uint32_t value = 0;
    int size = 0;
    switch (tag) {
      case kModel:
        if (!ParseModel(in)) return false;
        break;
      case kFeatures:  // where there are several of these, they follow each other
        if (!in.ReadVarintSizeAsInt(&size) || size % static_cast<int>(sizeof(float)) != 0 ||
            !features_.Take(in, size)) {
          return false;
        }
        break;
      case kOneFeature:
        if (!TakeOneFeature(in)) return false;
        break;
      case kPixels:  // the last one counts
        pixels_.Clear();
        if (!in.ReadVarintSizeAsInt(&size) || !pixels_.Take(in, size)) return false;
        break;
      case kRows:
        if (!in.ReadVarint32(&value)) return false;
        announced_rows_ = static_cast<int32_t>(value);
        break;
      default:
        if (!SkipField(in, tag)) return false;
    }
  }
  return in.ConsumedEntireMessage();
}

bool PredictMessage::ParseModel(CodedInputStream& in) {
  int size = 0;
  if (!in.ReadVarintSizeAsInt(&size)) return false;
  const int kept = std::min(size, kMaxReference);
  return in.ReadString(&model_name_, kept) && in.Skip(size - kept);
}

bool PredictMessage::TakeOneFeature(CodedInputStream& in) {
  constexpr size_t kChunkBytes = 16384;
  if (unpacked_.empty() || unpacked_used_ == kChunkBytes) {
    unpacked_.push_back(std::make_unique<char[]>(kChunkBytes));
    unpacked_used_ = 0;
  }
  char* const value = unpacked_.back().get() + unpacked_used_;
  if (!in.ReadRaw(value, sizeof(float))) return false;
  unpacked_used_ += sizeof(float);
  features_.Append(absl::string_view(value, sizeof(float)));
  return true;
}

absl::string_view PredictMessage::model_reference() const { return model_name_; }

absl::StatusOr<int64_t> PredictMessage::Fit(const std::shared_ptr<const ServableModel>& model) {
  const bool has_features = features_.size() > 0;
  if (has_features == (pixels_.size() > 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("features, pixels: expected rows in exactly one of them, got ",
                     has_features ? "both" : "none"));
  }
  MLP_ASSIGN_OR_RETURN(
      rows_, has_features
                 ? CountRows("features", features_.size() / static_cast<int64_t>(sizeof(float)),
                             model->features(), announced_rows_)
                 : CountRows("pixels", pixels_.size(), model->features(), announced_rows_));
  outputs_.resize(static_cast<size_t>(rows_ * model->classes()));
  model_ = model;
  return rows_;
}

void PredictMessage::ReadRows(int64_t first, int64_t count, float* out) const {
  const int64_t begin = first * model_->features();
  const int64_t values = count * model_->features();
  if (features_.size() > 0) {
    constexpr auto kBytes = static_cast<int64_t>(sizeof(float));
    features_.Copy(begin * kBytes, values * kBytes, reinterpret_cast<char*>(out));
    return;
  }
  pixels_.ForEachPiece(begin, values, [&out](absl::string_view bytes) {
    const auto* pixels = reinterpret_cast<const uint8_t*>(bytes.data());
    out = std::copy_n(pixels, bytes.size(), out);
  });
}

absl::Status PredictMessage::NotFinite(int64_t row, int64_t feature, float value) const {
  return absl::InvalidArgumentError(absl::StrCat("features: row ", row, ", feature ", feature,
                                                 ": expected a finite number, got ", value));
}

void PredictMessage::WriteOutputs(int64_t first, int64_t count, const float* outputs) {
  const int64_t classes = model_->classes();
  std::copy_n(outputs, count * classes, outputs_.data() + first * classes);
}

void PredictMessage::AppendResponse(const absl::Status&, std::string& out) {
  const auto classes = static_cast<size_t>(model_->classes());
  std::string labels;
  std::string names;
  for (size_t row = 0; row < static_cast<size_t>(rows_); ++row) {
    const int label = PredictedLabel({outputs_.data() + row * classes, classes});
    AppendVarint(static_cast<uint64_t>(label), labels);
    AppendBytes(kClassNames, model_->class_names()[static_cast<size_t>(label)], names);
  }
  AppendVarint(kVersion, out);
  AppendVarint(static_cast<uint64_t>(model_->version()), out);
  AppendBytes(kLabels, labels, out);
  out += names;
  AppendBytes(kOutputs,
              absl::string_view(reinterpret_cast<const char*>(outputs_.data()),
                                outputs_.size() * sizeof(float)),
              out);
}

void PredictMessage::Clear() {
  model_name_.clear();
  features_.Clear();
  pixels_.Clear();
  unpacked_.clear();
  announced_rows_ = 0;
  model_ = nullptr;
  rows_ = 0;
  outputs_.clear();
  if (outputs_.capacity() > kKeptOutputs) outputs_.shrink_to_fit();
}

// --- StreamPredictMessage ---

absl::Status StreamPredictMessage::Parse(google::protobuf::io::ZeroCopyInputStream& in) {
  Clear();
  CodedInputStream coded(&in);
  while (const uint32_t tag = coded.ReadTag()) {
    uint64_t value = 0;
    int bytes = 0;
    switch (tag) {
      case kStreamId:
      case kStreamTimeout:
        if (!coded.ReadVarint64(&value)) return NotAMessage("StreamPredictRequest");
        (tag == kStreamId ? id_ : timeout_us_) = static_cast<int64_t>(value);
        break;
      case kStreamRequest:
        if (!coded.ReadVarintSizeAsInt(&bytes)) return NotAMessage("StreamPredictRequest");
        MLP_RETURN_IF_ERROR(ParsePart(coded, bytes));
        break;
      default:
        if (!SkipField(coded, tag)) return NotAMessage("StreamPredictRequest");
    }
  }
  return coded.ConsumedEntireMessage() ? absl::OkStatus() : NotAMessage("StreamPredictRequest");
}

void StreamPredictMessage::AppendResponse(const absl::Status& status, std::string& out) {
  if (id_ != 0) {
    AppendVarint(kStreamId, out);
    AppendVarint(static_cast<uint64_t>(id_), out);
  }
  response_.clear();
  if (status.ok()) {
    PredictMessage::AppendResponse(status, response_);
    AppendBytes(kStreamResponse, response_, out);
    return;
  }
  v1::PredictError error;
  error.set_code(status.raw_code());
  error.set_message(std::string(status.message()));
  error.set_retry_delay_us(absl::ToInt64Microseconds(RetryDelay(status)));
  error.AppendToString(&response_);
  AppendBytes(kStreamError, response_, out);
}

absl::Status StreamPredictMessage::Check() {
  if (timeout_us_ >= 0 && timeout_us_ <= kMaxTimeoutUs) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("timeout_us: expected 0 to ", kMaxTimeoutUs, ", got ", timeout_us_));
}

absl::Duration StreamPredictMessage::timeout() const {
  return timeout_us_ > 0 ? absl::Microseconds(timeout_us_) : absl::InfiniteDuration();
}

void StreamPredictMessage::Clear() {
  PredictMessage::Clear();
  id_ = timeout_us_ = 0;
  if (response_.capacity() > kKeptOutputs * sizeof(float)) response_ = std::string();
}

}  // namespace mlp
