// How the calls of a load reach the server: unary, or on one stream.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/time/time.h>

namespace grpc {
class Channel;
}

namespace mlp {

struct CallAnswer {
  int slot = 0;
  absl::StatusCode code = absl::StatusCode::kOk;
  // Of the serialized message.
  int64_t bytes = 0;
};

// Carries up to a fixed number of calls at a time, each in a slot, over one connection.
// Thread-safe, but each slot is one caller's until it is answered.
class CallTransport {
 public:
  virtual ~CallTransport() = default;

  // Sends request number `request` of those the transport was made with. Never waits. The answer
  // comes on the transport's own thread, which may start the next call. False where the connection
  // is gone for good or Cancel was called: there is no answer then.
  virtual bool Start(int slot, size_t request) = 0;

  // Every call outstanding is soon answered, with CANCELLED where it has no other answer.
  virtual void Cancel() = 0;
};

struct TransportOptions {
  std::shared_ptr<grpc::Channel> channel;
  int slots = 1;
  // Serialized PredictRequests; they must outlive the transport.
  const std::vector<std::string>* requests = nullptr;
  // Of each call; infinite means none.
  absl::Duration deadline = absl::InfiniteDuration();
  // Never called after the transport's destructor.
  std::function<void(const CallAnswer&)> on_answer;
};

// Predict.
std::unique_ptr<CallTransport> MakeUnaryTransport(TransportOptions options);
// StreamPredict.
std::unique_ptr<CallTransport> MakeStreamTransport(TransportOptions options);

}  // namespace mlp
