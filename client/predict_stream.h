// StreamPredict as a pair of calls: Send on one side, Receive on the other.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include "mlp/v1/prediction.pb.h"

namespace grpc {
class Channel;
}

namespace mlp {

struct PredictStreamOptions {
  // Requests that were sent and whose answer Receive has not returned yet; at least 1. It bounds
  // the memory of both sides. Below the server's max_queued_requests it is never refused for that.
  int max_outstanding = 64;
};

// One call of StreamPredict: requests go out without waiting for the answers to earlier ones. Each
// is answered once, under its id, not always in order. A request that fails leaves the stream open.
// Nothing is repeated: a stream that broke is replaced by a new one, to which Unanswered says what
// to send again.
//
//   auto stream = client.OpenPredictStream({.max_outstanding = 256});
//   std::thread sender([&] {
//     for (int64_t id = 0; id < n && stream->Send(id, request(id)).ok(); ++id) {}
//     stream->DoneSending();
//   });
//   while (true) {
//     const auto answer = stream->Receive();
//     if (!answer.ok() || !*answer) break;  // broken, or all answered
//     use((*answer)->id, (*answer)->response);
//   }
//
// One thread alone sends with TrySend, and receives whenever that would wait. Thread-safe.
class PredictStream {
 public:
  struct Answer {
    int64_t id = 0;
    // The error is what Predict would have returned for this request.
    absl::StatusOr<v1::PredictResponse> response;
    // When to send it again, where the model's queue was full (RESOURCE_EXHAUSTED); otherwise 0.
    absl::Duration retry_delay;
  };

  // Cancels what is not answered.
  ~PredictStream();

  // Sends one request, first waiting while max_outstanding are outstanding. `id` is any number, but
  // unique among those outstanding. The server drops the request `timeout` after its arrival, with
  // DEADLINE_EXCEEDED as its answer; at most an hour, infinite means never. INVALID_ARGUMENT for an
  // id that is outstanding, FAILED_PRECONDITION after DoneSending; otherwise the error that ended
  // the stream, as from Receive. OK does not mean that the server has it yet.
  absl::Status Send(int64_t id, const v1::PredictRequest& request,
                    absl::Duration timeout = absl::InfiniteDuration());
  // The same without the wait: false where Send would wait.
  absl::StatusOr<bool> TrySend(int64_t id, const v1::PredictRequest& request,
                               absl::Duration timeout = absl::InfiniteDuration());
  // No more requests: Receive will end.
  void DoneSending();

  // Waits for the next answer. Nothing where there will be none: DoneSending was called and all are
  // answered. UNAVAILABLE where the connection broke or the server ended the stream, CANCELLED
  // after Cancel; the answers that had come before are returned first.
  absl::StatusOr<std::optional<Answer>> Receive();

  // The ids that were sent and not answered, in order. Once Receive has returned an error: what was
  // lost. The server may have computed some of them.
  std::vector<int64_t> Unanswered() const;

  // Ends the stream without its answers, and wakes Send and Receive.
  void Cancel();

 private:
  class Impl;
  explicit PredictStream(std::unique_ptr<Impl> impl);
  friend std::unique_ptr<PredictStream> OpenPredictStream(std::shared_ptr<grpc::Channel> channel,
                                                          const PredictStreamOptions& options);

  const std::unique_ptr<Impl> impl_;
};

// What Client::OpenPredictStream is made of.
std::unique_ptr<PredictStream> OpenPredictStream(std::shared_ptr<grpc::Channel> channel,
                                                 const PredictStreamOptions& options);

}  // namespace mlp
