#include "client/readers/csv_records.h"

#include <utility>

#include <absl/strings/str_cat.h>

#include "client/readers/quote.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

constexpr size_t kBufferBytes = 1 << 16;
constexpr size_t kMaxFieldBytes = size_t{1} << 20;

}  // namespace

CsvRecords::CsvRecords(ByteStream stream)
    : stream_(std::move(stream)), buffer_(kBufferBytes, '\0') {}

absl::Status CsvRecords::Error(int64_t line, absl::string_view what) const {
  return absl::InvalidArgumentError(absl::StrCat(path(), ": line ", line, ": ", what));
}

absl::StatusOr<int> CsvRecords::Take() {
  if (next_ == filled_) {
    MLP_ASSIGN_OR_RETURN(filled_, stream_.ReadSome(buffer_.size(), buffer_.data()));
    next_ = 0;
    if (filled_ == 0) return kEnd;
    if (at_start_ && absl::string_view(buffer_.data(), filled_).substr(0, 3) == "\xEF\xBB\xBF") {
      next_ = 3;
    }
    at_start_ = false;
    if (next_ == filled_) return Take();
  }
  return static_cast<unsigned char>(buffer_[next_++]);
}

absl::Status CsvRecords::Append(std::string& field, int byte) {
  if (field.size() == kMaxFieldBytes) {
    return Error(record_line_,
                 absl::StrCat("expected fields of at most ", kMaxFieldBytes, " bytes, got more"));
  }
  field.push_back(static_cast<char>(byte));
  return absl::OkStatus();
}

absl::StatusOr<int> CsvRecords::TakeQuoted(std::string& field) {
  const int64_t opened = line_;
  while (true) {
    MLP_ASSIGN_OR_RETURN(int byte, Take());
    if (byte == kEnd) return Error(opened, "expected a closing quote, got the end of the file");
    if (byte == '\n') ++line_;
    if (byte == '"') {
      MLP_ASSIGN_OR_RETURN(byte, Take());
      if (byte != '"') {
        if (byte == '\r') {
          MLP_ASSIGN_OR_RETURN(byte, Take());
        }
        if (byte == ',' || byte == '\n' || byte == kEnd) return byte;
        return Error(line_,
                     absl::StrCat("expected a comma or the end of the line after the quote, got ",
                                  Quote(std::string(1, static_cast<char>(byte)))));
      }
    }
    MLP_RETURN_IF_ERROR(Append(field, byte));
  }
}

absl::StatusOr<int> CsvRecords::TakeField(int byte, std::string& field) {
  field.clear();
  if (byte == '"') return TakeQuoted(field);
  while (byte != ',' && byte != '\n' && byte != kEnd) {
    MLP_RETURN_IF_ERROR(Append(field, byte));
    MLP_ASSIGN_OR_RETURN(byte, Take());
  }
  if (byte != ',' && !field.empty() && field.back() == '\r') field.pop_back();
  return byte;
}

absl::StatusOr<bool> CsvRecords::Next(std::vector<std::string>& fields) {
  while (true) {
    record_line_ = line_;
    MLP_ASSIGN_OR_RETURN(int byte, Take());
    if (byte == kEnd) return false;
    size_t count = 0;
    while (true) {
      if (count == kMaxFields) {
        return Error(record_line_,
                     absl::StrCat("expected at most ", kMaxFields, " columns, got more"));
      }
      if (count == fields.size()) fields.emplace_back();
      MLP_ASSIGN_OR_RETURN(byte, TakeField(byte, fields[count]));
      ++count;
      if (byte != ',') break;
      MLP_ASSIGN_OR_RETURN(byte, Take());
    }
    if (byte == '\n') ++line_;
    fields.resize(count);
    if (count > 1 || !fields[0].empty()) return true;
  }
}

}  // namespace mlp
