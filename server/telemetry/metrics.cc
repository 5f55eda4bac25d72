#include "server/telemetry/metrics.h"

#include <array>
#include <atomic>
#include <utility>

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>
#include <absl/synchronization/mutex.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "core/base/status_macros.h"
#include "server/build_info.h"
#include "server/telemetry/metrics_endpoint.h"
#include "server/telemetry/process_metrics.h"

namespace mlp {
namespace {

// 50 microseconds to 10 seconds: a Predict of one row at the low end, an upload at the high one.
const prometheus::Histogram::BucketBoundaries kLatencyBounds = {
    5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2,
    5e-2, 0.1,  0.25,   0.5,  1,    2.5,    5,    10};

constexpr int kCodes = 17;  // absl::StatusCode and gRPC's have the same numbers, 0 to 16

// One pair of series a code, made when the code first occurs; OK at once, so that its rate works
// from the first scrape on.
class MethodMetrics final : public RpcMetrics {
 public:
  MethodMetrics(const prometheus::Labels& labels, prometheus::Family<prometheus::Counter>& requests,
                prometheus::Family<prometheus::Histogram>& latency)
      : name_(absl::StrCat(labels.at("service"), "/", labels.at("method"))),
        labels_(labels),
        requests_(requests),
        latency_(latency) {
    Code(absl::StatusCode::kOk);
  }

  absl::string_view name() const override { return name_; }

  void Finished(absl::StatusCode code, absl::Duration duration) override {
    const Series& series = Code(code);
    series.requests.Increment();
    series.latency.Observe(absl::ToDoubleSeconds(duration));
  }

 private:
  struct Series {
    prometheus::Counter& requests;
    prometheus::Histogram& latency;
  };

  const Series& Code(absl::StatusCode code) {
    const size_t index = static_cast<size_t>(code) % kCodes;
    if (const Series* series = published_[index].load(std::memory_order_acquire)) return *series;
    absl::MutexLock lock(&mutex_);
    std::unique_ptr<Series>& made = series_[index];
    if (made == nullptr) {
      prometheus::Labels labels = labels_;
      labels["code"] = absl::StatusCodeToString(code);
      made = std::make_unique<Series>(
          Series{requests_.Add(labels), latency_.Add(labels, kLatencyBounds)});
      published_[index].store(made.get(), std::memory_order_release);
    }
    return *made;
  }

  const std::string name_;
  const prometheus::Labels labels_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Histogram>& latency_;
  absl::Mutex mutex_;
  std::array<std::unique_ptr<Series>, kCodes> series_ ABSL_GUARDED_BY(mutex_);
  std::array<std::atomic<const Series*>, kCodes> published_ = {};
};

// Jobs by state and resident models, read when scraped.
class GaugeReader final : public prometheus::Collectable {
 public:
  void Set(std::function<ServerGauges()> gauges) {
    absl::MutexLock lock(&mutex_);
    gauges_ = std::move(gauges);
  }

  std::vector<prometheus::MetricFamily> Collect() const override {
    std::function<ServerGauges()> read;
    {
      absl::MutexLock lock(&mutex_);
      read = gauges_;
    }
    if (!read) return {};
    const ServerGauges gauges = read();
    prometheus::MetricFamily jobs{
        "mlpd_jobs", "Training jobs by state.", prometheus::MetricType::Gauge, {}};
    for (int state = v1::JOB_STATE_QUEUED; state <= v1::JOB_STATE_CANCELLED; ++state) {
      prometheus::ClientMetric& metric = jobs.metric.emplace_back();
      absl::string_view name = v1::JobState_Name(state);
      absl::ConsumePrefix(&name, "JOB_STATE_");
      metric.label.push_back({"state", absl::AsciiStrToLower(name)});
      const auto index = static_cast<size_t>(state);
      if (index < gauges.jobs_by_state.size()) {
        metric.gauge.value = static_cast<double>(gauges.jobs_by_state[index]);
      }
    }
    return {
        jobs,
        Single("mlpd_resident_models", "Model versions held in memory.", gauges.resident_models),
        Single("mlpd_resident_model_bytes", "Memory of the model versions held, in bytes.",
               gauges.resident_bytes)};
  }

 private:
  static prometheus::MetricFamily Single(std::string name, std::string help, int64_t value) {
    prometheus::MetricFamily family{
        std::move(name), std::move(help), prometheus::MetricType::Gauge, {}};
    family.metric.emplace_back().gauge.value = static_cast<double>(value);
    return family;
  }

  mutable absl::Mutex mutex_;
  std::function<ServerGauges()> gauges_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

struct Metrics::State {
  State()
      : requests(prometheus::BuildCounter()
                     .Name("mlpd_rpc_requests_total")
                     .Help("Finished RPCs by service, method and status code.")
                     .Register(*registry)),
        latency(prometheus::BuildHistogram()
                    .Name("mlpd_rpc_duration_seconds")
                    .Help("Time from the arrival of an RPC to its answer; of streams, their life.")
                    .Register(*registry)),
        rows(prometheus::BuildCounter()
                 .Name("mlpd_predicted_rows_total")
                 .Help("Rows answered by Predict, by model.")
                 .Register(*registry)),
        iterations(prometheus::BuildCounter()
                       .Name("mlpd_training_iterations_total")
                       .Help("Accepted optimizer steps of all jobs.")
                       .Register(*registry)
                       .Add({})),
        cost(prometheus::BuildGauge()
                 .Name("mlpd_training_cost")
                 .Help("Cost J of each running job at its newest iteration.")
                 .Register(*registry)),
        ended(prometheus::BuildCounter()
                  .Name("mlpd_jobs_ended_total")
                  .Help("Jobs that ended, by stop reason.")
                  .Register(*registry)),
        training_seconds(prometheus::BuildCounter()
                             .Name("mlpd_training_seconds_total")
                             .Help("Wall time of all ended jobs, in seconds.")
                             .Register(*registry)
                             .Add({})) {
    prometheus::BuildGauge()
        .Name("mlpd_build_info")
        .Help("Always 1; the labels say what runs.")
        .Register(*registry)
        .Add({{"version", BuildVersion()},
              {"compiler", BuildCompiler()},
              {"blas_kernel", BlasKernel()}})
        .Set(1);
    for (int reason = v1::STOP_REASON_CONVERGED; reason <= v1::StopReason_MAX; ++reason) {
      ended.Add({{"stop_reason", StopReasonLabel(static_cast<v1::StopReason>(reason))}});
    }
  }

  std::array<const prometheus::Collectable*, 3> Collectables() const {
    return {registry.get(), &process, &gauges};
  }

  // Its families want it shared.
  const std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  ProcessMetrics process;
  GaugeReader gauges;
  prometheus::Family<prometheus::Counter>& requests;
  prometheus::Family<prometheus::Histogram>& latency;
  prometheus::Family<prometheus::Counter>& rows;
  prometheus::Counter& iterations;
  prometheus::Family<prometheus::Gauge>& cost;
  prometheus::Family<prometheus::Counter>& ended;
  prometheus::Counter& training_seconds;

  absl::Mutex mutex;
  absl::flat_hash_map<std::string, std::unique_ptr<MethodMetrics>> methods ABSL_GUARDED_BY(mutex);
  absl::flat_hash_map<std::string, prometheus::Counter*> rows_by_model ABSL_GUARDED_BY(mutex);
  absl::flat_hash_map<int64_t, prometheus::Gauge*> cost_by_job ABSL_GUARDED_BY(mutex);

  std::unique_ptr<MetricsEndpoint> endpoint;  // last: stops serving first
};

std::string StopReasonLabel(v1::StopReason reason) {
  absl::string_view name = v1::StopReason_Name(reason);
  absl::ConsumePrefix(&name, "STOP_REASON_");
  return absl::AsciiStrToLower(name);
}

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

RpcMetrics& Metrics::Rpc(absl::string_view service, absl::string_view method) {
  absl::MutexLock lock(&state_->mutex);
  std::unique_ptr<MethodMetrics>& metrics = state_->methods[absl::StrCat(service, "/", method)];
  if (metrics == nullptr) {
    metrics = std::make_unique<MethodMetrics>(
        prometheus::Labels{{"service", std::string(service)}, {"method", std::string(method)}},
        state_->requests, state_->latency);
  }
  return *metrics;
}

void Metrics::RowsPredicted(absl::string_view model, int64_t rows) {
  absl::MutexLock lock(&state_->mutex);
  prometheus::Counter*& counter = state_->rows_by_model[model];
  if (counter == nullptr) counter = &state_->rows.Add({{"model", std::string(model)}});
  counter->Increment(static_cast<double>(rows));
}

void Metrics::ForgetModel(absl::string_view model) {
  absl::MutexLock lock(&state_->mutex);
  const auto found = state_->rows_by_model.find(model);
  if (found == state_->rows_by_model.end()) return;
  state_->rows.Remove(found->second);
  state_->rows_by_model.erase(found);
}

void Metrics::TrainingProgress(int64_t job_id, absl::string_view model, int64_t iterations,
                               double cost) {
  state_->iterations.Increment(static_cast<double>(iterations));
  absl::MutexLock lock(&state_->mutex);
  prometheus::Gauge*& gauge = state_->cost_by_job[job_id];
  if (gauge == nullptr) {
    gauge = &state_->cost.Add({{"job", absl::StrCat(job_id)}, {"model", std::string(model)}});
  }
  gauge->Set(cost);
}

void Metrics::TrainingEnded(int64_t job_id, v1::StopReason stop_reason, absl::Duration duration) {
  state_->ended.Add({{"stop_reason", StopReasonLabel(stop_reason)}}).Increment();
  state_->training_seconds.Increment(absl::ToDoubleSeconds(duration));
  absl::MutexLock lock(&state_->mutex);
  const auto found = state_->cost_by_job.find(job_id);
  if (found == state_->cost_by_job.end()) return;
  state_->cost.Remove(found->second);
  state_->cost_by_job.erase(found);
}

void Metrics::SetGauges(std::function<ServerGauges()> gauges) {
  state_->gauges.Set(std::move(gauges));
}

absl::StatusOr<std::string> Metrics::Expose(const std::string& address) {
  MLP_ASSIGN_OR_RETURN(state_->endpoint,
                       MetricsEndpoint::Listen(address, [this] { return Text(); }));
  return state_->endpoint->address();
}

void Metrics::Close() { state_->endpoint.reset(); }

std::string Metrics::Text() const {
  std::vector<prometheus::MetricFamily> families;
  for (const prometheus::Collectable* collectable : state_->Collectables()) {
    for (prometheus::MetricFamily& family : collectable->Collect()) {
      families.push_back(std::move(family));
    }
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace mlp
