#include "server/store/job_reference.h"

#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>

namespace mlp {
namespace {

constexpr absl::string_view kPrefix = "job/";

}  // namespace

std::string JobReference(int64_t id) { return absl::StrCat(kPrefix, id); }

absl::StatusOr<std::optional<int64_t>> ParseJobReference(absl::string_view field,
                                                         absl::string_view reference) {
  absl::string_view number = reference;
  if (!absl::ConsumePrefix(&number, kPrefix)) return std::nullopt;
  int64_t id = 0;
  if (absl::SimpleAtoi(number, &id) && id > 0 && JobReference(id) == reference) return id;
  return absl::InvalidArgumentError(absl::StrCat(field, ": expected the number of a job after \"",
                                                 kPrefix, "\", got \"",
                                                 absl::CEscape(number.substr(0, 80)), "\""));
}

}  // namespace mlp
