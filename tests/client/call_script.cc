#include "tests/client/call_script.h"

namespace mlp {

void CallScript::FailNext(const std::string& what, int times, const grpc::Status& status) {
  absl::MutexLock lock(&mutex_);
  failures_[what].assign(static_cast<size_t>(times), status);
}

void CallScript::Hang(const std::string& what) {
  absl::MutexLock lock(&mutex_);
  hanging_.insert(what);
}

int CallScript::calls(const std::string& what) const {
  absl::MutexLock lock(&mutex_);
  return calls_[what];
}

grpc::Status CallScript::Begin(const std::string& what, grpc::ServerContext* context) {
  absl::MutexLock lock(&mutex_);
  ++calls_[what];
  auto& failures = failures_[what];
  if (!failures.empty()) {
    const grpc::Status status = failures.back();
    failures.pop_back();
    return status;
  }
  if (hanging_.count(what) > 0) {
    bool never = false;
    AwaitWhileWanted(mutex_, absl::Condition(&never), context);
  }
  return grpc::Status::OK;
}

bool AwaitWhileWanted(absl::Mutex& mutex, const absl::Condition& condition,
                      grpc::ServerContext* context) {
  // gRPC's synchronous server has no event for a caller that goes.
  while (!mutex.AwaitWithTimeout(condition, absl::Milliseconds(5))) {
    if (context->IsCancelled()) return false;
  }
  return true;
}

}  // namespace mlp
