#include "server/jobs/result_so_far.h"

#include <vector>

#include <absl/status/statusor.h>

#include "server/conversion/evaluation_conversion.h"

namespace mlp {

void FillResultSoFar(const ProgressPoint& newest, Store& store, v1::TrainingJob& job) {
  v1::TrainingResult& result = *job.mutable_result();
  result.set_iterations(newest.iteration);
  result.set_seconds(newest.elapsed_seconds);
  if (job.config().has_study()) return;
  result.set_final_cost(newest.cost);
  const absl::StatusOr<std::vector<ProgressPoint>> first =
      store.ReadProgress(job.id(), /*from=*/0, /*limit=*/1);
  if (first.ok() && !first->empty() && first->front().iteration == 0) {
    result.set_initial_cost(first->front().cost);
  }
}

void FillResultSoFar(Store& store, v1::TrainingJob& job) {
  if (job.has_progress()) FillResultSoFar(ProgressPointFromApi(job.progress()), store, job);
}

}  // namespace mlp
