// The refusals that conversions share.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include <absl/status/status.h>
#include <absl/strings/string_view.h>
#include <google/protobuf/message.h>

namespace mlp {

// INVALID_ARGUMENT `field: expected A or B, got 7`: an enum's number that has no meaning.
absl::Status UnknownValue(absl::string_view field, absl::string_view expected, int got);

// INVALID_ARGUMENT naming the first field of `message` that is set and whose number is not among
// `used`: `optimizer.momentum: expected unset, as ADAM has no use for it`. `path` is the message's
// own name (`optimizer`), `user` what has no use for the field. A field counts as set where it
// differs from its default or, if optional, was given; a message where it holds anything.
absl::Status RefuseUnusedFields(const google::protobuf::Message& message, absl::string_view path,
                                std::initializer_list<int> used, absl::string_view user);

// What was expected of a repeated field that has an entry a hidden layer or one for all:
// `expected none, 1 or 3 entries, one a hidden layer`.
std::string ExpectedForHiddenLayers(int64_t hidden_layers);

}  // namespace mlp
