// Whether what a job trained is good enough to be published (v1::PublishOptions).
#pragma once

#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "core/base/thread_pool.h"
#include "core/data/dataset.h"
#include "core/train/trainer.h"
#include "mlp/v1/training.pb.h"
#include "server/store/store.h"

namespace mlp {

inline constexpr int kMaxPublishAliases = 10;

// Of a job's options, by what `split` leaves for a test part. INVALID_ARGUMENT naming the field,
// from `publish` on.
absl::Status CheckPublishOptions(const v1::PublishOptions& options, const SplitOptions& split);

// What is wanting; empty where nothing is. `options` belong to a job of `model`, which trained
// `outcome` on `dataset` divided by `split`. The version to be better than is run on the job's own
// test part; errors where it cannot be: FAILED_PRECONDITION, DATA_LOSS, the store's.
absl::StatusOr<std::string> MissedByGate(const v1::PublishOptions& options,
                                         const std::string& model, const TrainingOutcome& outcome,
                                         const Dataset& dataset, const SplitOptions& split,
                                         Store& store, ThreadPool& pool);

}  // namespace mlp
