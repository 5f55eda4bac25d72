// The RPC methods that may wait (for the store, for a training job, for their caller): each one a
// function over plain messages, found by its name on the wire. Filled by the services of
// server/api, served by BlockingServer. Knows nothing of gRPC.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <google/protobuf/message_lite.h>

#include "server/telemetry/metrics.h"

namespace mlp {

// One call under way, on a thread of its own that may block. Thread-compatible; Cancelled is
// thread-safe.
class RpcCall {
 public:
  virtual ~RpcCall() = default;

  // The caller's next message; false at the end of them, which is also what a caller that went away
  // looks like. INVALID_ARGUMENT where the bytes are no such message.
  virtual absl::StatusOr<bool> Read(google::protobuf::MessageLite& message) = 0;
  // False where the caller is gone. Waits while the caller is slow.
  virtual bool Write(const google::protobuf::MessageLite& message) = 0;
  // Keeps the last message, to be sent together with the end of the call; none is sent where that
  // is an error.
  virtual void WriteLast(const google::protobuf::MessageLite& message) = 0;
  // The caller has gone or its deadline has passed.
  virtual bool Cancelled() const = 0;
};

// The one message of a caller that sends one. INVALID_ARGUMENT where there is none.
absl::Status ReadRequest(RpcCall& call, google::protobuf::MessageLite& request);

using RpcHandler = std::function<absl::Status(RpcCall&)>;

struct RpcMethod {
  RpcHandler handler;
  RpcMetrics* metrics;
};

// Filled first, then read: thread-safe once it is const.
class MethodTable {
 public:
  // `metrics` outlives it.
  explicit MethodTable(Metrics& metrics) : metrics_(metrics) {}

  // "mlp.v1.ModelService", "GetModel". Each method once.
  void Add(absl::string_view service, absl::string_view method, RpcHandler handler);

  // One request, one response: absl::Status Service::Handler(const Request&, Response&), or the
  // same with the call before them, for handlers that ask whether it was cancelled. `self` outlives
  // the table.
  template <typename Service, typename Request, typename Response>
  void AddUnary(absl::string_view service, absl::string_view method, Service* self,
                absl::Status (Service::*handler)(const Request&, Response&)) {
    Add(service, method, [self, handler](RpcCall& call) {
      return Answer<Request, Response>(call, [&](const Request& request, Response& response) {
        return (self->*handler)(request, response);
      });
    });
  }
  template <typename Service, typename Request, typename Response>
  void AddUnary(absl::string_view service, absl::string_view method, Service* self,
                absl::Status (Service::*handler)(const RpcCall&, const Request&, Response&)) {
    Add(service, method, [self, handler](RpcCall& call) {
      return Answer<Request, Response>(call, [&](const Request& request, Response& response) {
        return (self->*handler)(call, request, response);
      });
    });
  }

  // "/mlp.v1.ModelService/GetModel"; null where there is no such method.
  const RpcMethod* Find(absl::string_view path) const;

 private:
  template <typename Request, typename Response, typename Handler>
  static absl::Status Answer(RpcCall& call, const Handler& handler) {
    Request request;
    absl::Status status = ReadRequest(call, request);
    if (!status.ok()) return status;
    Response response;
    status = handler(request, response);
    if (status.ok()) call.WriteLast(response);
    return status;
  }

  Metrics& metrics_;
  absl::flat_hash_map<std::string, RpcMethod> methods_;
};

// A service: some methods of a table.
class RpcService {
 public:
  virtual ~RpcService() = default;
  // The service outlives `table`.
  virtual void AddTo(MethodTable& table) = 0;
};

}  // namespace mlp
