// Cuts a CSV file (RFC 4180) into records and fields.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "client/readers/byte_stream.h"

namespace mlp {

// Fields are separated by commas and may be quoted ("" is a quote within quotes; line ends within
// quotes belong to the field); lines end with LF or CRLF; empty lines and a byte-order mark at the
// start do not count. Thread-compatible.
class CsvRecords {
 public:
  explicit CsvRecords(ByteStream stream);

  // Replaces `fields` with the next record; false at the end. INVALID_ARGUMENT naming file and
  // line: a quote that is not closed or that stands where none may, more than kMaxFields fields, a
  // field of more than 1 MiB.
  absl::StatusOr<bool> Next(std::vector<std::string>& fields);

  // The line, from 1, on which the last record began.
  int64_t line() const { return record_line_; }
  const std::string& path() const { return stream_.path(); }

  // As many features as a dataset may have, and a label.
  static constexpr size_t kMaxFields = (size_t{1} << 20) + 1;

 private:
  static constexpr int kEnd = -1;

  absl::StatusOr<int> Take();
  absl::Status Append(std::string& field, int byte);
  // Reads a field to its end, given its first byte; returns the byte that ended it: ',', '\n' or
  // kEnd.
  absl::StatusOr<int> TakeField(int byte, std::string& field);
  absl::StatusOr<int> TakeQuoted(std::string& field);
  absl::Status Error(int64_t line, absl::string_view what) const;

  ByteStream stream_;
  std::string buffer_;
  size_t next_ = 0;
  size_t filled_ = 0;
  int64_t line_ = 1;
  int64_t record_line_ = 0;
  bool at_start_ = true;
};

}  // namespace mlp
