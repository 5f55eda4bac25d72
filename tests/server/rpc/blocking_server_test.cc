// The blocking server over loopback with a method table of its own, called with bytes of all kinds.

#include "server/rpc/blocking_server.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <absl/synchronization/notification.h>
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "inference/grpc_service.pb.h"
#include "mlp/v1/model.pb.h"

namespace mlp {
namespace {

using ::testing::HasSubstr;

constexpr int kThreads = 3;
constexpr auto kLong = std::chrono::seconds(20);

class BlockingServerTest : public ::testing::Test {
 protected:
  BlockingServerTest() {
    Add("Echo", [](RpcCall& call) {
      v1::Model model;
      const absl::Status read = ReadRequest(call, model);
      if (read.ok()) call.WriteLast(model);
      return read;
    });
    Add("Ready", [](RpcCall& call) {
      inference::ModelReadyRequest request;
      return ReadRequest(call, request);
    });
    Add("Fail", [](RpcCall&) { return absl::NotFoundError("no such thing"); });
    Add("Throw", [](RpcCall&) -> absl::Status { throw std::runtime_error("a secret"); });
    Add("OutOfMemory", [](RpcCall&) -> absl::Status { throw std::bad_alloc(); });
    Add("Wait", [this](RpcCall&) {
      ++waiting_;
      go_on_.WaitForNotification();
      return absl::OkStatus();
    });
    Add("UntilCancelled", [this](RpcCall& call) {
      ++waiting_;
      while (!call.Cancelled()) std::this_thread::yield();
      saw_cancel_.Notify();
      return absl::CancelledError("gone");
    });
    Add("EchoAll", [](RpcCall& call) {
      v1::Model model;
      while (true) {
        const absl::StatusOr<bool> read = call.Read(model);
        if (!read.ok()) return read.status();
        if (!*read) return absl::OkStatus();
        if (!call.Write(model)) return absl::CancelledError("gone");
      }
    });
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    poller_ = std::make_unique<Poller>(builder);
    blocking_ = std::make_unique<BlockingServer>(methods_, workers_, *poller_, builder);
    server_ = builder.BuildAndStart();
    blocking_->Start();
    poller_->Start([] { return absl::InfiniteDuration(); });
    channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                   grpc::InsecureChannelCredentials());
    stub_ = std::make_unique<grpc::GenericStub>(channel_);
  }

  ~BlockingServerTest() override { Stop(); }

  void Stop() {
    if (!go_on_.HasBeenNotified()) go_on_.Notify();
    if (stopped_) return;
    stopped_ = true;
    server_->Shutdown(std::chrono::system_clock::now());
    workers_.Stop();
    poller_->Stop();
  }

  void Add(const char* method, RpcHandler handler) {
    methods_.Add("test.Service", method, std::move(handler));
  }

  static grpc::ByteBuffer Bytes(const std::string& bytes) {
    const grpc::Slice slice(bytes);
    return grpc::ByteBuffer(&slice, 1);
  }

  static std::string Text(const grpc::ByteBuffer& buffer) {
    std::vector<grpc::Slice> slices;
    if (!buffer.Dump(&slices).ok()) return "";
    std::string text;
    for (const grpc::Slice& slice : slices) {
      text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    return text;
  }

  struct Call {
    grpc::ClientContext context;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
    grpc::ByteBuffer response;
    grpc::Status status;
  };

  // Begins a call that ends on `queue_`.
  std::unique_ptr<Call> Begin(const std::string& method, const std::string& request,
                              std::chrono::milliseconds timeout = kLong) {
    auto call = std::make_unique<Call>();
    call->context.set_deadline(std::chrono::system_clock::now() + timeout);
    call->reader =
        stub_->PrepareUnaryCall(&call->context, "/test.Service/" + method, Bytes(request), &queue_);
    call->reader->StartCall();
    call->reader->Finish(&call->response, &call->status, call.get());
    return call;
  }

  // The next call that has ended.
  Call* Next() {
    void* tag = nullptr;
    bool ok = false;
    const auto next = queue_.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + kLong);
    EXPECT_EQ(next, grpc::CompletionQueue::GOT_EVENT);
    return static_cast<Call*>(tag);
  }

  grpc::Status CallMethod(const std::string& method, const std::string& request,
                          std::string* response = nullptr) {
    const auto call = Begin(method, request);
    EXPECT_EQ(Next(), call.get());
    if (response != nullptr) *response = Text(call->response);
    return call->status;
  }

  void AwaitWaiting(int calls) {
    while (waiting_ < calls) std::this_thread::yield();
  }

  Metrics metrics_;
  MethodTable methods_{metrics_};
  WorkerPool workers_{{.max_threads = kThreads, .max_idle_threads = 1}};
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<BlockingServer> blocking_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::GenericStub> stub_;
  grpc::CompletionQueue queue_;
  std::atomic<int> waiting_ = 0;
  absl::Notification go_on_;
  absl::Notification saw_cancel_;
  bool stopped_ = false;
};

TEST_F(BlockingServerTest, AnswersWithTheHandlersResponse) {
  v1::Model model;
  model.set_name("m");
  std::string response;
  ASSERT_TRUE(CallMethod("Echo", model.SerializeAsString(), &response).ok());
  EXPECT_EQ(response, model.SerializeAsString());
}

TEST_F(BlockingServerTest, UnknownMethodsAreUnimplemented) {
  EXPECT_EQ(CallMethod("Nothing", "").error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_TRUE(CallMethod("Echo", "").ok());
}

TEST_F(BlockingServerTest, BytesThatAreNoMessageAreInvalid) {
  const grpc::Status status = CallMethod("Echo", "\xFF\xFF\xFF");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("request: not a mlp.v1.Model message"));
  EXPECT_THAT(CallMethod("Ready", "\xFF\xFF\xFF").error_message(),
              HasSubstr("request: not an inference.ModelReadyRequest message"));
}

TEST_F(BlockingServerTest, ErrorsKeepTheirCodeAndMessage) {
  const grpc::Status status = CallMethod("Fail", "");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "no such thing");
}

TEST_F(BlockingServerTest, ExceptionsAreInternalErrorsThatTellNothing) {
  const grpc::Status thrown = CallMethod("Throw", "");
  EXPECT_EQ(thrown.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(thrown.error_message(), "internal error");
  EXPECT_EQ(CallMethod("OutOfMemory", "").error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(CallMethod("Echo", "").ok());
}

TEST_F(BlockingServerTest, RefusesMoreCallsThanThreadsWithARetryDelay) {
  std::vector<std::unique_ptr<Call>> held;
  for (int i = 0; i < kThreads; ++i) held.push_back(Begin("Wait", ""));
  AwaitWaiting(kThreads);
  const auto refused = Begin("Echo", "");
  EXPECT_EQ(Next(), refused.get());
  EXPECT_EQ(refused->status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused->status.error_details(), HasSubstr("google.rpc.RetryInfo"));
  go_on_.Notify();
  for (int i = 0; i < kThreads; ++i) EXPECT_TRUE(Next()->status.ok());
}

TEST_F(BlockingServerTest, HandlersSeeThatTheDeadlinePassed) {
  const auto call = Begin("UntilCancelled", "", std::chrono::milliseconds(50));
  EXPECT_EQ(Next(), call.get());
  EXPECT_EQ(call->status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  saw_cancel_.WaitForNotification();
}

TEST_F(BlockingServerTest, HandlersSeeThatTheCallerCancelled) {
  const auto call = Begin("UntilCancelled", "");
  AwaitWaiting(1);
  call->context.TryCancel();
  EXPECT_EQ(Next(), call.get());
  EXPECT_EQ(call->status.error_code(), grpc::StatusCode::CANCELLED);
  saw_cancel_.WaitForNotification();
}

TEST_F(BlockingServerTest, StreamsManyMessagesBothWays) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kLong);
  const auto stream = stub_->PrepareCall(&context, "/test.Service/EchoAll", &queue_);
  const auto succeeded = [this] {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  };
  stream->StartCall(nullptr);
  ASSERT_TRUE(succeeded());
  for (int i = 0; i < 200; ++i) {
    v1::Model model;
    model.set_latest_version(i + 1);
    stream->Write(Bytes(model.SerializeAsString()), nullptr);
    ASSERT_TRUE(succeeded());
    grpc::ByteBuffer answer;
    stream->Read(&answer, nullptr);
    ASSERT_TRUE(succeeded());
    ASSERT_EQ(Text(answer), model.SerializeAsString());
  }
  stream->WritesDone(nullptr);
  ASSERT_TRUE(succeeded());
  grpc::Status status;
  stream->Finish(&status, nullptr);
  ASSERT_TRUE(succeeded());
  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST_F(BlockingServerTest, ShutsDownWithCallsInProgress) {
  std::vector<std::unique_ptr<Call>> calls;
  calls.push_back(Begin("UntilCancelled", ""));
  calls.push_back(Begin("Wait", ""));
  AwaitWaiting(2);
  Stop();
  for (size_t i = 0; i < calls.size(); ++i) Next();
  EXPECT_FALSE(calls[0]->status.ok());
  EXPECT_TRUE(saw_cancel_.HasBeenNotified());
}

}  // namespace
}  // namespace mlp
