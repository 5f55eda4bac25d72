#include "server/oip/output_tensors.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>

#include <absl/strings/str_cat.h>
#include <absl/types/span.h>

#include "core/base/status_macros.h"
#include "core/eval/evaluation.h"
#include "server/oip/infer_parameters.h"
#include "server/oip/model_naming.h"
#include "server/oip/tensors.h"

namespace mlp {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;

// A float in the fewest digits that read back as the same one.
constexpr int64_t kMaxFloatText = 16;
constexpr int64_t kMaxIndexText = 10;
// std::string of one text in typed contents, or the length before it in raw ones.
constexpr int64_t kTextOverhead = 40;

template <typename T>
void Store(T value, int64_t index, char* out) {
  std::memcpy(out + index * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
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

absl::Status OutputTensors::CheckSize(const Plan& plan, const ServableModel& model,
                                      int64_t rows) const {
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
        row_bytes += int64_t{model.classes()} * 4 +  // kept_scores_
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
                                  int64_t rows, bool raw, ModelInferResponse& response) {
  MLP_ASSIGN_OR_RETURN(const Plan plan, MakePlan(request, model.classes()));
  MLP_RETURN_IF_ERROR(CheckSize(plan, model, rows));
  model_ = &model;
  response_ = &response;
  rows_ = rows;
  scores_ = nullptr;
  labels_ = nullptr;
  top_ = 0;
  top_raw_ = nullptr;
  top_typed_ = nullptr;
  rows_left_.store(rows, std::memory_order_relaxed);

  response.set_model_name(request.model_name());
  char version[24];
  const std::to_chars_result end =
      std::to_chars(version, version + sizeof(version), model.version());
  response.set_model_version(version, static_cast<size_t>(end.ptr - version));
  response.set_id(request.id());
  for (int i = 0; i < plan.count; ++i) Add(plan.wanted[i], raw);
  return absl::OkStatus();
}

void OutputTensors::Add(const Wanted& wanted, bool raw) {
  ModelInferResponse::InferOutputTensor& tensor = *response_->add_outputs();
  tensor.add_shape(rows_);
  const auto values = static_cast<size_t>(rows_ * model_->classes());
  std::string* const bytes = raw ? response_->add_raw_output_contents() : nullptr;
  switch (wanted.kind) {
    case Kind::kScores:
      tensor.set_name(kOutputName.data(), kOutputName.size());
      tensor.set_datatype(kFp32.data(), kFp32.size());
      tensor.add_shape(model_->classes());
      if (raw) {
        bytes->resize(values * sizeof(float));
        scores_ = bytes->data();
      } else {
        auto& typed = *tensor.mutable_contents()->mutable_fp32_contents();
        typed.Resize(static_cast<int>(values), 0);
        scores_ = reinterpret_cast<char*>(typed.mutable_data());
      }
      return;
    case Kind::kLabels:
      tensor.set_name(kLabelName.data(), kLabelName.size());
      tensor.set_datatype(kInt64.data(), kInt64.size());
      if (raw) {
        bytes->resize(static_cast<size_t>(rows_) * sizeof(int64_t));
        labels_ = bytes->data();
      } else {
        auto& typed = *tensor.mutable_contents()->mutable_int64_contents();
        typed.Resize(static_cast<int>(rows_), 0);
        labels_ = reinterpret_cast<char*>(typed.mutable_data());
      }
      return;
    case Kind::kTop:
      tensor.set_name(kOutputName.data(), kOutputName.size());
      tensor.set_datatype(kBytes.data(), kBytes.size());
      tensor.add_shape(wanted.top);
      top_ = wanted.top;
      top_raw_ = bytes;
      if (!raw) top_typed_ = tensor.mutable_contents()->mutable_bytes_contents();
      kept_scores_.resize(values);
      scores_ = reinterpret_cast<char*>(kept_scores_.data());
      return;
  }
}

void OutputTensors::Write(int64_t first, int64_t count, const float* outputs) {
  const int64_t classes = model_->classes();
  if (scores_ != nullptr) {
    std::memcpy(scores_ + first * classes * static_cast<int64_t>(sizeof(float)), outputs,
                static_cast<size_t>(count * classes) * sizeof(float));
  }
  if (labels_ != nullptr) {
    for (int64_t row = 0; row < count; ++row) {
      const auto width = static_cast<size_t>(classes);
      Store(int64_t{PredictedLabel({outputs + row * classes, width})}, first + row, labels_);
    }
  }
  // Sees what the writers of all other rows wrote before they counted theirs.
  if (rows_left_.fetch_sub(count, std::memory_order_acq_rel) == count && top_ > 0) WriteTop();
}

void OutputTensors::WriteTop() {
  const auto classes = static_cast<size_t>(model_->classes());
  std::vector<int> order(classes);
  std::string text;
  for (int64_t row = 0; row < rows_; ++row) {
    const float* const scores = kept_scores_.data() + static_cast<size_t>(row) * classes;
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + top_, order.end(), [scores](int a, int b) {
      const float score_a = Rank(scores[a]);
      const float score_b = Rank(scores[b]);
      return score_a > score_b || (score_a == score_b && a < b);
    });
    for (int64_t i = 0; i < top_; ++i) {
      const int index = order[static_cast<size_t>(i)];
      text.clear();
      AppendText(scores[index], index, model_->class_names()[static_cast<size_t>(index)], text);
      if (top_raw_ != nullptr) {
        char length[sizeof(uint32_t)];
        Store(static_cast<uint32_t>(text.size()), 0, length);
        top_raw_->append(length, sizeof(length)).append(text);
      } else {
        *top_typed_->Add() = text;
      }
    }
  }
}

}  // namespace mlp
