#include <utility>

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include "client/load/call_transport.h"
#include "client/pipelined_stream.h"
#include "mlp/v1/prediction.pb.h"

namespace mlp {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

constexpr uint32_t Key(int field, WireFormatLite::WireType type) {
  return WireFormatLite::MakeTag(field, type);
}

// All of a StreamPredictRequest but the bytes of its request, which come behind.
std::string Prefix(int64_t id, int64_t timeout_us, size_t request_bytes) {
  std::string prefix;
  {
    google::protobuf::io::StringOutputStream stream(&prefix);
    CodedOutputStream out(&stream);
    out.WriteTag(Key(v1::StreamPredictRequest::kIdFieldNumber, WireFormatLite::WIRETYPE_VARINT));
    out.WriteVarint64(static_cast<uint64_t>(id));
    out.WriteTag(
        Key(v1::StreamPredictRequest::kTimeoutUsFieldNumber, WireFormatLite::WIRETYPE_VARINT));
    out.WriteVarint64(static_cast<uint64_t>(timeout_us));
    out.WriteTag(Key(v1::StreamPredictRequest::kRequestFieldNumber,
                     WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
    out.WriteVarint64(request_bytes);
  }
  return prefix;
}

// Reads id and code of a StreamPredictResponse, and passes over the answer itself. False where the
// message is damaged.
bool ReadAnswer(grpc::ByteBuffer& message, int64_t& id, absl::StatusCode& code) {
  grpc::ProtoBufferReader reader(&message);
  CodedInputStream in(&reader);
  id = 0;
  code = absl::StatusCode::kInternal;  // neither answer nor error
  while (const uint32_t tag = in.ReadTag()) {
    uint64_t number = 0;
    std::string bytes;
    switch (WireFormatLite::GetTagFieldNumber(tag)) {
      case v1::StreamPredictResponse::kIdFieldNumber:
        if (!in.ReadVarint64(&number)) return false;
        id = static_cast<int64_t>(number);
        break;
      case v1::StreamPredictResponse::kErrorFieldNumber: {
        v1::PredictError error;
        if (!WireFormatLite::ReadBytes(&in, &bytes) || !error.ParseFromString(bytes)) return false;
        code = static_cast<absl::StatusCode>(error.code());
        break;
      }
      default:
        if (WireFormatLite::GetTagFieldNumber(tag) ==
            v1::StreamPredictResponse::kResponseFieldNumber) {
          code = absl::StatusCode::kOk;
        }
        if (!WireFormatLite::SkipField(&in, tag)) return false;
    }
  }
  return in.ConsumedEntireMessage();
}

// The slot's number is the request's id.
class StreamTransport final : public CallTransport {
 public:
  explicit StreamTransport(TransportOptions options)
      : options_(std::move(options)),
        prefixes_(static_cast<size_t>(options_.slots)),
        outstanding_(static_cast<size_t>(options_.slots), false) {
    const int64_t timeout_us = options_.deadline == absl::InfiniteDuration()
                                   ? 0
                                   : absl::ToInt64Microseconds(options_.deadline);
    for (const std::string& request : *options_.requests) {
      requests_.emplace_back(request.data(), request.size(), grpc::Slice::STATIC_SLICE);
      for (int slot = 0; slot < options_.slots; ++slot) {
        prefixes_[static_cast<size_t>(slot)].emplace_back(Prefix(slot, timeout_us, request.size()));
      }
    }
    stream_ = std::make_unique<PipelinedStream>(
        options_.channel, kMethod,
        StreamEvents{.on_message = [this](grpc::ByteBuffer& message) { OnMessage(message); },
                     .on_end = [this](const grpc::Status& status) { OnEnd(status); }});
  }

  bool Start(int slot, size_t request) override {
    const auto index = static_cast<size_t>(slot);
    {
      absl::MutexLock lock(&mutex_);
      if (ended_) return false;
      outstanding_[index] = true;
    }
    const grpc::Slice slices[] = {prefixes_[index][request], requests_[request]};
    // Where the stream has just ended, OnEnd answers for it.
    stream_->Send(grpc::ByteBuffer(slices, 2));
    return true;
  }

  void Cancel() override { stream_->Cancel(); }

 private:
  void OnMessage(grpc::ByteBuffer& message) {
    CallAnswer answer = {.bytes = static_cast<int64_t>(message.Length())};
    int64_t id = 0;
    bool known = ReadAnswer(message, id, answer.code) && id >= 0 && id < options_.slots;
    if (known) {
      absl::MutexLock lock(&mutex_);
      known = outstanding_[static_cast<size_t>(id)];
      outstanding_[static_cast<size_t>(id)] = false;
    }
    if (!known) {
      stream_->Cancel();  // an answer to nothing: no figure could be trusted
      return;
    }
    answer.slot = static_cast<int>(id);
    options_.on_answer(answer);
  }

  void OnEnd(const grpc::Status& status) {
    std::vector<bool> unanswered;
    {
      absl::MutexLock lock(&mutex_);
      ended_ = true;
      unanswered.swap(outstanding_);
    }
    for (size_t slot = 0; slot < unanswered.size(); ++slot) {
      if (!unanswered[slot]) continue;
      options_.on_answer({.slot = static_cast<int>(slot),
                          .code = status.ok()
                                      ? absl::StatusCode::kUnavailable
                                      : static_cast<absl::StatusCode>(status.error_code())});
    }
  }

  static constexpr char kMethod[] = "/mlp.v1.PredictionService/StreamPredict";

  const TransportOptions options_;
  std::vector<grpc::Slice> requests_;
  // [slot][request].
  std::vector<std::vector<grpc::Slice>> prefixes_;
  absl::Mutex mutex_;
  std::vector<bool> outstanding_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  // Last: its thread uses the others until it is gone. Set before any call is started.
  std::unique_ptr<PipelinedStream> stream_;
};

}  // namespace

std::unique_ptr<CallTransport> MakeStreamTransport(TransportOptions options) {
  return std::make_unique<StreamTransport>(std::move(options));
}

}  // namespace mlp
