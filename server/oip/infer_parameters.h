// Parameters of a ModelInferRequest. Those that would change the answer are honoured or refused,
// never passed over in silence; hints that this server has no use for are passed over.
#pragma once

#include <cstdint>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <google/protobuf/map.h>

#include "inference/grpc_service.pb.h"

namespace mlp {

using InferParameterMap = google::protobuf::Map<std::string, inference::InferParameter>;

// `timeout` of a request; InfiniteDuration where there is none. INVALID_ARGUMENT naming the
// parameter: a timeout or priority of the wrong type or below 0; a sequence, for models have no
// state; binary_data_output, for the answer has the request's form.
absl::StatusOr<absl::Duration> ReadRequestParameters(const InferParameterMap& parameters);

// Of inputs[0]. INVALID_ARGUMENT: shared memory, which there is none of.
absl::Status CheckInputParameters(const InferParameterMap& parameters);

// `classification` of outputs[index], which has `classes` classes (0: none to name); 0 where it is
// not given. INVALID_ARGUMENT: anything else, the wrong type, out of [1, classes].
absl::StatusOr<int64_t> ReadOutputParameters(const InferParameterMap& parameters, int index,
                                             int64_t classes);

}  // namespace mlp
