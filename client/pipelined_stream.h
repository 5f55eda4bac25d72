// The transport under PredictStream and mlpctl bench: a bidirectional gRPC stream of serialized
// messages, written as fast as they come.
#pragma once

#include <functional>
#include <memory>

namespace grpc {
class ByteBuffer;
class Channel;
class Status;
}  // namespace grpc

namespace mlp {

// What the stream's own thread tells. Neither may destroy the stream.
struct StreamEvents {
  // Each message from the server, in order.
  std::function<void(grpc::ByteBuffer& message)> on_message;
  // Once, after the last message: how the call ended.
  std::function<void(const grpc::Status& status)> on_end;
};

// One call, from its making to its end, on one thread and one completion queue of its own. Messages
// that are sent while another one is being written wait, as do those that on_message sends while
// more messages are ready to be read; then they go out together: each but the last carries gRPC's
// hint that more follows, so that many share one write to the socket. The wait has no bound of its
// own: the caller bounds what is outstanding. Thread-safe.
class PipelinedStream {
 public:
  // `method` is a full path, "/package.Service/Method", and lives as long as the stream.
  PipelinedStream(std::shared_ptr<grpc::Channel> channel, const char* method, StreamEvents events);
  // Cancels the call where it has not ended, and waits for its thread. No event comes after.
  ~PipelinedStream();

  // Never waits. False where the call has ended or DoneSending was called: nothing is sent then.
  // True is no promise that the server gets it.
  bool Send(const grpc::ByteBuffer& message);
  // No more messages: once all are written the server is told.
  void DoneSending();
  // The call ends soon, with CANCELLED if it was not over before.
  void Cancel();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace mlp
