#include "client/commands/tag_flags.h"

#include <absl/strings/str_cat.h>

#include "client/commands/error_line.h"
#include "client/readers/quote.h"

namespace mlp {

absl::Status SetTags(const std::vector<std::string>& tags,
                     google::protobuf::Map<std::string, std::string>& map) {
  for (const std::string& tag : tags) {
    const size_t equals = tag.find('=');
    if (equals == std::string::npos) {
      return UsageError("--tag", absl::StrCat("expected KEY=VALUE, got ", Quote(tag)));
    }
    map[tag.substr(0, equals)] = tag.substr(equals + 1);
  }
  return absl::OkStatus();
}

}  // namespace mlp
