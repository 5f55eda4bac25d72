#include "server/telemetry/metrics_endpoint.h"

#include <thread>
#include <utility>

#include <absl/strings/str_cat.h>
#include <httplib.h>
#include <sys/socket.h>

#include "core/base/status_macros.h"
#include "server/address.h"

namespace mlp {
namespace {

constexpr int kThreads = 2;
// A client that connects and says nothing is cut off after this time.
constexpr time_t kTimeoutSeconds = 1;

// Lets a restarted server listen at once, but, unlike httplib's default, never two at the same
// time.
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
  MLP_ASSIGN_OR_RETURN(const Address wanted, ParseAddress("metrics-address", address));
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
  Address bound = wanted;
  if (wanted.port == 0) bound.port = server.bind_to_any_port(wanted.host);
  if (bound.port < 0 || (wanted.port != 0 && !server.bind_to_port(wanted.host, wanted.port))) {
    return absl::FailedPreconditionError(
        absl::StrCat("metrics-address: cannot listen on ", address,
                     " (expected HOST:PORT of this machine, not in use)"));
  }
  state->address = bound.ToString();
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
