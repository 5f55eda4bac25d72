#include "client/readers/png_sheet.h"

#include <algorithm>
#include <utility>

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include "client/readers/grey_image.h"
#include "client/readers/labels.h"
#include "client/readers/quote.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

constexpr int kMaxCellSide = 1024;

class PngSheet final : public ExampleSource {
 public:
  PngSheet(GreyImage sheet, CellSize cell, ClassLabels labels)
      : sheet_(std::move(sheet)), cell_(cell), labels_(std::move(labels.labels)) {
    header_.set_rows(static_cast<int64_t>(labels_.size()));
    header_.set_features(cell.width * cell.height);
    header_.set_feature_type(v1::FEATURE_TYPE_UINT8);
    header_.mutable_image()->set_height(cell.height);
    header_.mutable_image()->set_width(cell.width);
    header_.mutable_image()->set_channels(1);
    for (std::string& name : labels.class_names) header_.add_class_names(std::move(name));
  }

  const v1::DatasetHeader& header() const override { return header_; }

  absl::Status Read(int64_t max_rows, ExampleBlock& block) override {
    block.features.clear();
    block.labels.clear();
    const int64_t end = std::min(header_.rows(), row_ + max_rows);
    for (; row_ < end; ++row_) {
      AppendCell(row_, block.features);
      block.labels.push_back(labels_[static_cast<size_t>(row_)]);
    }
    return absl::OkStatus();
  }

  absl::Status Rewind() override {
    row_ = 0;
    return absl::OkStatus();
  }

 private:
  void AppendCell(int64_t index, std::string& features) const {
    const int64_t across = sheet_.width / cell_.width;
    const int64_t left = index % across * cell_.width;
    const int64_t top = index / across * cell_.height;
    for (int y = 0; y < cell_.height; ++y) {
      const auto start = static_cast<size_t>((top + y) * sheet_.width + left);
      features.append(reinterpret_cast<const char*>(sheet_.pixels.data()) + start,
                      static_cast<size_t>(cell_.width));
    }
  }

  const GreyImage sheet_;
  const CellSize cell_;
  const std::vector<int32_t> labels_;
  v1::DatasetHeader header_;
  int64_t row_ = 0;
};

absl::StatusOr<ClassLabels> EvenLabels(const PngSheetOptions& options, int64_t cells) {
  ClassLabels result;
  result.class_names = options.classes;
  if (result.class_names.empty()) {
    for (int k = 0; k < 10; ++k) result.class_names.push_back(absl::StrCat(k));
  }
  const auto classes = static_cast<int64_t>(result.class_names.size());
  if (cells % classes != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.path, ": expected a number of cells that divides evenly into ", classes,
        " classes, got ", cells, "; name the classes, or the label of each cell"));
  }
  for (int64_t i = 0; i < cells; ++i) {
    result.labels.push_back(static_cast<int32_t>(i / (cells / classes)));
  }
  return result;
}

}  // namespace

absl::StatusOr<CellSize> ParseCellSize(absl::string_view text) {
  const std::vector<absl::string_view> sides = absl::StrSplit(text, 'x');
  CellSize cell;
  if (sides.size() != 2 || !absl::SimpleAtoi(sides[0], &cell.width) ||
      !absl::SimpleAtoi(sides[1], &cell.height) || cell.width < 1 || cell.height < 1 ||
      cell.width > kMaxCellSide || cell.height > kMaxCellSide) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected WIDTHxHEIGHT, each 1 to ", kMaxCellSide, ", such as 20x20, got ", Quote(text)));
  }
  return cell;
}

absl::StatusOr<std::unique_ptr<ExampleSource>> OpenPngSheet(const PngSheetOptions& options) {
  MLP_ASSIGN_OR_RETURN(GreyImage sheet, ReadPng(options.path));
  const CellSize cell = options.cell;
  if (sheet.width % cell.width != 0 || sheet.height % cell.height != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.path, ": expected a size that is a multiple of the cell, ", cell.width,
                     " x ", cell.height, ", got ", sheet.width, " x ", sheet.height));
  }
  const int64_t cells = int64_t{sheet.width / cell.width} * (sheet.height / cell.height);
  ClassLabels labels;
  if (options.labels.empty()) {
    MLP_ASSIGN_OR_RETURN(labels, EvenLabels(options, cells));
  } else {
    MLP_ASSIGN_OR_RETURN(labels, ReadLabelLines(options.labels, options.classes));
    MLP_RETURN_IF_ERROR(CheckLabelCount(options.labels, static_cast<int64_t>(labels.labels.size()),
                                        options.path, cells, "cells"));
  }
  return std::make_unique<PngSheet>(std::move(sheet), cell, std::move(labels));
}

}  // namespace mlp
