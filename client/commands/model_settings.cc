#include "client/commands/model_settings.h"

#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include "client/commands/error_line.h"
#include "client/status_macros.h"
#include "client/terminal/numbers.h"
#include "client/terminal/table.h"

namespace mlp {
namespace {

struct Setting {
  const char* name;
  const char* unit;
  int64_t value;
  int64_t standard;  // what 0 means
};

// As proto/mlp/v1/model.proto has them.
std::vector<Setting> ListSettings(const v1::ServingSettings& settings) {
  std::vector<Setting> list = {{"max batch rows", "", settings.max_batch_rows(), 1024},
                               {"queue delay", " us", settings.queue_delay_us(), 0},
                               {"max queued requests", "", settings.max_queued_requests(), 4096}};
  for (Setting& setting : list) {
    if (setting.value == 0) setting.value = setting.standard;
  }
  return list;
}

// 0 on the wire is the default: whoever asks for it here means something else.
absl::Status CheckNotZero(absl::string_view flag, const std::optional<int32_t>& value,
                          absl::string_view range) {
  if (value != 0) return absl::OkStatus();
  return UsageError(
      flag, absl::StrCat("expected ", range, ", got 0 (--reset goes back to the defaults)"));
}

}  // namespace

std::string DescribeSettings(const v1::ServingSettings& settings) {
  std::string text;
  for (const Setting& setting : ListSettings(settings)) {
    absl::StrAppend(&text, PadRight(setting.name, 21), FormatCount(setting.value), setting.unit,
                    setting.value == setting.standard ? " (default)" : "", "\n");
  }
  return text;
}

std::string UnusualSettings(const v1::ServingSettings& settings) {
  std::vector<std::string> parts;
  for (const Setting& setting : ListSettings(settings)) {
    if (setting.value == setting.standard) continue;
    parts.push_back(absl::StrCat(setting.name, " ", FormatCount(setting.value), setting.unit));
  }
  return absl::StrJoin(parts, ", ");
}

absl::StatusOr<int> ModelSettings(CommandContext& context, const SettingsFlags& flags) {
  MLP_RETURN_IF_ERROR(CheckNotZero("--max-batch-rows", flags.max_batch_rows, "1 to 65,536"));
  MLP_RETURN_IF_ERROR(
      CheckNotZero("--max-queued-requests", flags.max_queued_requests, "1 to 1,000,000"));
  v1::GetModelRequest get;
  get.set_name(flags.model);
  MLP_ASSIGN_OR_RETURN(v1::Model model, context.client().GetModel(get));
  if (flags.change()) {
    v1::SetServingSettingsRequest request;
    request.set_model(flags.model);
    v1::ServingSettings& settings = *request.mutable_settings();
    if (!flags.reset) settings = model.serving();
    if (flags.max_batch_rows) settings.set_max_batch_rows(*flags.max_batch_rows);
    if (flags.queue_delay_us) settings.set_queue_delay_us(*flags.queue_delay_us);
    if (flags.max_queued_requests) settings.set_max_queued_requests(*flags.max_queued_requests);
    MLP_ASSIGN_OR_RETURN(model, context.client().SetServingSettings(request));
  }
  if (context.json()) {
    context.PrintJson(model);
  } else {
    context.out() << DescribeSettings(model.serving());
  }
  return kExitSuccess;
}

}  // namespace mlp
