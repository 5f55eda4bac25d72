// An upload under way: rows gather to pieces of about 1 MiB, each of which goes into the database
// in a transaction of its own, under a dataset that has no name yet; Commit names it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/types/span.h>

#include "core/base/clock.h"
#include "server/store/sqlite_database.h"
#include "server/store/sqlite_quotas.h"
#include "server/store/store.h"

namespace mlp {

// Invariant: the pieces in the database and then the buffered rows are what was appended, in order;
// every piece but the last holds rows_per_piece_ rows. Thread-compatible.
class SqliteDatasetUpload final : public DatasetUpload {
 public:
  // ALREADY_EXISTS: the name or the request id is taken; not where both are of the same dataset,
  // which an upload under way may turn out to repeat: see Commit. RESOURCE_EXHAUSTED: over a
  // quota. All arguments but the header outlive the upload.
  static absl::StatusOr<std::unique_ptr<SqliteDatasetUpload>> Begin(const v1::DatasetHeader& header,
                                                                    SqliteDatabase& database,
                                                                    const SqliteQuotas& quotas,
                                                                    const Clock& clock);
  ~SqliteDatasetUpload() override;

  absl::Status Append(const DatasetRows& rows) override;
  absl::StatusOr<v1::Dataset> Commit(const v1::Dataset& dataset) override;

 private:
  SqliteDatasetUpload(const v1::DatasetHeader& header, SqliteDatabase& database,
                      const SqliteQuotas& quotas, const Clock& clock);

  absl::Status AppendPieces(DatasetRows rows);
  absl::Status WriteBuffer(SqliteConnection& connection);
  absl::Status CheckComplete(const v1::Dataset& dataset) const;

  SqliteDatabase& database_;
  const SqliteQuotas& quotas_;
  const Clock& clock_;
  const std::string name_;
  const std::string request_id_;
  const bool weighted_;
  const int64_t row_bytes_;
  const int64_t rows_per_piece_;
  int64_t id_ = 0;
  bool named_ = false;   // Commit has made it visible
  absl::Status failed_;  // the error after which rows are missing

  int64_t written_rows_ = 0;  // in pieces in the database
  std::string features_;      // buffered rows
  std::vector<int32_t> labels_;
  std::vector<float> weights_;
};

}  // namespace mlp
