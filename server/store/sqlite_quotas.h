// Limits on what is stored, checked in the transaction that would exceed them.
#pragma once

#include <cstdint>

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/strings/string_view.h>
#include <absl/synchronization/mutex.h>

#include "server/store/sqlite_connection.h"
#include "server/store/store.h"

namespace mlp {

// Thread-safe. The checks run inside a transaction of the caller's, before what they allow is
// written: RESOURCE_EXHAUSTED names the quota.
class SqliteQuotas {
 public:
  void Set(const StoreQuotas& quotas);

  // For one dataset more.
  absl::Status CheckDatasets(SqliteConnection& connection) const;
  // For one job more.
  absl::Status CheckJobs(SqliteConnection& connection) const;
  // For one version more of the model.
  absl::Status CheckVersions(SqliteConnection& connection, absl::string_view model) const;
  // For so many bytes more.
  absl::Status CheckBytes(SqliteConnection& connection, int64_t more) const;

 private:
  StoreQuotas Get() const;

  mutable absl::Mutex mutex_;
  StoreQuotas quotas_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mlp
