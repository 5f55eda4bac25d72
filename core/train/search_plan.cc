#include "core/train/search_plan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/random.h"
#include "core/base/status_macros.h"
#include "core/train/search_parameters.h"

namespace mlp {
namespace {

// What separates the draws from other uses of the same seed: "search" in ASCII.
constexpr uint64_t kSearchStream = 0x736561726368;

constexpr size_t kMaxParameters = 8;
constexpr size_t kMaxValues = 1000;
constexpr int kMaxRuns = 1000;
constexpr int kDrawsPerRun = 100;

bool HasRange(const SearchParameter& parameter) {
  return parameter.min != 0.0 || parameter.max != 0.0 || parameter.logarithmic;
}

// Whether the training could be made with this value alone.
absl::Status CheckValue(const std::string& field, const std::string& name, double value,
                        TrainingConfig config) {
  absl::Status status = SetParameter(name, value, config);
  if (status.ok()) status = ValidateTrainingConfig(config);
  if (status.ok()) return status;
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", status.message()));
}

absl::Status CheckRange(const std::string& field, const SearchParameter& parameter,
                        const TrainingConfig& config) {
  if (!(parameter.min < parameter.max)) {
    return absl::InvalidArgumentError(absl::StrCat(field, ".min: expected less than max, got ",
                                                   parameter.min, " to ", parameter.max));
  }
  if (parameter.logarithmic && parameter.min <= 0.0) {
    return absl::InvalidArgumentError(absl::StrCat(
        field, ".min: expected above 0, as the range is logarithmic, got ", parameter.min));
  }
  MLP_RETURN_IF_ERROR(CheckValue(field + ".min", parameter.name, parameter.min, config));
  return CheckValue(field + ".max", parameter.name, parameter.max, config);
}

absl::Status CheckValues(const std::string& field, const SearchParameter& parameter,
                         const TrainingConfig& config) {
  const std::vector<double>& values = parameter.values;
  if (values.size() > kMaxValues) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ".values: expected at most ", kMaxValues, ", got ", values.size()));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string value = absl::StrCat(field, ".values[", i, "]");
    MLP_RETURN_IF_ERROR(CheckValue(value, parameter.name, values[i], config));
    if (std::find(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(i), values[i]) !=
        values.begin() + static_cast<std::ptrdiff_t>(i)) {
      return absl::InvalidArgumentError(
          absl::StrCat(value, ": expected different values, got ", values[i], " again"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSearched(const std::string& field, const Search& search,
                           const SearchParameter& parameter, const TrainingConfig& config) {
  if (const absl::Status status = CheckParameter(parameter.name, config); !status.ok()) {
    return absl::Status(status.code(), absl::StrCat(field, ".name: ", status.message()));
  }
  const bool range = HasRange(parameter);
  if (range && !parameter.values.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": expected values or a range (min, max), got both"));
  }
  if (!range && parameter.values.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        field, ": expected values", search.random ? " or a range (min, max)" : "", ", got none"));
  }
  if (!range) return CheckValues(field, parameter, config);
  if (!search.random) {
    return absl::InvalidArgumentError(
        absl::StrCat(field,
                     ": expected values, as a grid has no use for a range; only a random "
                     "search draws from one"));
  }
  return CheckRange(field, parameter, config);
}

absl::Status CheckSearch(const Search& search, const TrainingConfig& config) {
  const size_t count = search.parameters.size();
  if (count < 1 || count > kMaxParameters) {
    return absl::InvalidArgumentError(
        absl::StrCat("study.search.parameters: expected 1 to ", kMaxParameters, ", got ", count));
  }
  std::set<std::string> names;
  for (size_t i = 0; i < count; ++i) {
    const SearchParameter& parameter = search.parameters[i];
    const std::string field = absl::StrCat("study.search.parameters[", i, "]");
    MLP_RETURN_IF_ERROR(CheckSearched(field, search, parameter, config));
    if (!names.insert(parameter.name).second) {
      return absl::InvalidArgumentError(absl::StrCat(
          field, ".name: expected different parameters, got ", parameter.name, " again"));
    }
  }
  if (search.max_runs >= 1 && search.max_runs <= kMaxRuns) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("study.search.max_runs: expected 1 to ", kMaxRuns, ", got ", search.max_runs,
                   search.random ? "" : " (unset, it is the number of all combinations)"));
}

// Combination `index` of all, the last parameter's values changing fastest.
std::vector<double> GridPoint(const Search& search, int index) {
  std::vector<double> point(search.parameters.size());
  for (size_t p = point.size(); p-- > 0;) {
    const std::vector<double>& values = search.parameters[p].values;
    const auto size = static_cast<int>(values.size());
    point[p] = values[static_cast<size_t>(index % size)];
    index /= size;
  }
  return point;
}

double Draw(const SearchParameter& parameter, Random& random) {
  if (!parameter.values.empty()) return parameter.values[random.Below(parameter.values.size())];
  // Whole numbers are each the room from itself to the next.
  const bool whole = IsWholeNumberParameter(parameter.name);
  const double end = parameter.max + (whole ? 1.0 : 0.0);
  double value = parameter.logarithmic
                     ? std::exp(random.Uniform(std::log(parameter.min), std::log(end)))
                     : random.Uniform(parameter.min, end);
  if (whole) value = std::floor(value);
  return std::clamp(value, parameter.min, parameter.max);  // for exp and log round
}

std::vector<std::vector<double>> DrawPoints(const Search& search, int64_t seed) {
  Random random(seed, kSearchStream);
  std::set<std::vector<double>> seen;
  std::vector<std::vector<double>> points;
  const auto wanted = static_cast<size_t>(search.max_runs);
  for (int draws = 0; points.size() < wanted && draws < kDrawsPerRun * search.max_runs; ++draws) {
    std::vector<double> point;
    for (const SearchParameter& parameter : search.parameters) {
      point.push_back(Draw(parameter, random));
    }
    if (seen.insert(point).second) points.push_back(std::move(point));
  }
  return points;
}

std::vector<std::vector<double>> Points(const Search& search, int64_t seed) {
  if (search.random) return DrawPoints(search, seed);
  std::vector<std::vector<double>> points;
  for (int i = 0; i < std::min(search.max_runs, GridSize(search)); ++i) {
    points.push_back(GridPoint(search, i));
  }
  return points;
}

}  // namespace

int GridSize(const Search& search) {
  constexpr size_t kMost = std::numeric_limits<int>::max();
  size_t size = 1;
  for (const SearchParameter& parameter : search.parameters) {
    if (parameter.values.empty()) return 0;
    if (size > kMost / parameter.values.size()) return static_cast<int>(kMost);
    size *= parameter.values.size();
  }
  return static_cast<int>(size);
}

absl::StatusOr<std::vector<PlannedRun>> PlanSearch(const Search& search,
                                                   const TrainingConfig& config) {
  MLP_RETURN_IF_ERROR(CheckSearch(search, config));
  std::vector<PlannedRun> runs;
  for (const std::vector<double>& point : Points(search, config.seed)) {
    PlannedRun& run = runs.emplace_back(PlannedRun{{}, config});
    for (size_t p = 0; p < point.size(); ++p) {
      const std::string& name = search.parameters[p].name;
      run.settings.push_back({name, point[p]});
      MLP_RETURN_IF_ERROR(SetParameter(name, point[p], run.config));
    }
  }
  return runs;
}

}  // namespace mlp
