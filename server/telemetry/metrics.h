// The product's metrics, counted through prometheus-cpp and served as text on /metrics.
//
// All names begin with mlpd_; units are base units. The server's layers tell this class what
// happened; what can be read off them at any time (jobs by state, resident models) is asked for at
// each scrape.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include "mlp/v1/training.pb.h"

namespace mlp {

// "converged", "max_iterations", ...: the label of a stop reason.
std::string StopReasonLabel(v1::StopReason reason);

// Counts one RPC method. Thread-safe; lives as long as its Metrics.
class RpcMetrics {
 public:
  virtual ~RpcMetrics() = default;
  // "mlp.v1.DatasetService/GetDataset".
  virtual absl::string_view name() const = 0;
  virtual void Finished(absl::StatusCode code, absl::Duration latency) = 0;
};

// What a scrape reads off the running server.
struct ServerGauges {
  std::vector<int64_t> jobs_by_state;  // index = v1::JobState
  int64_t resident_models = 0;
  int64_t resident_bytes = 0;
};

// Thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The counters of one method, `service` and `method` as on the wire ("mlp.v1.DatasetService",
  // "GetDataset"); made on first use, the same object every time.
  RpcMetrics& Rpc(absl::string_view service, absl::string_view method);

  // Rows answered by Predict for an existing model.
  void RowsPredicted(absl::string_view model, int64_t rows);
  // The model was deleted: its series disappear.
  void ForgetModel(absl::string_view model);

  // A running job: accepted optimizer steps since the last call, and J now.
  void TrainingProgress(int64_t job_id, absl::string_view model, int64_t iterations, double cost);
  // The job ended: its cost disappears; jobs by stop reason and training seconds are counted.
  void TrainingEnded(int64_t job_id, v1::StopReason stop_reason, absl::Duration duration);

  // Asked at every scrape; must be thread-safe and quick. Before what it reads goes away: Close.
  void SetGauges(std::function<ServerGauges()> gauges);

  // Serves /metrics on `address` (HOST:PORT, port 0 takes a free one) until this object goes.
  // Returns the address really listened on. FAILED_PRECONDITION where it cannot listen there.
  absl::StatusOr<std::string> Expose(const std::string& address);

  // Stops serving; no scrape is under way on return. Idempotent.
  void Close();

  // What /metrics would answer now.
  std::string Text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mlp
