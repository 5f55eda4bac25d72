#include "tests/server/rpc/rpc_test_server.h"

#include <chrono>
#include <optional>

#include <absl/strings/str_cat.h>
#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include "server/rpc/blocking_server.h"
#include "server/rpc/poller.h"
#include "server/rpc/worker_pool.h"

namespace mlp {

struct RpcTestServer::State {
  explicit State(Metrics& metrics) : methods(metrics) {}

  MethodTable methods;
  WorkerPool workers{{}};
  std::optional<Poller> poller;
  std::optional<BlockingServer> blocking;
  std::unique_ptr<grpc::Server> server;
  std::string address;
};

RpcTestServer::RpcTestServer(RpcService& service, Metrics& metrics)
    : state_(std::make_unique<State>(metrics)) {
  service.AddTo(state_->methods);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  state_->poller.emplace(builder);
  state_->blocking.emplace(state_->methods, state_->workers, *state_->poller, builder);
  state_->server = builder.BuildAndStart();
  state_->blocking->Start();
  state_->poller->Start([] { return absl::InfiniteDuration(); });
  state_->address = absl::StrCat("127.0.0.1:", port);
}

RpcTestServer::~RpcTestServer() {
  state_->server->Shutdown(std::chrono::system_clock::now());
  state_->workers.Stop();
  state_->poller->Stop();
}

const std::string& RpcTestServer::address() const { return state_->address; }

}  // namespace mlp
