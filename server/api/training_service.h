// TrainingService: check, convert, call the scheduler and the store.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>

#include "server/jobs/scheduler.h"
#include "server/rpc/method_table.h"
#include "server/store/store.h"

namespace mlp {

struct TrainingServiceOptions {
  // Memory that one job may need, as TrainingMemory estimates it for `training_threads`; jobs that
  // need more are refused with RESOURCE_EXHAUSTED.
  int64_t max_job_memory_bytes = std::numeric_limits<int64_t>::max();
  int training_threads = 1;
};

// Thread-safe. A watch occupies a thread of the server while it lasts; JobScheduler::Stop ends it
// within a second unless its client has stopped reading.
class TrainingService : public RpcService {
 public:
  // TrainingServiceOptions::max_job_memory_bytes of jobs that are created from now on.
  virtual void SetMaxJobMemory(int64_t bytes) = 0;
};

// Both outlive the service.
std::unique_ptr<TrainingService> MakeTrainingService(JobScheduler& scheduler, Store& store,
                                                     const TrainingServiceOptions& options = {});

}  // namespace mlp
