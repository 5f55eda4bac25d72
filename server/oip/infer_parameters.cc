#include "server/oip/infer_parameters.h"

#include <string>

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include "server/oip/model_naming.h"

namespace mlp {
namespace {

using inference::InferParameter;

// With its type, so that a message tells one 5 from another.
std::string Described(const InferParameter& parameter) {
  switch (parameter.parameter_choice_case()) {
    case InferParameter::kBoolParam:
      return absl::StrCat("bool_param ", parameter.bool_param() ? "true" : "false");
    case InferParameter::kInt64Param:
      return absl::StrCat("int64_param ", parameter.int64_param());
    case InferParameter::kStringParam:
      return absl::StrCat("string_param ", Quoted(parameter.string_param()));
    case InferParameter::kDoubleParam:
      return absl::StrCat("double_param ", parameter.double_param());
    case InferParameter::kUint64Param:
      return absl::StrCat("uint64_param ", parameter.uint64_param());
    case InferParameter::PARAMETER_CHOICE_NOT_SET:
      break;
  }
  return "nothing";
}

// Clients send sequence_id = 0 and the like for "no sequence".
bool IsZero(const InferParameter& parameter) {
  switch (parameter.parameter_choice_case()) {
    case InferParameter::kBoolParam:
      return !parameter.bool_param();
    case InferParameter::kInt64Param:
      return parameter.int64_param() == 0;
    case InferParameter::kStringParam:
      return parameter.string_param().empty();
    case InferParameter::kDoubleParam:
      return parameter.double_param() == 0;
    case InferParameter::kUint64Param:
      return parameter.uint64_param() == 0;
    case InferParameter::PARAMETER_CHOICE_NOT_SET:
      break;
  }
  return true;
}

absl::Status Refused(absl::string_view name, absl::string_view expected,
                     const InferParameter& parameter) {
  return absl::InvalidArgumentError(
      absl::StrCat("parameters[", name, "]: expected ", expected, ", got ", Described(parameter)));
}

}  // namespace

absl::StatusOr<absl::Duration> ReadRequestParameters(const InferParameterMap& parameters) {
  if (parameters.empty()) return absl::InfiniteDuration();
  for (const char* name : {"sequence_id", "sequence_start", "sequence_end"}) {
    const auto found = parameters.find(name);
    if (found != parameters.end() && !IsZero(found->second)) {
      return Refused(name, "none, as models have no state", found->second);
    }
  }
  const auto form = parameters.find("binary_data_output");
  if (form != parameters.end()) {
    return Refused(form->first, "none, as the answer has the request's form", form->second);
  }
  const auto priority = parameters.find("priority");
  if (priority != parameters.end() &&
      priority->second.parameter_choice_case() != InferParameter::kUint64Param &&
      (priority->second.parameter_choice_case() != InferParameter::kInt64Param ||
       priority->second.int64_param() < 0)) {
    return Refused(priority->first, "a uint64_param", priority->second);
  }
  const auto timeout = parameters.find("timeout");
  if (timeout == parameters.end()) return absl::InfiniteDuration();
  if (timeout->second.parameter_choice_case() != InferParameter::kInt64Param ||
      timeout->second.int64_param() < 0) {
    return Refused(timeout->first, "an int64_param of 0 or more microseconds", timeout->second);
  }
  const int64_t timeout_us = timeout->second.int64_param();
  return timeout_us == 0 ? absl::InfiniteDuration() : absl::Microseconds(timeout_us);
}

absl::Status CheckInputParameters(const InferParameterMap& parameters) {
  for (const auto& [name, parameter] : parameters) {
    if (absl::StartsWith(name, "shared_memory_")) {
      return absl::InvalidArgumentError(
          absl::StrCat("inputs[0].parameters[", Quoted(name),
                       "]: expected the values in the request, as there is no shared memory"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> ReadOutputParameters(const InferParameterMap& parameters, int index,
                                             int64_t classes) {
  int64_t top = 0;
  for (const auto& [name, parameter] : parameters) {
    if (name != "classification") {
      return absl::InvalidArgumentError(absl::StrCat(
          "outputs[", index, "].parameters: expected only \"classification\", got ", Quoted(name)));
    }
    if (classes == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "outputs[", index, "].parameters[classification]: expected only for \"output\""));
    }
    if (parameter.parameter_choice_case() != InferParameter::kInt64Param ||
        parameter.int64_param() < 1 || parameter.int64_param() > classes) {
      return absl::InvalidArgumentError(absl::StrCat(
          "outputs[", index, "].parameters[classification]: expected an int64_param from 1 to ",
          classes, ", got ", Described(parameter)));
    }
    top = parameter.int64_param();
  }
  return top;
}

}  // namespace mlp
