#include "server/api/dataset_part.h"

#include <numeric>
#include <string>
#include <utility>

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>

#include "core/base/status_macros.h"
#include "core/data/split.h"
#include "server/conversion/config_conversion.h"

namespace mlp {
namespace {

std::string PartName(v1::DatasetPart part) {
  absl::string_view name = v1::DatasetPart_Name(part);
  absl::ConsumePrefix(&name, "DATASET_PART_");
  return absl::AsciiStrToLower(name);
}

std::vector<int64_t> SelectPart(Split split, v1::DatasetPart part) {
  switch (part) {
    case v1::DATASET_PART_TRAINING:
      return std::move(split.training);
    case v1::DATASET_PART_VALIDATION:
      return std::move(split.validation);
    default:
      return std::move(split.test);
  }
}

}  // namespace

absl::StatusOr<std::vector<int64_t>> PartRows(const v1::Dataset& dataset,
                                              const v1::ModelVersion& version, v1::DatasetPart part,
                                              Store& store) {
  if (!v1::DatasetPart_IsValid(part)) {
    return absl::InvalidArgumentError(
        absl::StrCat("part: expected 0 to 4, got ", static_cast<int>(part)));
  }
  if (part == v1::DATASET_PART_UNSPECIFIED || part == v1::DATASET_PART_ALL) {
    std::vector<int64_t> rows(static_cast<size_t>(dataset.rows()));
    std::iota(rows.begin(), rows.end(), 0);
    return rows;
  }
  if (dataset.sha256() != version.dataset_sha256()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "part: ", version.model(), "@", version.version(), " was not trained on dataset ",
        dataset.name(), " as it is now, so it has no ", PartName(part), " part; use all"));
  }
  MLP_ASSIGN_OR_RETURN(const std::vector<int32_t> labels, store.ReadLabels(dataset.name()));
  MLP_ASSIGN_OR_RETURN(const TrainingConfig config,
                       TrainingConfigFromApi(version.config(), version.feature_type()));
  MLP_ASSIGN_OR_RETURN(Split split, SplitRows(labels, dataset.class_names_size(), config.split));
  std::vector<int64_t> rows = SelectPart(std::move(split), part);
  if (rows.empty()) {
    return absl::FailedPreconditionError(absl::StrCat("part: the split of ", version.model(), "@",
                                                      version.version(), " has no ", PartName(part),
                                                      " part"));
  }
  return rows;
}

}  // namespace mlp
