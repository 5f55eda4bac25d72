#include "client/readers/csv_reader.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include "client/readers/csv_records.h"
#include "client/readers/quote.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

constexpr size_t kNoColumn = static_cast<size_t>(-1);

class TableBuilder {
 public:
  explicit TableBuilder(const CsvOptions& options) : options_(options), labels_(options.classes) {}

  // Takes the first record: finds the label column, and tells whether the record is a header.
  absl::StatusOr<bool> Start(const std::vector<std::string>& fields) {
    columns_ = fields.size();
    MLP_RETURN_IF_ERROR(FindLabelColumn(fields));
    table_.features = static_cast<int32_t>(columns_ - (label_ == kNoColumn ? 0 : 1));
    if (table_.features == 0) return Error("expected at least one column besides the label");
    if (options_.header != CsvHeader::kAuto) return options_.header == CsvHeader::kYes;
    if (by_name_) return true;
    for (size_t i = 0; i < columns_; ++i) {
      double value = 0;
      if (i != label_ && absl::SimpleAtod(fields[i], &value)) return false;
    }
    return true;
  }

  absl::Status Add(int64_t line, const std::vector<std::string>& fields) {
    if (fields.size() != columns_) {
      return Error(
          absl::StrCat("line ", line, ": expected ", columns_, " columns, got ", fields.size()));
    }
    for (size_t i = 0; i < columns_; ++i) {
      const absl::Status added = i == label_ ? labels_.Add(fields[i]) : AddValue(fields[i]);
      if (!added.ok()) {
        return Error(absl::StrCat("line ", line, ", column ", i + 1, ": ", added.message()));
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<CsvTable> Finish() && {
    if (table_.values.empty()) return Error("expected at least one row of numbers, got none");
    table_.labels = std::move(labels_).Finish();
    return std::move(table_);
  }

 private:
  absl::Status Error(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat(options_.path, ": ", what));
  }

  absl::Status FindLabelColumn(const std::vector<std::string>& fields) {
    const std::string& column = options_.label_column;
    int64_t index = 0;
    if (column.empty()) {
      label_ = kNoColumn;
    } else if (column == kLastColumn) {
      label_ = columns_ - 1;
    } else if (absl::SimpleAtoi(column, &index)) {
      if (index < 0 || static_cast<size_t>(index) >= columns_) {
        return Error(absl::StrCat("label column: expected 0 to ", columns_ - 1, ", got ", index));
      }
      label_ = static_cast<size_t>(index);
    } else {
      const auto found = std::find_if(fields.begin(), fields.end(), [&](const std::string& name) {
        return absl::StripAsciiWhitespace(name) == column;
      });
      if (found == fields.end() || options_.header == CsvHeader::kNo) {
        return Error(absl::StrCat("label column: the first line has no column ", Quote(column)));
      }
      label_ = static_cast<size_t>(found - fields.begin());
      by_name_ = true;
    }
    return absl::OkStatus();
  }

  absl::Status AddValue(const std::string& field) {
    float value = 0;
    if (!absl::SimpleAtof(field, &value)) {
      return absl::InvalidArgumentError(absl::StrCat("expected a number, got ", Quote(field)));
    }
    if (!std::isfinite(value)) {
      return absl::InvalidArgumentError(
          absl::StrCat("expected a finite float32 number, got ", Quote(field)));
    }
    table_.values.push_back(value);
    return absl::OkStatus();
  }

  const CsvOptions& options_;
  size_t columns_ = 0;
  size_t label_ = kNoColumn;
  bool by_name_ = false;
  WordLabels labels_;
  CsvTable table_;
};

class CsvSource final : public ExampleSource {
 public:
  explicit CsvSource(CsvTable table) : table_(std::move(table)) {
    header_.set_rows(table_.rows());
    header_.set_features(table_.features);
    header_.set_feature_type(v1::FEATURE_TYPE_FLOAT32);
    for (const std::string& name : table_.labels.class_names) header_.add_class_names(name);
  }

  const v1::DatasetHeader& header() const override { return header_; }

  absl::Status Read(int64_t max_rows, ExampleBlock& block) override {
    const int64_t rows = std::min(max_rows, header_.rows() - row_);
    const auto* bytes = reinterpret_cast<const char*>(table_.values.data());
    block.features.assign(bytes + row_ * RowBytes(header_),
                          static_cast<size_t>(rows * RowBytes(header_)));
    const auto first = table_.labels.labels.begin() + row_;
    block.labels.assign(first, first + rows);
    row_ += rows;
    return absl::OkStatus();
  }

  absl::Status Rewind() override {
    row_ = 0;
    return absl::OkStatus();
  }

 private:
  const CsvTable table_;
  v1::DatasetHeader header_;
  int64_t row_ = 0;
};

}  // namespace

absl::StatusOr<CsvHeader> ParseCsvHeader(absl::string_view text) {
  if (text == "auto") return CsvHeader::kAuto;
  if (text == "yes") return CsvHeader::kYes;
  if (text == "no") return CsvHeader::kNo;
  return absl::InvalidArgumentError(absl::StrCat("expected auto, yes or no, got ", Quote(text)));
}

absl::StatusOr<CsvTable> ReadCsv(const CsvOptions& options) {
  MLP_ASSIGN_OR_RETURN(ByteStream stream, ByteStream::Open(options.path));
  CsvRecords records(std::move(stream));
  TableBuilder builder(options);
  std::vector<std::string> fields;
  MLP_ASSIGN_OR_RETURN(bool more, records.Next(fields));
  if (!more) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.path, ": expected at least one row of numbers, got none"));
  }
  MLP_ASSIGN_OR_RETURN(const bool header, builder.Start(fields));
  if (!header) MLP_RETURN_IF_ERROR(builder.Add(records.line(), fields));
  while (true) {
    MLP_ASSIGN_OR_RETURN(more, records.Next(fields));
    if (!more) break;
    MLP_RETURN_IF_ERROR(builder.Add(records.line(), fields));
  }
  return std::move(builder).Finish();
}

absl::StatusOr<std::unique_ptr<ExampleSource>> OpenCsv(const CsvOptions& options) {
  if (options.label_column.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.path, ": a dataset needs a label column"));
  }
  MLP_ASSIGN_OR_RETURN(CsvTable table, ReadCsv(options));
  return std::make_unique<CsvSource>(std::move(table));
}

}  // namespace mlp
