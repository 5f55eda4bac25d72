// One service on a real gRPC server in this process, as mlpd serves it.
#pragma once

#include <memory>
#include <string>

#include "server/rpc/method_table.h"

namespace mlp {

class RpcTestServer {
 public:
  // Both outlive it.
  RpcTestServer(RpcService& service, Metrics& metrics);
  // Cancels the calls in progress.
  ~RpcTestServer();

  const std::string& address() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace mlp
