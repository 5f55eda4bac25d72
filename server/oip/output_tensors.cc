#include "server/oip/output_tensors.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include <absl/strings/str_cat.h>
#include <absl/types/span.h>

#include "core/base/status_macros.h"
#include "core/eval/evaluation.h"
#include "server/inference/wire_format.h"
#include "server/oip/infer_parameters.h"
#include "server/oip/model_naming.h"
#include "server/oip/tensors.h"

namespace mlp {
namespace {

using inference::ModelInferRequest;

// A float in the fewest digits that read back as the same one.
constexpr int64_t kMaxFloatText = 16;
constexpr int64_t kMaxIndexText = 10;
// Of one text besides: tags and lengths, in each of the buffers that it goes through.
constexpr int64_t kTextOverhead = 40;

// Memory of an answer that is kept for the next one, of each of its parts.
constexpr size_t kKeptBytes = 65536;

// Tags of ModelInferResponse, its InferOutputTensor, and InferTensorContents.
constexpr uint32_t kModelName = BytesTag(1);
constexpr uint32_t kModelVersion = BytesTag(2);
constexpr uint32_t kId = BytesTag(3);
constexpr uint32_t kOutputs = BytesTag(5);
constexpr uint32_t kRawOutputContents = BytesTag(6);
constexpr uint32_t kTensorName = BytesTag(1);
constexpr uint32_t kTensorDatatype = BytesTag(2);
constexpr uint32_t kTensorShape = BytesTag(3);
constexpr uint32_t kTensorContents = BytesTag(5);
constexpr uint32_t kInt64Contents = BytesTag(3);
constexpr uint32_t kFp32Contents = BytesTag(6);
constexpr uint32_t kBytesContents = BytesTag(8);

template <typename T>
absl::string_view BytesOf(const std::vector<T>& values) {
  return absl::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

template <typename Values>
void ClearKeepingLittle(Values& values) {
  values.clear();
  if (values.capacity() * sizeof(values[0]) > kKeptBytes) values.shrink_to_fit();
}

// As in PredictedLabel, so that the first of the top is the label.
float Rank(float score) {
  return std::isnan(score) ? -std::numeric_limits<float>::infinity() : score;
}

void AppendText(float score, int index, const std::string& label, std::string& out) {
  char digits[kMaxFloatText + 8];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof(digits), score);
  absl::StrAppend(&out, absl::string_view(digits, static_cast<size_t>(end.ptr - digits)), ":",
                  index, ":", label);
}

}  // namespace

absl::StatusOr<OutputTensors::Plan> OutputTensors::MakePlan(const ModelInferRequest& request,
                                                            int classes) {
  Plan plan;
  if (request.outputs_size() == 0) {
    plan.wanted[0].kind = Kind::kScores;
    plan.wanted[1].kind = Kind::kLabels;
    plan.count = 2;
    return plan;
  }
  for (int i = 0; i < request.outputs_size(); ++i) {
    const ModelInferRequest::InferRequestedOutputTensor& output = request.outputs(i);
    const bool is_label = absl::string_view(output.name()) == kLabelName;
    if (!is_label && absl::string_view(output.name()) != kOutputName) {
      return absl::InvalidArgumentError(absl::StrCat("outputs[", i, "].name: expected \"",
                                                     kOutputName, "\" or \"", kLabelName,
                                                     "\", got ", Quoted(output.name())));
    }
    for (int earlier = 0; earlier < i; ++earlier) {
      if (request.outputs(earlier).name() == output.name()) {
        return absl::InvalidArgumentError(absl::StrCat("outputs[", i, "].name: \"", output.name(),
                                                       "\" is in outputs[", earlier, "] already"));
      }
    }
    MLP_ASSIGN_OR_RETURN(const int64_t top, ReadOutputParameters(output.parameters(), i,
                                                                 is_label ? 0 : int64_t{classes}));
    Wanted& wanted = plan.wanted[plan.count++];  // a third name would have been one of the two
    wanted.kind = is_label ? Kind::kLabels : top > 0 ? Kind::kTop : Kind::kScores;
    wanted.top = top;
  }
  return plan;
}

absl::Status OutputTensors::CheckSize(const Plan& plan, const ServableModel& model, int64_t rows) {
  int64_t row_bytes = 0;
  for (int i = 0; i < plan.count; ++i) {
    switch (plan.wanted[i].kind) {
      case Kind::kScores:
        row_bytes += int64_t{model.classes()} * 4;
        break;
      case Kind::kLabels:
        row_bytes += 8;
        break;
      case Kind::kTop: {
        size_t longest = 0;
        for (const std::string& name : model.class_names())
          longest = std::max(longest, name.size());
        row_bytes += int64_t{model.classes()} * 4 +  // scores_
                     plan.wanted[i].top * (kTextOverhead + kMaxFloatText + kMaxIndexText +
                                           static_cast<int64_t>(longest));
        break;
      }
    }
  }
  if (rows * row_bytes <= kMaxAnswerBytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("outputs: expected at most ", kMaxAnswerBytes, " bytes an answer, ",
                   kMaxAnswerBytes / row_bytes, " rows, got ", rows, " rows"));
}

absl::Status OutputTensors::Start(const ModelInferRequest& request, const ServableModel& model,
                                  int64_t rows, bool raw) {
  MLP_ASSIGN_OR_RETURN(plan_, MakePlan(request, model.classes()));
  MLP_RETURN_IF_ERROR(CheckSize(plan_, model, rows));
  model_ = &model;
  rows_ = rows;
  raw_ = raw;
  scores_.clear();
  labels_.clear();
  for (int i = 0; i < plan_.count; ++i) {
    if (plan_.wanted[i].kind == Kind::kLabels) {
      labels_.resize(static_cast<size_t>(rows));
    } else {
      scores_.resize(static_cast<size_t>(rows * model.classes()));
    }
  }
  return absl::OkStatus();
}

void OutputTensors::Write(int64_t first, int64_t count, const float* outputs) {
  const int64_t classes = model_->classes();
  if (!scores_.empty()) std::copy_n(outputs, count * classes, scores_.data() + first * classes);
  if (labels_.empty()) return;
  for (int64_t row = 0; row < count; ++row) {
    labels_[static_cast<size_t>(first + row)] =
        PredictedLabel({outputs + row * classes, static_cast<size_t>(classes)});
  }
}

// --- The response ---

void OutputTensors::AppendResponse(absl::string_view id, std::string& out) {
  char version[24];
  const std::to_chars_result end =
      std::to_chars(version, version + sizeof(version), model_->version());
  AppendBytes(kModelName, model_->name(), out);
  AppendBytes(kModelVersion, absl::string_view(version, static_cast<size_t>(end.ptr - version)),
              out);
  if (!id.empty()) AppendBytes(kId, id, out);
  for (int i = 0; i < plan_.count; ++i) AppendTensor(plan_.wanted[i], out);
  if (!raw_) return;
  for (int i = 0; i < plan_.count; ++i) AppendRaw(plan_.wanted[i], out);
}

void OutputTensors::AppendTensor(const Wanted& wanted, std::string& out) {
  const bool labels = wanted.kind == Kind::kLabels;
  const bool top = wanted.kind == Kind::kTop;
  tensor_.clear();
  AppendBytes(kTensorName, labels ? kLabelName : kOutputName, tensor_);
  AppendBytes(kTensorDatatype, labels ? kInt64 : top ? kBytes : kFp32, tensor_);
  values_.clear();
  AppendVarint(static_cast<uint64_t>(rows_), values_);
  if (!labels) {
    AppendVarint(static_cast<uint64_t>(top ? wanted.top : int64_t{model_->classes()}), values_);
  }
  AppendBytes(kTensorShape, values_, tensor_);
  if (!raw_) {
    contents_.clear();
    AppendContents(wanted, contents_);
    AppendBytes(kTensorContents, contents_, tensor_);
  }
  AppendBytes(kOutputs, tensor_, out);
}

void OutputTensors::AppendContents(const Wanted& wanted, std::string& out) {
  switch (wanted.kind) {
    case Kind::kScores:
      AppendBytes(kFp32Contents, BytesOf(scores_), out);
      return;
    case Kind::kLabels:
      values_.clear();
      for (const int64_t label : labels_) AppendVarint(static_cast<uint64_t>(label), values_);
      AppendBytes(kInt64Contents, values_, out);
      return;
    case Kind::kTop:
      ForEachTop(wanted.top,
                 [&out](absl::string_view text) { AppendBytes(kBytesContents, text, out); });
      return;
  }
}

void OutputTensors::AppendRaw(const Wanted& wanted, std::string& out) {
  switch (wanted.kind) {
    case Kind::kScores:
      AppendBytes(kRawOutputContents, BytesOf(scores_), out);
      return;
    case Kind::kLabels:
      AppendBytes(kRawOutputContents, BytesOf(labels_), out);
      return;
    case Kind::kTop:
      values_.clear();
      ForEachTop(wanted.top, [this](absl::string_view text) {
        char length[sizeof(uint32_t)];
        const auto size = static_cast<uint32_t>(text.size());
        std::memcpy(length, &size, sizeof(size));
        values_.append(length, sizeof(length)).append(text.data(), text.size());
      });
      AppendBytes(kRawOutputContents, values_, out);
      return;
  }
}

template <typename Use>
void OutputTensors::ForEachTop(int64_t top, const Use& use) const {
  const auto classes = static_cast<size_t>(model_->classes());
  std::vector<int> order(classes);
  std::string text;
  for (int64_t row = 0; row < rows_; ++row) {
    const float* const scores = scores_.data() + static_cast<size_t>(row) * classes;
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + top, order.end(), [scores](int a, int b) {
      const float score_a = Rank(scores[a]);
      const float score_b = Rank(scores[b]);
      return score_a > score_b || (score_a == score_b && a < b);
    });
    for (int64_t i = 0; i < top; ++i) {
      const int index = order[static_cast<size_t>(i)];
      text.clear();
      AppendText(scores[index], index, model_->class_names()[static_cast<size_t>(index)], text);
      use(text);
    }
  }
}

void OutputTensors::Clear() {
  model_ = nullptr;
  rows_ = 0;
  ClearKeepingLittle(scores_);
  ClearKeepingLittle(labels_);
  for (std::string* part : {&tensor_, &contents_, &values_}) ClearKeepingLittle(*part);
}

}  // namespace mlp
