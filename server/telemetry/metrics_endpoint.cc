#include "server/telemetry/metrics_endpoint.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <httplib.h>
#include <sys/socket.h>

#include <thread>
#include <utility>

namespace mlp {
namespace {

constexpr int kThreads = 2;
// A client that connects and says nothing is cut off after this time.
constexpr time_t kTimeoutSeconds = 1;

// Lets a restarted server listen at once, but, unlike httplib's default, never two at the same time.
void ReuseAddress(socket_t socket) {
  const int yes = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
}

}  // namespace

struct MetricsEndpoint::State {
  httplib::Server server;
  std::string address;
  std::thread thread;
};

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Listen(
    absl::string_view address, std::function<std::string()> text) {
  const size_t colon = address.rfind(':');
  int port = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(address.substr(colon + 1), &port) ||
      port < 0 || port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("metrics address: expected HOST:PORT, got ", address));
  }
  const std::string host(address.substr(0, colon));

  auto state = std::make_unique<State>();
  httplib::Server& server = state->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server.set_socket_options(ReuseAddress);
  server.set_read_timeout(kTimeoutSeconds);
  server.set_write_timeout(kTimeoutSeconds);
  server.set_keep_alive_timeout(kTimeoutSeconds);
  server.set_payload_max_length(0);
  server.Get("/metrics", [text = std::move(text)](const httplib::Request&, httplib::Response& out) {
    out.set_content(text(), "text/plain; version=0.0.4; charset=utf-8");
  });
  const int bound = port == 0 ? server.bind_to_any_port(host.c_str())
                              : (server.bind_to_port(host.c_str(), port) ? port : -1);
  if (bound < 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("metrics address: cannot listen on ", address,
                     " (expected HOST:PORT of this machine, not in use)"));
  }
  state->address = absl::StrCat(host, ":", bound);
  state->thread = std::thread([&server] { server.listen_after_bind(); });
  return std::unique_ptr<MetricsEndpoint>(new MetricsEndpoint(std::move(state)));
}

MetricsEndpoint::MetricsEndpoint(std::unique_ptr<State> state) : state_(std::move(state)) {}

MetricsEndpoint::~MetricsEndpoint() {
  // stop() before the thread got to listen would be lost.
  while (!state_->server.is_running()) std::this_thread::yield();
  state_->server.stop();
  state_->thread.join();
}

const std::string& MetricsEndpoint::address() const { return state_->address; }

}  // namespace mlp
