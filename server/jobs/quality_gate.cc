#include "server/jobs/quality_gate.h"

#include <cmath>
#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>

#include "core/artifact/artifact.h"
#include "core/base/status_macros.h"
#include "core/data/split.h"
#include "server/names.h"
#include "server/store/find_version.h"

namespace mlp {
namespace {

absl::Status Refuse(absl::string_view field, absl::string_view expected, absl::string_view got) {
  return absl::InvalidArgumentError(
      absl::StrCat("publish.", field, ": expected ", expected, ", got ", got));
}

// NAME@VERSION or NAME@ALIAS.
absl::StatusOr<ModelReference> ParseOther(const std::string& model, const std::string& selector) {
  return ParseModelReference("publish.better_than", absl::StrCat(model, "@", selector));
}

absl::StatusOr<Artifact> ReadOther(const v1::ModelVersion& version, const Dataset& dataset,
                                   Store& store) {
  MLP_ASSIGN_OR_RETURN(const std::string bytes,
                       store.ReadArtifact(version.model(), version.version()));
  MLP_ASSIGN_OR_RETURN(Artifact artifact, ReadArtifact(bytes));
  const bool fits = artifact.schema.features == dataset.schema.features &&
                    artifact.schema.class_names == dataset.schema.class_names;
  if (fits) return artifact;
  return absl::FailedPreconditionError("it has other inputs or classes than the job's dataset");
}

absl::StatusOr<double> AccuracyOf(const v1::ModelVersion& version, const Dataset& dataset,
                                  const SplitOptions& split, Store& store, ThreadPool& pool) {
  MLP_ASSIGN_OR_RETURN(const Artifact artifact, ReadOther(version, dataset, store));
  MLP_ASSIGN_OR_RETURN(const Split rows,
                       SplitRows(dataset.labels, dataset.schema.classes(), split));
  return EvaluateRows(artifact.network, artifact.cost, artifact.scaler, dataset, rows.test, pool)
      .accuracy;
}

}  // namespace

absl::Status CheckPublishOptions(const v1::PublishOptions& options, const SplitOptions& split) {
  if (options.aliases_size() > kMaxPublishAliases) {
    return Refuse("aliases", absl::StrCat("at most ", kMaxPublishAliases),
                  absl::StrCat(options.aliases_size()));
  }
  for (const std::string& alias : options.aliases()) {
    MLP_RETURN_IF_ERROR(CheckAlias("publish.aliases", alias));
  }
  const bool has_gate = options.has_min_test_accuracy() || !options.better_than().empty();
  if (options.has_min_test_accuracy() &&
      !(options.min_test_accuracy() >= 0.0 && options.min_test_accuracy() <= 1.0)) {
    return Refuse("min_test_accuracy", "0 to 1", absl::StrCat(options.min_test_accuracy()));
  }
  if (!options.better_than().empty()) {
    MLP_RETURN_IF_ERROR(ParseOther("model", options.better_than()).status());
  }
  if (has_gate && split.test == 0.0) {
    return Refuse(options.has_min_test_accuracy() ? "min_test_accuracy" : "better_than",
                  "a split with a test part", "one without");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> MissedByGate(const v1::PublishOptions& options,
                                         const std::string& model, const TrainingOutcome& outcome,
                                         const Dataset& dataset, const SplitOptions& split,
                                         Store& store, ThreadPool& pool) {
  const bool has_gate = options.has_min_test_accuracy() || !options.better_than().empty();
  if (!has_gate || !outcome.test.has_value()) return std::string();
  const double accuracy = outcome.test->accuracy;
  if (options.has_min_test_accuracy() && accuracy < options.min_test_accuracy()) {
    return absl::StrCat("not published: test accuracy ", accuracy, ", wanted at least ",
                        options.min_test_accuracy());
  }
  if (options.better_than().empty()) return std::string();
  MLP_ASSIGN_OR_RETURN(const ModelReference other, ParseOther(model, options.better_than()));
  const absl::StatusOr<v1::ModelVersion> version = FindVersion(other, store);
  // The first version of all has nothing to be better than.
  if (absl::IsNotFound(version.status()) && !other.alias.empty()) return std::string();
  const absl::StatusOr<double> theirs = version.ok()
                                            ? AccuracyOf(*version, dataset, split, store, pool)
                                            : absl::StatusOr<double>(version.status());
  const std::string name = absl::StrCat(model, "@", options.better_than());
  if (!theirs.ok()) {
    return absl::Status(theirs.status().code(),
                        absl::StrCat("not published: cannot be held against ", name, ": ",
                                     theirs.status().message()));
  }
  if (accuracy > *theirs) return std::string();
  return absl::StrCat("not published: test accuracy ", accuracy, ", wanted better than ", name,
                      ", which has ", *theirs);
}

}  // namespace mlp
