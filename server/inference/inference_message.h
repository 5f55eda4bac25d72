// A request as one protocol's message: read from bytes, answered as bytes. What is left to the
// service that carries the bytes is who waits for the answer.
#pragma once

#include <string>

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include "server/inference/inference_request.h"

namespace mlp {

class InferenceMessage;

// Who waits for the answer to a message. Thread-safe.
class InferenceCaller {
 public:
  virtual ~InferenceCaller() = default;
  // See InferenceRequest::Waiting.
  virtual absl::Status Waiting() const = 0;
  // See InferenceRequest::Finish.
  virtual void Answered(InferenceMessage& message, const absl::Status& status) = 0;
};

// Used again for the next message, so that its memory is too. Thread-compatible but for what
// InferenceRequest says.
class InferenceMessage : public InferenceRequest {
 public:
  // Reads the whole of `in`. May keep pointers into its buffers, which stay valid until Clear.
  // INVALID_ARGUMENT where it is no such message.
  virtual absl::Status Parse(google::protobuf::io::ZeroCopyInputStream& in) = 0;

  // What can be said against a message that was read, before its model is known. Called once, after
  // Parse.
  virtual absl::Status Check() { return absl::OkStatus(); }

  // The response's bytes, appended to `out`. After Finish(status); an error only where the protocol
  // has answers that carry errors.
  virtual void AppendResponse(const absl::Status& status, std::string& out) = 0;

  // How long the caller wants to wait by the message itself; infinite where it does not say.
  virtual absl::Duration timeout() const { return absl::InfiniteDuration(); }

  // Forgets the message, and gives back memory that only large ones need.
  virtual void Clear() = 0;

  // Outlives the message. Set before it is submitted.
  void set_caller(InferenceCaller& caller) { caller_ = &caller; }
  // Time since the clock's start after which nobody waits any more; infinite: never.
  void set_deadline(absl::Duration deadline) { deadline_ = deadline; }

  absl::Status Waiting() const final;
  void Finish(const absl::Status& status) final { caller_->Answered(*this, status); }

 private:
  InferenceCaller* caller_ = nullptr;
  absl::Duration deadline_ = absl::InfiniteDuration();
};

}  // namespace mlp
