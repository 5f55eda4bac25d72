// Serves the text of the metrics over HTTP.
//
// Through cpp-httplib, not prometheus-cpp's own exposer: that one's web server gives its threads
// 100 KiB of stack, less than the thread-local memory of OpenBLAS and Ceres takes (docs/adr/0002).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

namespace mlp {

// Thread-safe.
class MetricsEndpoint {
 public:
  // Answers GET /metrics on `address` (HOST:PORT, port 0 takes a free one) with what `text` gives.
  // INVALID_ARGUMENT: not of that form. FAILED_PRECONDITION: it cannot be listened on.
  static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Listen(absl::string_view address,
                                                                 std::function<std::string()> text);

  // Ends the answers in progress (at most a second) and the threads.
  ~MetricsEndpoint();
  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;

  // HOST:PORT as really listened on.
  const std::string& address() const;

 private:
  struct State;
  explicit MetricsEndpoint(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace mlp
