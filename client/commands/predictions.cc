#include "client/commands/predictions.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include <absl/strings/str_cat.h>
#include <nlohmann/json.hpp>

#include "client/commands/json_output.h"
#include "client/status_macros.h"
#include "client/terminal/bar.h"
#include "client/terminal/numbers.h"
#include "client/terminal/table.h"

namespace mlp {
namespace {

// Below what gRPC servers take by default, 4 MiB.
constexpr int64_t kMaxCallBytes = int64_t{3} << 20;
constexpr int64_t kMaxCallRows = 4096;
constexpr size_t kMaxBars = 12;
constexpr size_t kBestBars = 5;
constexpr int kBarColumns = 20;

absl::Status CheckReply(const v1::PredictResponse& reply, int64_t rows, size_t classes) {
  const auto expected = static_cast<int>(rows);
  const bool labels_fit = std::all_of(
      reply.labels().begin(), reply.labels().end(),
      [classes](int32_t label) { return label >= 0 && static_cast<size_t>(label) < classes; });
  if (reply.labels_size() != expected || reply.class_names_size() != expected || !labels_fit ||
      static_cast<size_t>(reply.outputs_size()) != static_cast<size_t>(rows) * classes) {
    return absl::InternalError(absl::StrCat("Predict: expected ", rows, " labels with ", classes,
                                            " outputs each, got ", reply.labels_size(),
                                            " labels and ", reply.outputs_size(), " outputs"));
  }
  return absl::OkStatus();
}

void SetRows(v1::FeatureType type, absl::string_view values, v1::PredictRequest& request) {
  request.clear_features();
  request.clear_pixels();
  if (type == v1::FEATURE_TYPE_UINT8) {
    request.set_pixels(values.data(), values.size());
    return;
  }
  const int count = static_cast<int>(values.size() / sizeof(float));
  request.mutable_features()->Resize(count, 0);
  std::memcpy(request.mutable_features()->mutable_data(), values.data(), values.size());
}

std::string Reference(const v1::ModelVersion& version) {
  return absl::StrCat(version.model(), "@", version.version());
}

}  // namespace

absl::StatusOr<v1::ModelVersion> ResolveModel(Client& client, const std::string& reference) {
  v1::GetModelVersionRequest request;
  request.set_model(reference);
  return client.GetModelVersion(request);
}

absl::StatusOr<std::vector<Prediction>> PredictRows(Client& client, const v1::ModelVersion& version,
                                                    v1::FeatureType type, int32_t features,
                                                    absl::string_view values) {
  const v1::NetworkConfig& network = version.config().network();
  if (network.layers_size() > 0 && network.layers(0) != features) {
    return absl::InvalidArgumentError(absl::StrCat("features: expected ", network.layers(0),
                                                   " a row for ", Reference(version), ", got ",
                                                   features));
  }
  const auto classes = static_cast<size_t>(version.class_names_size());
  const int64_t row_bytes = int64_t{features} * (type == v1::FEATURE_TYPE_UINT8 ? 1 : 4);
  const auto call_bytes = static_cast<size_t>(
      row_bytes * std::clamp<int64_t>(kMaxCallBytes / row_bytes, 1, kMaxCallRows));
  std::vector<Prediction> predictions;
  v1::PredictRequest request;
  request.set_model(Reference(version));
  for (size_t start = 0; start < values.size(); start += call_bytes) {
    const absl::string_view piece = values.substr(start, call_bytes);
    const int64_t rows = static_cast<int64_t>(piece.size()) / row_bytes;
    request.set_rows(static_cast<int32_t>(rows));
    SetRows(type, piece, request);
    MLP_ASSIGN_OR_RETURN(const v1::PredictResponse reply, client.Predict(request));
    MLP_RETURN_IF_ERROR(CheckReply(reply, rows, classes));
    const float* outputs = reply.outputs().data();
    for (int i = 0; i < rows; ++i, outputs += classes) {
      Prediction& prediction = predictions.emplace_back();
      prediction.row = static_cast<int64_t>(predictions.size()) - 1;
      prediction.label = reply.labels(i);
      prediction.class_name = reply.class_names(i);
      prediction.outputs.assign(outputs, outputs + classes);
    }
  }
  return predictions;
}

void PrintPredictionJson(CommandContext& context, const v1::ModelVersion& version,
                         const Prediction& prediction) {
  nlohmann::ordered_json json;
  json["model"] = version.model();
  json["version"] = version.version();
  json["row"] = prediction.row;
  if (!prediction.expected_class_name.empty()) {
    json["expected_class_name"] = prediction.expected_class_name;
  }
  json["label"] = prediction.label;
  json["class_name"] = prediction.class_name;
  auto& outputs = json["outputs"] = nlohmann::ordered_json::array();
  for (const float output : prediction.outputs) outputs.push_back(ShortestDouble(output));
  context.out() << ToJsonLine(json) << "\n";
}

std::string CountRight(const std::vector<Prediction>& predictions) {
  int64_t known = 0;
  int64_t right = 0;
  for (const Prediction& prediction : predictions) {
    if (prediction.expected_class_name.empty()) continue;
    ++known;
    if (prediction.expected_class_name == prediction.class_name) ++right;
  }
  if (known == 0) return "";
  return absl::StrCat(FormatCount(right), " of ", FormatCount(known), " right");
}

void PrintPredictionTable(CommandContext& context, const std::vector<Prediction>& predictions) {
  const std::string right = CountRight(predictions);
  std::vector<Table::Column> columns = {{"row", Table::Align::kRight}};
  if (!right.empty()) columns.push_back({"label"});
  columns.insert(columns.end(), {{"prediction"}, {"probability", Table::Align::kRight}});
  if (!right.empty()) columns.push_back({""});
  Table table(columns);
  for (const Prediction& prediction : predictions) {
    std::vector<std::string> cells = {absl::StrCat(prediction.row)};
    if (!right.empty()) cells.push_back(prediction.expected_class_name);
    cells.push_back(prediction.class_name);
    cells.push_back(FormatPercent(prediction.probability()));
    if (!right.empty()) {
      cells.push_back(prediction.expected_class_name == prediction.class_name ? "" : "wrong");
    }
    table.AddRow(std::move(cells));
  }
  context.out() << table.Render();
  if (!right.empty()) context.out() << "\n" << right << "\n";
}

std::vector<std::string> ClassBars(const v1::ModelVersion& version, const Prediction& prediction,
                                   const TerminalStyle& style) {
  std::vector<size_t> order(prediction.outputs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (order.size() > kMaxBars) {
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return prediction.outputs[a] > prediction.outputs[b];
    });
    order.resize(kBestBars);
  }
  size_t width = 0;
  for (const size_t k : order) {
    width = std::max(width, DisplayWidth(version.class_names(static_cast<int>(k))));
  }
  std::vector<std::string> lines;
  for (const size_t k : order) {
    lines.push_back(absl::StrCat(static_cast<int32_t>(k) == prediction.label ? "> " : "  ",
                                 PadRight(version.class_names(static_cast<int>(k)), width), "  ",
                                 PadLeft(FormatPercent(prediction.outputs[k]), 8), "  ",
                                 RenderBar(prediction.outputs[k], kBarColumns, style)));
  }
  return lines;
}

}  // namespace mlp
