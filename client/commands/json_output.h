// Messages as JSON lines.
#pragma once

#include <string>

#include <google/protobuf/message.h>
#include <nlohmann/json_fwd.hpp>

namespace mlp {

// One object in one line, without its end: the fields' own names, defaults included, numbers in
// full precision and int64 as numbers too, enums by name, times in RFC 3339.
std::string ToJsonLine(const google::protobuf::Message& message);

// `value` in one line; text that is not UTF-8 is repaired rather than refused.
std::string ToJsonLine(const nlohmann::ordered_json& value);

// The double that has the shortest decimal text of `value`: 0.1f becomes 0.1, not
// 0.10000000149011612.
double ShortestDouble(float value);

}  // namespace mlp
