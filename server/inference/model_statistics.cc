#include "server/inference/model_statistics.h"

namespace mlp {
namespace {

void Add(int64_t ns, CountedTime& time) {
  ++time.count;
  time.ns += ns;
}

}  // namespace

void ModelStatistics::Executed(const ExecutedBatch& batch) {
  absl::MutexLock lock(&mutex_);
  ++counts_.executions;
  BatchTimes& times = counts_.batches[batch.rows];
  ++times.executions;
  times.input_ns += batch.input_ns;
  times.infer_ns += batch.infer_ns;
  times.output_ns += batch.output_ns;
}

void ModelStatistics::Answered(const AnsweredRequest& request, int64_t now_ms) {
  absl::MutexLock lock(&mutex_);
  counts_.last_inference_ms = now_ms;
  counts_.rows += request.rows;
  Add(request.total_ns, counts_.success);
  Add(request.queue_ns, counts_.queue);
  Add(request.input_ns, counts_.input);
  Add(request.infer_ns, counts_.infer);
  Add(request.output_ns, counts_.output);
}

void ModelStatistics::Failed(int64_t total_ns) {
  absl::MutexLock lock(&mutex_);
  Add(total_ns, counts_.fail);
}

ModelCounts ModelStatistics::Read() const {
  absl::MutexLock lock(&mutex_);
  return counts_;
}

}  // namespace mlp
