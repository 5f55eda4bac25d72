// Datasets in SQLite: records in `datasets`, rows in `dataset_pieces`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/types/span.h>

#include "core/base/clock.h"
#include "core/data/dataset.h"
#include "server/store/sqlite_database.h"
#include "server/store/sqlite_quotas.h"
#include "server/store/store.h"

namespace mlp {

struct StoredDataset {
  int64_t id = 0;
  std::string request_id;  // empty: none
  v1::Dataset record;
};

// Inside a transaction of the caller's. NOT_FOUND, DATA_LOSS.
absl::StatusOr<StoredDataset> FindDataset(SqliteConnection& connection, absl::string_view name);
absl::StatusOr<StoredDataset> FindDatasetWithRequestId(SqliteConnection& connection,
                                                       absl::string_view request_id);

// Deletes a dataset that has no name: its pieces in small transactions, so that nobody waits long
// for the writer, then its row.
absl::Status PurgeDataset(SqliteDatabase& database, int64_t id);

// The dataset part of Store: see there. Thread-safe. All arguments outlive it.
class SqliteDatasets {
 public:
  SqliteDatasets(SqliteDatabase& database, const SqliteQuotas& quotas, const Clock& clock)
      : database_(database), quotas_(quotas), clock_(clock) {}

  // Deletes what uploads and deletions that were cut off left behind. Before anything else is
  // called.
  absl::Status Purge();

  absl::StatusOr<std::unique_ptr<DatasetUpload>> BeginUpload(const v1::DatasetHeader& header);
  absl::StatusOr<v1::Dataset> FindByRequest(absl::string_view request_id);
  absl::StatusOr<v1::Dataset> Get(absl::string_view name);
  absl::StatusOr<Page<v1::Dataset>> List(const PageRequest& page);
  absl::Status Delete(absl::string_view name);

  // sqlite_dataset_rows.cc
  absl::StatusOr<Dataset> Read(absl::string_view name);
  absl::StatusOr<Dataset> ReadRows(absl::string_view name, absl::Span<const int64_t> rows);
  absl::StatusOr<std::vector<int32_t>> ReadLabels(absl::string_view name);

 private:
  SqliteDatabase& database_;
  const SqliteQuotas& quotas_;
  const Clock& clock_;
};

}  // namespace mlp
