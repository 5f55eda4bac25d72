#include "client/commands/resource_text.h"

#include <map>
#include <vector>

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/strip.h>

#include "client/commands/command.h"
#include "client/commands/config_text.h"
#include "client/commands/evaluation_text.h"
#include "client/commands/progress_text.h"
#include "client/commands/study_text.h"
#include "client/terminal/numbers.h"
#include "client/terminal/table.h"

namespace mlp {
namespace {

constexpr size_t kWordColumns = 16;

void AddLine(std::string& text, absl::string_view word, absl::string_view value) {
  absl::StrAppend(&text, PadRight(word, kWordColumns), value, "\n");
}

void AddConfig(std::string& text, const v1::TrainingConfig& config) {
  for (const Setting& setting : DescribeConfig(config)) AddLine(text, setting.name, setting.value);
}

void AddLog(std::string& text, const v1::TrainingJob& job) {
  for (int i = 0; i < job.log_size(); ++i) {
    const v1::JobLogLine& line = job.log(i);
    AddLine(text, i == 0 ? "log" : "",
            absl::StrCat(FormatTimestamp(line.has_time(), line.time()), "  ", line.text()));
  }
}

std::string ImageText(const v1::ImageShape& image) {
  return absl::StrCat(image.height(), " x ", image.width(),
                      image.channels() == 1 ? "" : absl::StrCat(" x ", image.channels()));
}

void AddResult(std::string& text, const v1::TrainingJob& job) {
  const v1::TrainingResult& result = job.result();
  const std::string seconds = absl::StrCat(" in ", FormatSeconds(result.seconds()));
  if (job.config().has_study()) {
    AddLine(text, "runs", absl::StrCat(FormatCount(result.runs_size()), seconds));
  } else {
    AddLine(text, CountsEpochs(job.config()) ? "epochs" : "iterations",
            absl::StrCat(FormatCount(result.iterations()), seconds,
                         result.best_iteration() < result.iterations()
                             ? absl::StrCat(", best: ", FormatCount(result.best_iteration()))
                             : ""));
  }
  if (!job.config().has_study() || result.version() > 0) {
    AddLine(
        text, "cost",
        absl::StrCat(FormatValue(result.initial_cost()), " -> ", FormatValue(result.final_cost())));
  }
  if (result.has_gradient_check_error()) {
    AddLine(
        text, "gradient check",
        absl::StrCat("largest relative difference ", FormatValue(result.gradient_check_error())));
  }
  if (result.version() > 0) {
    AddLine(text, "model",
            absl::StrCat(job.model(), "@", result.version(), " (", FormatCount(result.parameters()),
                         " weights)"));
  }
  if (result.evaluations_size() > 0) {
    AddLine(text, "accuracy", AccuracyByPart(result.evaluations()));
  }
}

// What the figures of a job came from, next to its configuration.
void AddBuild(std::string& text, const v1::TrainingResult& result) {
  if (result.build().empty()) return;
  AddLine(text, "build", absl::StrCat(result.build(), ", CPU kernel ", result.cpu_kernel()));
}

}  // namespace

std::string StateName(v1::JobState state) {
  if (state == v1::JOB_STATE_UNSPECIFIED) return "-";
  return std::string(absl::StripPrefix(v1::JobState_Name(state), "JOB_STATE_"));
}

std::string StopReasonName(v1::StopReason reason) {
  if (reason == v1::STOP_REASON_UNSPECIFIED) return "-";
  return std::string(absl::StripPrefix(v1::StopReason_Name(reason), "STOP_REASON_"));
}

std::string FeatureTypeName(v1::FeatureType type) {
  return EnumWord(v1::FeatureType_Name(type), "FEATURE_TYPE_");
}

std::string LayersText(const v1::NetworkConfig& network) {
  return absl::StrJoin(network.layers(), "-");
}

std::string DescribeDataset(const v1::Dataset& dataset) {
  std::string text;
  AddLine(text, "dataset", dataset.name());
  AddLine(text, "rows", FormatCount(dataset.rows()));
  AddLine(text, "features",
          absl::StrCat(
              FormatCount(dataset.features()), " ", FeatureTypeName(dataset.feature_type()),
              dataset.has_image() ? absl::StrCat(", images of ", ImageText(dataset.image())) : ""));
  std::vector<std::string> classes;
  for (int k = 0; k < dataset.class_names_size(); ++k) {
    if (k == 20) {
      classes.push_back(absl::StrCat("and ", dataset.class_names_size() - k, " more"));
      break;
    }
    const int64_t count = k < dataset.class_counts_size() ? dataset.class_counts(k) : 0;
    classes.push_back(absl::StrCat(dataset.class_names(k), " (", FormatCount(count), ")"));
  }
  AddLine(text, "classes",
          absl::StrCat(dataset.class_names_size(), ": ", absl::StrJoin(classes, ", ")));
  if (dataset.weighted()) AddLine(text, "weights", "one an example");
  AddLine(text, "size", FormatBytes(dataset.bytes()));
  AddLine(text, "sha256", dataset.sha256());
  AddLine(text, "created", FormatTimestamp(dataset.has_create_time(), dataset.create_time()));
  return text;
}

std::string DescribeJob(const v1::TrainingJob& job) {
  std::string text;
  AddLine(text, "job", absl::StrCat(job.id()));
  AddLine(text, "state", StateName(job.state()));
  if (job.stop_reason() != v1::STOP_REASON_UNSPECIFIED) {
    AddLine(text, "stop reason", StopReasonName(job.stop_reason()));
  }
  if (!job.message().empty()) AddLine(text, "message", job.message());
  AddLine(text, "model name", job.model());
  AddLine(text, "dataset", job.dataset());
  AddConfig(text, job.config());
  AddLine(text, "created", FormatTimestamp(job.has_create_time(), job.create_time()));
  AddLine(text, "started", FormatTimestamp(job.has_start_time(), job.start_time()));
  AddLine(text, "ended", FormatTimestamp(job.has_end_time(), job.end_time()));
  if (job.has_result()) {
    AddResult(text, job);
    AddBuild(text, job.result());
  } else if (job.has_progress()) {
    AddLine(text, "progress",
            job.config().has_study() ? RunText(job.progress())
                                     : ProgressText(job.progress(), CountsEpochs(job.config())));
  }
  AddLog(text, job);
  return text;
}

std::string SummarizeJob(const v1::TrainingJob& job) {
  std::string text;
  AddLine(text, absl::StrCat("job ", job.id()),
          absl::StrCat(StateName(job.state()),
                       job.stop_reason() == v1::STOP_REASON_UNSPECIFIED
                           ? ""
                           : absl::StrCat(" (", StopReasonName(job.stop_reason()), ")")));
  if (!job.message().empty()) AddLine(text, "message", job.message());
  if (job.has_result()) AddResult(text, job);
  return text;
}

std::string AliasesText(const v1::Model& model) {
  const std::map<std::string, int64_t> sorted(model.aliases().begin(), model.aliases().end());
  return absl::StrJoin(sorted, ", ", absl::PairFormatter(" = "));
}

std::string LineageText(const v1::ModelVersion& version) {
  std::string text = absl::StrCat(version.model(), "@", version.version());
  if (version.has_imported_from()) {
    absl::StrAppend(&text, ", imported");
  } else {
    absl::StrAppend(&text, ", trained by job ", version.job_id());
  }
  if (!version.dataset().empty()) {
    absl::StrAppend(&text, " on dataset ", version.dataset(), " (sha256 ",
                    version.dataset_sha256().substr(0, 12), "..., seed ", version.config().seed(),
                    ")");
  }
  return text;
}

std::string DescribeModelVersion(const v1::ModelVersion& version) {
  std::string text;
  AddLine(text, "model", absl::StrCat(version.model(), "@", version.version()));
  if (version.aliases_size() > 0) AddLine(text, "aliases", absl::StrJoin(version.aliases(), ", "));
  if (!version.note().empty()) AddLine(text, "note", version.note());
  const std::map<std::string, std::string> tags(version.tags().begin(), version.tags().end());
  if (!tags.empty()) AddLine(text, "tags", absl::StrJoin(tags, ", ", absl::PairFormatter("=")));
  AddLine(text, "weights", FormatCount(version.parameters()));
  AddLine(text, "input",
          absl::StrCat(
              FeatureTypeName(version.feature_type()),
              version.has_image() ? absl::StrCat(", images of ", ImageText(version.image())) : ""));
  AddLine(text, "classes", absl::StrCat(version.class_names_size()));
  if (version.has_imported_from()) {
    AddLine(text, "imported from",
            absl::StrCat(
                EnumWord(v1::ModelFormat_Name(version.imported_from().format()), "MODEL_FORMAT_"),
                " file, sha256 ", version.imported_from().sha256()));
  } else {
    AddLine(text, "job", absl::StrCat(version.job_id()));
  }
  if (!version.dataset().empty()) AddLine(text, "dataset", version.dataset());
  AddConfig(text, version.config());
  if (version.has_training()) {
    AddLine(text, "iterations",
            absl::StrCat(FormatCount(version.training().iterations()), " in ",
                         FormatSeconds(version.training().seconds())));
    AddLine(text, "cost",
            absl::StrCat(FormatValue(version.training().initial_cost()), " -> ",
                         FormatValue(version.training().final_cost())));
  }
  if (version.training().evaluations_size() > 0) {
    AddLine(text, "accuracy", AccuracyByPart(version.training().evaluations()));
  }
  AddLine(text, "artifact", FormatBytes(version.artifact_bytes()));
  AddLine(text, "sha256", version.artifact_sha256());
  AddLine(text, "created", FormatTimestamp(version.has_create_time(), version.create_time()));
  return text;
}

}  // namespace mlp
