#include <algorithm>
#include <string>
#include <vector>

#include <absl/strings/str_cat.h>

#include "client/commands/predict_sources.h"
#include "client/commands/predictions.h"
#include "client/commands/training_flags.h"
#include "client/status_macros.h"
#include "client/terminal/numbers.h"
#include "client/terminal/picture.h"
#include "client/terminal/table.h"

namespace mlp {
namespace {

constexpr int64_t kMaxReadRows = 1024;
constexpr int64_t kMaxReadBytes = int64_t{3} << 20;
// More rows, or wider images, become a table.
constexpr size_t kMaxDrawings = 64;
constexpr int kMaxDrawingWidth = 64;

int64_t RowBytes(const v1::Dataset& dataset) {
  return int64_t{dataset.features()} * (dataset.feature_type() == v1::FEATURE_TYPE_UINT8 ? 1 : 4);
}

absl::Status CheckReply(const v1::Dataset& dataset, const v1::ReadExamplesResponse& reply) {
  const int64_t rows = reply.labels_size();
  const bool labels_fit =
      std::all_of(reply.labels().begin(), reply.labels().end(),
                  [&](int32_t label) { return label >= 0 && label < dataset.class_names_size(); });
  if (static_cast<int64_t>(reply.features().size()) != rows * RowBytes(dataset) || !labels_fit) {
    return absl::InternalError(absl::StrCat("ReadExamples: expected ", rows * RowBytes(dataset),
                                            " bytes for ", rows, " rows, got ",
                                            reply.features().size()));
  }
  return absl::OkStatus();
}

// A drawing with what was said about it below.
std::vector<std::string> Drawing(const v1::Dataset& dataset, const std::string& features,
                                 const Prediction& prediction, const TerminalStyle& style) {
  const absl::Span<const uint8_t> pixels(reinterpret_cast<const uint8_t*>(features.data()),
                                         features.size());
  std::vector<std::string> lines =
      DrawPicture(pixels, dataset.image().width(), dataset.image().height(), style);
  const bool right = prediction.class_name == prediction.expected_class_name;
  lines.push_back(absl::StrCat("row ", prediction.row, ": ", prediction.expected_class_name));
  lines.push_back(absl::StrCat("says ", prediction.class_name, ", ",
                               FormatPercent(prediction.probability()), right ? "" : " wrong"));
  lines.push_back("");
  return lines;
}

void PrintDrawings(CommandContext& context, const std::vector<std::vector<std::string>>& drawings) {
  size_t width = 1;
  for (const auto& drawing : drawings) {
    for (const std::string& line : drawing) width = std::max(width, DisplayWidth(line));
  }
  const auto columns = static_cast<size_t>(std::max(context.style().width, 1));
  const size_t across = std::max<size_t>(1, (columns + 2) / (width + 3));
  for (size_t start = 0; start < drawings.size(); start += across) {
    std::vector<std::vector<std::string>> row(
        drawings.begin() + static_cast<std::ptrdiff_t>(start),
        drawings.begin() + static_cast<std::ptrdiff_t>(std::min(start + across, drawings.size())));
    for (auto& drawing : row) drawing[0] = PadRight(drawing[0], width);  // equal columns
    for (const std::string& line : SideBySide(row, 3)) context.out() << line << "\n";
  }
}

// Shows pages of rows as they come, so that a large dataset is never all in memory.
class DatasetPrinter {
 public:
  DatasetPrinter(CommandContext& context, const v1::Dataset& dataset,
                 const v1::ModelVersion& version, bool draw)
      : context_(context), dataset_(dataset), version_(version), draw_(draw) {}

  absl::Status Add(int64_t first_row, const v1::ReadExamplesResponse& page) {
    MLP_RETURN_IF_ERROR(CheckReply(dataset_, page));
    MLP_ASSIGN_OR_RETURN(std::vector<Prediction> predictions,
                         PredictRows(context_.client(), version_, dataset_.feature_type(),
                                     dataset_.features(), page.features()));
    for (size_t i = 0; i < predictions.size(); ++i) {
      const int index = static_cast<int>(i);
      Prediction& prediction = predictions[i];
      prediction.row = page.rows_size() == page.labels_size() ? page.rows(index)
                                                              : first_row + static_cast<int64_t>(i);
      prediction.expected_class_name = dataset_.class_names(page.labels(index));
      if (context_.json()) {
        PrintPredictionJson(context_, version_, prediction);
        continue;
      }
      if (draw_) {
        const auto bytes = static_cast<size_t>(RowBytes(dataset_));
        drawings_.push_back(Drawing(dataset_, page.features().substr(i * bytes, bytes), prediction,
                                    context_.style()));
      }
      predictions_.push_back(std::move(prediction));
    }
    return absl::OkStatus();
  }

  void Finish() {
    if (context_.json()) return;
    if (!draw_) {
      PrintPredictionTable(context_, predictions_);
      return;
    }
    PrintDrawings(context_, drawings_);
    context_.out() << version_.model() << "@" << version_.version() << ": "
                   << CountRight(predictions_) << "\n";
  }

 private:
  CommandContext& context_;
  const v1::Dataset& dataset_;
  const v1::ModelVersion& version_;
  const bool draw_;
  std::vector<std::vector<std::string>> drawings_;
  std::vector<Prediction> predictions_;
};

bool CanDraw(const v1::Dataset& dataset, const RowRange& range) {
  const v1::ImageShape& image = dataset.image();
  return dataset.has_image() && image.channels() == 1 && image.width() <= kMaxDrawingWidth &&
         dataset.feature_type() == v1::FEATURE_TYPE_UINT8 &&
         int64_t{image.width()} * image.height() == dataset.features() &&
         (range.last - range.first - 1) / range.step < static_cast<int64_t>(kMaxDrawings);
}

}  // namespace

absl::StatusOr<int> PredictDataset(CommandContext& context, const PredictFlags& flags) {
  MLP_ASSIGN_OR_RETURN(const RowRange range, ParseRows(flags.rows));
  MLP_ASSIGN_OR_RETURN(const v1::DatasetPart part, ParsePart(flags.part));
  v1::GetDatasetRequest get;
  get.set_name(flags.dataset);
  MLP_ASSIGN_OR_RETURN(const v1::Dataset dataset, context.client().GetDataset(get));
  MLP_ASSIGN_OR_RETURN(const v1::ModelVersion version, ResolveModel(context.client(), flags.model));

  v1::ReadExamplesRequest read;
  read.set_name(flags.dataset);
  read.set_model(absl::StrCat(version.model(), "@", version.version()));
  read.set_part(part);
  const int64_t rows_in_bytes = kMaxReadBytes / std::max<int64_t>(1, RowBytes(dataset));
  const int64_t page_rows =
      range.step > 1 ? 1 : std::clamp<int64_t>(rows_in_bytes, 1, kMaxReadRows);
  DatasetPrinter printer(context, dataset, version, CanDraw(dataset, range));
  for (int64_t row = range.first; row < range.last;) {
    const int64_t wanted = std::min(page_rows, range.last - row);
    read.set_start_row(row);
    read.set_row_count(static_cast<int32_t>(wanted));
    const absl::StatusOr<v1::ReadExamplesResponse> page = context.client().ReadExamples(read);
    // The range may reach behind the last row, but may not begin there.
    if (absl::IsOutOfRange(page.status()) && row > range.first) break;
    if (!page.ok()) return page.status();
    MLP_RETURN_IF_ERROR(printer.Add(row, *page));
    if (page->labels_size() < wanted) break;
    const int64_t advance = std::max(wanted, range.step);
    if (advance >= range.last - row) break;  // before the sum could overflow
    row += advance;
  }
  printer.Finish();
  return kExitSuccess;
}

}  // namespace mlp
