// Copies the log into the database file in the background, so that no writer waits for it.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include <absl/base/thread_annotations.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>

#include "server/store/sqlite_connection.h"

namespace mlp {

// A thread and a connection of its own. Thread-safe.
class WalCheckpointer {
 public:
  // Errors as of SqliteStatus.
  static absl::StatusOr<std::unique_ptr<WalCheckpointer>> Start(const std::string& path);
  // As by Stop.
  ~WalCheckpointer();

  // Asks for a checkpoint of what is committed now, and returns at once.
  void Request();
  // Returns when such a checkpoint has ended. Where nobody writes or reads meanwhile, the next
  // write begins the log anew.
  void RequestAndWait();
  // Returns when a checkpoint that runs has ended; there will be no other one.
  void Stop();
  // A flush of a checkpoint has failed: see SqliteConnection::flush_failed.
  bool flush_failed() const;

 private:
  explicit WalCheckpointer(std::unique_ptr<SqliteConnection> connection);
  void Run();

  mutable absl::Mutex mutex_;
  int requested_ ABSL_GUARDED_BY(mutex_) = 0;
  int done_ ABSL_GUARDED_BY(mutex_) = 0;  // the request that the last checkpoint was begun after
  bool flush_failed_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  const std::unique_ptr<SqliteConnection> connection_;  // of the thread alone
  std::thread thread_;
};

}  // namespace mlp
