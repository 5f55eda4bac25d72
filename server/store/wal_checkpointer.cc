#include "server/store/wal_checkpointer.h"

#include <utility>

#include "core/base/status_macros.h"

namespace mlp {

absl::StatusOr<std::unique_ptr<WalCheckpointer>> WalCheckpointer::Start(const std::string& path) {
  MLP_ASSIGN_OR_RETURN(std::unique_ptr<SqliteConnection> connection, SqliteConnection::Open(path));
  MLP_RETURN_IF_ERROR(connection->Execute("PRAGMA synchronous = FULL;"));
  // A connection looks at the database, and at its log, when it is first read from.
  MLP_RETURN_IF_ERROR(connection->QueryInt("PRAGMA user_version").status());
  return std::unique_ptr<WalCheckpointer>(new WalCheckpointer(std::move(connection)));
}

WalCheckpointer::WalCheckpointer(std::unique_ptr<SqliteConnection> connection)
    : connection_(std::move(connection)), thread_([this] { Run(); }) {}

WalCheckpointer::~WalCheckpointer() { Stop(); }

void WalCheckpointer::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void WalCheckpointer::Request() {
  absl::MutexLock lock(&mutex_);
  ++requested_;
}

void WalCheckpointer::RequestAndWait() {
  absl::MutexLock lock(&mutex_);
  const int request = ++requested_;
  const auto done = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return done_ >= request; };
  mutex_.Await(absl::Condition(&done));
}

bool WalCheckpointer::flush_failed() const {
  absl::MutexLock lock(&mutex_);
  return flush_failed_;
}

void WalCheckpointer::Run() {
  absl::MutexLock lock(&mutex_);
  const auto wanted = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || requested_ > done_;
  };
  while (true) {
    mutex_.Await(absl::Condition(&wanted));
    if (stopping_) return;
    const int request = requested_;
    mutex_.Unlock();
    // What cannot be copied now is copied later, or by the recovery of the next start.
    connection_->Checkpoint().IgnoreError();
    mutex_.Lock();
    done_ = request;
    flush_failed_ = connection_->flush_failed();
  }
}

}  // namespace mlp
