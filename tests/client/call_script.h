// What befalls the calls of the fake server: they are counted, and may fail or hang.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

namespace mlp {

// Thread-safe.
class CallScript {
 public:
  // The next `times` calls of `what` end in `status`.
  void FailNext(const std::string& what, int times, const grpc::Status& status);
  // Calls of `what` wait until their client gives up.
  void Hang(const std::string& what);
  int calls(const std::string& what) const;

  // Counts a call; returns how it fails, or OK once it may go on.
  grpc::Status Begin(const std::string& what, grpc::ServerContext* context);

 private:
  mutable absl::Mutex mutex_;
  mutable std::map<std::string, int> calls_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::vector<grpc::Status>> failures_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> hanging_ ABSL_GUARDED_BY(mutex_);
};

// Waits until `condition` holds, or the caller of `context` is gone: false.
bool AwaitWhileWanted(absl::Mutex& mutex, const absl::Condition& condition,
                      grpc::ServerContext* context) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

}  // namespace mlp
