#include "server/jobs/seen_rows.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include "core/base/status_macros.h"
#include "server/conversion/config_conversion.h"
#include "server/names.h"
#include "server/store/job_reference.h"

namespace mlp {
namespace {

// A training that weights came from.
struct Origin {
  std::string dataset_sha256;
  v1::TrainingConfig config;
};

// Of NAME@VERSION or job/NUMBER; nothing where it is not stored any more.
std::optional<Origin> FindOrigin(const std::string& reference, Store& store) {
  const auto job_id = ParseJobReference("", reference);
  if (job_id.ok() && job_id->has_value()) {
    absl::StatusOr<v1::TrainingJob> job = store.GetJob(**job_id);
    if (!job.ok()) return std::nullopt;
    return Origin{job->dataset_sha256(), std::move(*job->mutable_config())};
  }
  const auto parsed = ParseModelReference("", reference);
  if (!parsed.ok() || parsed->version == 0) return std::nullopt;
  absl::StatusOr<v1::ModelVersion> version = store.GetVersion(parsed->model, parsed->version);
  if (!version.ok()) return std::nullopt;
  return Origin{version->dataset_sha256(), std::move(*version->mutable_config())};
}

// The training part of `origin`; empty where its configuration cannot be read.
std::vector<int64_t> TrainingRows(const Origin& origin, const Dataset& dataset) {
  const absl::StatusOr<TrainingConfig> config =
      TrainingConfigFromApi(origin.config, v1::FEATURE_TYPE_FLOAT32);  // the split is of no type
  if (!config.ok()) return {};
  absl::StatusOr<Split> split = SplitRows(dataset.labels, dataset.schema.classes(), config->split);
  return split.ok() ? std::move(split->training) : std::vector<int64_t>();
}

// Rows that the job's networks are judged by.
struct Part {
  const char* name;
  const std::vector<int64_t>& rows;
};

std::vector<Part> HeldOut(const v1::TrainingJob& job, const Split& split) {
  if (job.config().study().has_k_fold()) return {{"training", split.training}};  // cut into folds
  return {{"test", split.test}, {"validation", split.validation}};
}

}  // namespace

absl::StatusOr<std::string> DescribeSeenRows(const v1::TrainingJob& job, const SplitOptions& split,
                                             const Dataset& dataset, Store& store) {
  std::string reference = job.config().initial_model();
  if (reference.empty()) return "";
  MLP_ASSIGN_OR_RETURN(const Split mine,
                       SplitRows(dataset.labels, dataset.schema.classes(), split));
  const std::vector<Part> parts = HeldOut(job, mine);
  std::vector<bool> held_out(dataset.labels.size(), false);
  for (const Part& part : parts) {
    for (const int64_t row : part.rows) held_out[static_cast<size_t>(row)] = true;
  }

  std::vector<bool> seen(dataset.labels.size(), false);
  std::vector<std::string> models;
  // Every model is older than what was started from it: this comes to an end.
  while (std::optional<Origin> origin = FindOrigin(reference, store)) {
    bool saw = false;
    if (origin->dataset_sha256 == job.dataset_sha256()) {
      for (const int64_t row : TrainingRows(*origin, dataset)) {
        seen[static_cast<size_t>(row)] = true;
        saw = saw || held_out[static_cast<size_t>(row)];
      }
    }
    if (saw) models.push_back(reference);
    reference = origin->config.initial_model();
  }

  std::vector<std::string> names;
  std::vector<std::string> counts;
  for (const Part& part : parts) {
    const auto count = std::count_if(part.rows.begin(), part.rows.end(), [&seen](int64_t row) {
      return static_cast<bool>(seen[static_cast<size_t>(row)]);
    });
    if (count == 0) continue;
    names.emplace_back(part.name);
    counts.push_back(absl::StrCat(count, " of ", part.rows.size()));
  }
  if (models.empty()) return "";
  return absl::StrCat("the ", absl::StrJoin(names, " and "),
                      names.size() == 1 ? " part holds" : " parts hold", " examples that ",
                      absl::StrJoin(models, " and "), models.size() == 1 ? " was" : " were",
                      " trained on: ", absl::StrJoin(counts, " and "));
}

}  // namespace mlp
