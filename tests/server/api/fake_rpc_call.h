// A caller that sends what a test gave it and keeps what it gets. Without a server.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>
#include <google/protobuf/message_lite.h>

#include "server/rpc/method_table.h"

namespace mlp::testing {

// Thread-compatible.
class FakeRpcCall final : public RpcCall {
 public:
  void Send(const google::protobuf::MessageLite& message) {
    requests_.push_back(message.SerializeAsString());
  }
  // After each message that was written, with how many there are now: the test's next step.
  void OnWrite(std::function<void(size_t)> on_write) { on_write_ = std::move(on_write); }
  // Asked at each Cancelled.
  void OnCancelled(std::function<bool()> on_cancelled) { on_cancelled_ = std::move(on_cancelled); }
  // Takes no more messages.
  void Leave() { gone_ = true; }

  absl::StatusOr<bool> Read(google::protobuf::MessageLite& message) override {
    if (next_ == requests_.size()) return false;
    if (message.ParseFromString(requests_[next_++])) return true;
    return absl::InvalidArgumentError("no such message");
  }
  bool Write(const google::protobuf::MessageLite& message) override {
    if (gone_) return false;
    responses_.push_back(message.SerializeAsString());
    if (on_write_) on_write_(responses_.size());
    return true;
  }
  void WriteLast(const google::protobuf::MessageLite& message) override { Write(message); }
  bool Cancelled() const override { return gone_ || (on_cancelled_ && on_cancelled_()); }

  template <typename T>
  std::vector<T> Responses() const {
    std::vector<T> responses(responses_.size());
    for (size_t i = 0; i < responses_.size(); ++i) responses[i].ParseFromString(responses_[i]);
    return responses;
  }

 private:
  std::vector<std::string> requests_;
  size_t next_ = 0;
  std::vector<std::string> responses_;
  std::function<void(size_t)> on_write_;
  std::function<bool()> on_cancelled_;
  bool gone_ = false;
};

}  // namespace mlp::testing
