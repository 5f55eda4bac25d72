// The tensors that every model has in the Open Inference Protocol. With a batch dimension first, as
// servers with max_batch_size > 0 have it: one row is [1, D], never [D].
#pragma once

#include <cstdint>

#include <absl/strings/string_view.h>

namespace mlp {

// [N, D]: rows, unscaled. FP32 or UINT8 as the model was trained, but each model takes FP32, FP64
// and UINT8.
inline constexpr absl::string_view kInputName = "input";
// FP32 [N, K]: the outputs of the network.
inline constexpr absl::string_view kOutputName = "output";
// INT64 [N]: the class with the largest output.
inline constexpr absl::string_view kLabelName = "label";

inline constexpr absl::string_view kFp32 = "FP32";
inline constexpr absl::string_view kFp64 = "FP64";
inline constexpr absl::string_view kUint8 = "UINT8";
inline constexpr absl::string_view kInt64 = "INT64";
inline constexpr absl::string_view kBytes = "BYTES";

}  // namespace mlp
