#include "server/inference/predictor.h"

#include <algorithm>
#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "core/data/dataset.h"
#include "core/eval/evaluation.h"
#include "server/names.h"

namespace mlp {
namespace {

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

// Scales rows [first, first + count) of `request` to `out` [count x D].
void ScaleRows(const v1::PredictRequest& request, const FeatureScaler& scaler, int64_t first,
               int64_t count, float* out) {
  const auto offset = static_cast<size_t>(first * scaler.features());
  const auto values = static_cast<size_t>(count * scaler.features());
  if (request.features_size() > 0) {
    scaler.Apply(absl::MakeConstSpan(request.features().data() + offset, values), out);
  } else {
    const auto* pixels = reinterpret_cast<const uint8_t*>(request.pixels().data());
    scaler.Apply(absl::MakeConstSpan(pixels + offset, values), out);
  }
}

void AppendAnswers(const ServableModel& model, const float* outputs, int64_t rows,
                   v1::PredictResponse& response) {
  const auto classes = static_cast<size_t>(model.classes());
  for (int64_t row = 0; row < rows; ++row) {
    const int label = PredictedLabel({outputs + static_cast<size_t>(row) * classes, classes});
    response.add_labels(label);
    response.add_class_names(model.class_names()[static_cast<size_t>(label)]);
  }
  response.mutable_outputs()->Add(outputs, outputs + static_cast<size_t>(rows) * classes);
}

}  // namespace

Predictor::Predictor(ResidentModels& models, Metrics& metrics)
    : models_(models), metrics_(metrics) {}

absl::StatusOr<Predictor::Checked> Predictor::Check(PredictTask& task) {
  const v1::PredictRequest& request = *task.request;
  MLP_ASSIGN_OR_RETURN(const ModelReference reference,
                       ParseModelReference("model", request.model()));
  const bool has_features = request.features_size() > 0;
  if (has_features == !request.pixels().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("features, pixels: expected rows in exactly one of them, got ",
                     has_features ? "both" : "none"));
  }
  MLP_ASSIGN_OR_RETURN(std::shared_ptr<const ServableModel> model, models_.Get(reference));
  const int64_t values =
      has_features ? request.features_size() : static_cast<int64_t>(request.pixels().size());
  MLP_ASSIGN_OR_RETURN(const int64_t rows, CountRows(has_features ? "features" : "pixels", values,
                                                     model->features(), request.rows()));
  if (has_features) {
    const absl::string_view bytes(reinterpret_cast<const char*>(request.features().data()),
                                  static_cast<size_t>(values) * sizeof(float));
    MLP_RETURN_IF_ERROR(CheckFinite(bytes, 0, model->features()));
  }
  return Checked{&task, std::move(model), rows};
}

void Predictor::Run(absl::Span<PredictTask> tasks) {
  checked_.clear();
  pieces_.clear();  // not empty where the last batch ended in an exception
  for (PredictTask& task : tasks) {
    absl::StatusOr<Checked> checked = Check(task);
    task.status = checked.status();
    if (checked.ok()) checked_.push_back(*std::move(checked));
  }
  // Tasks of one model version next to each other, otherwise in order of arrival.
  std::stable_sort(checked_.begin(), checked_.end(), [](const Checked& a, const Checked& b) {
    return std::less<>()(a.model.get(), b.model.get());
  });
  for (auto begin = checked_.begin(); begin != checked_.end();) {
    const auto end = std::find_if(begin, checked_.end(), [begin](const Checked& checked) {
      return checked.model != begin->model;
    });
    RunGroup(absl::MakeConstSpan(&*begin, static_cast<size_t>(end - begin)));
    begin = end;
  }
  checked_.clear();  // lets go of the models
}

void Predictor::RunGroup(absl::Span<const Checked> group) {
  const ServableModel& model = *group.front().model;
  inputs_.resize(static_cast<size_t>(ServableModel::kBlockRows) *
                 static_cast<size_t>(model.features()));
  outputs_.resize(static_cast<size_t>(ServableModel::kBlockRows) *
                  static_cast<size_t>(model.classes()));
  int64_t block_rows = 0;
  int64_t all_rows = 0;
  for (const Checked& checked : group) {
    checked.task->response->set_version(model.version());
    for (int64_t row = 0; row < checked.rows;) {
      const int64_t count = std::min(checked.rows - row, ServableModel::kBlockRows - block_rows);
      ScaleRows(*checked.task->request, model.scaler(), row, count,
                inputs_.data() + block_rows * model.features());
      pieces_.push_back({checked.task->response, count});
      row += count;
      block_rows += count;
      if (block_rows == ServableModel::kBlockRows) {
        RunBlock(model, block_rows);
        block_rows = 0;
      }
    }
    all_rows += checked.rows;
  }
  if (block_rows > 0) RunBlock(model, block_rows);
  metrics_.RowsPredicted(model.name(), all_rows);
}

void Predictor::RunBlock(const ServableModel& model, int64_t rows) {
  model.Forward(inputs_.data(), rows, outputs_.data());
  const float* outputs = outputs_.data();
  for (const Piece& piece : pieces_) {
    AppendAnswers(model, outputs, piece.rows, *piece.response);
    outputs += piece.rows * model.classes();
  }
  pieces_.clear();
}

}  // namespace mlp
