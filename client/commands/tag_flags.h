// Tags as the command line gives them.
#pragma once

#include <string>
#include <vector>

#include <absl/status/status.h>
#include <google/protobuf/map.h>

namespace mlp {

// Sets each KEY=VALUE of `tags` in `map`; a usage error of --tag for anything else.
absl::Status SetTags(const std::vector<std::string>& tags,
                     google::protobuf::Map<std::string, std::string>& map);

}  // namespace mlp
