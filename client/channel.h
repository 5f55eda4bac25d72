// The connection to one mlpd.
#pragma once

#include <memory>

namespace grpc {
class Channel;
}

namespace mlp {

struct ClientOptions;

// A channel of its own: connections are never shared between two of them. Does not connect yet.
std::shared_ptr<grpc::Channel> MakeChannel(const ClientOptions& options);

}  // namespace mlp
