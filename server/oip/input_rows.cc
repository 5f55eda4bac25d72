#include "server/oip/input_rows.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/inference/inference_request.h"
#include "server/oip/infer_parameters.h"
#include "server/oip/model_naming.h"
#include "server/oip/tensors.h"

namespace mlp {
namespace {

using inference::InferTensorContents;
using inference::ModelInferRequest;
using Tensor = ModelInferRequest::InferInputTensor;
using Value = InputRows::Value;

static_assert(std::endian::native == std::endian::little, "raw contents are read as they lie");
static_assert(std::numeric_limits<float>::is_iec559, "narrowing overflows to infinity");

// A datatype that is taken, and the one field that holds it typed.
struct Datatype {
  absl::string_view name;
  int64_t raw_bytes;  // of one value
  Value raw;
  Value typed;
  absl::string_view typed_field;
};
constexpr Datatype kDatatypes[] = {
    {kFp32, 4, Value::kFloat, Value::kFloat, "fp32_contents"},
    {kFp64, 8, Value::kDouble, Value::kDouble, "fp64_contents"},
    {kUint8, 1, Value::kUint8, Value::kUint32, "uint_contents"},
};

constexpr auto kFloatBytes = static_cast<int64_t>(sizeof(float));
constexpr auto kDoubleBytes = static_cast<int64_t>(sizeof(double));

struct Field {
  absl::string_view name;
  int size;
};

std::array<Field, 8> FieldsOf(const InferTensorContents& contents) {
  return {{{"bool_contents", contents.bool_contents_size()},
           {"int_contents", contents.int_contents_size()},
           {"int64_contents", contents.int64_contents_size()},
           {"uint_contents", contents.uint_contents_size()},
           {"uint64_contents", contents.uint64_contents_size()},
           {"fp32_contents", contents.fp32_contents_size()},
           {"fp64_contents", contents.fp64_contents_size()},
           {"bytes_contents", contents.bytes_contents_size()}}};
}

std::string ShapeText(const Tensor& tensor) {
  std::string text = "[";
  const int shown = std::min(tensor.shape_size(), 8);
  for (int i = 0; i < shown; ++i) absl::StrAppend(&text, i > 0 ? ", " : "", tensor.shape(i));
  if (shown < tensor.shape_size()) absl::StrAppend(&text, ", ... of ", tensor.shape_size());
  return text + "]";
}

absl::StatusOr<const Datatype*> FindDatatype(const Tensor& tensor) {
  for (const Datatype& datatype : kDatatypes) {
    if (datatype.name == absl::string_view(tensor.datatype())) return &datatype;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "inputs[0].datatype: expected FP32, FP64 or UINT8, got ", Quoted(tensor.datatype())));
}

// N. The shape is [N, D] for the model's D, so that N x D, and 8 bytes of each, are far from
// overflow once N was found small enough.
absl::StatusOr<int64_t> CheckShape(const Tensor& tensor, int features) {
  if (tensor.shape_size() != 2 || tensor.shape(0) < 1 || tensor.shape(1) != features) {
    return absl::InvalidArgumentError(absl::StrCat("inputs[0].shape: expected [N, ", features,
                                                   "] with N of 1 or more, got ",
                                                   ShapeText(tensor)));
  }
  if (tensor.shape(0) > kMaxPredictRows) {
    return absl::ResourceExhaustedError(absl::StrCat("inputs[0].shape: expected at most ",
                                                     kMaxPredictRows, " rows a call, got ",
                                                     tensor.shape(0)));
  }
  return tensor.shape(0);
}

absl::Status FindRaw(const InferRequestParser& parser, const Datatype& datatype, InputRows& input) {
  const Tensor& tensor = parser.request().inputs(0);
  if (parser.raw_inputs() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "raw_input_contents: expected 1 buffer, that of inputs[0], got ", parser.raw_inputs()));
  }
  if (tensor.has_contents()) {
    for (const Field& field : FieldsOf(tensor.contents())) {
      if (field.size == 0) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "raw_input_contents, inputs[0].contents: expected values in one of them, got both (",
          field.name, ")"));
    }
  }
  const int64_t expected = input.rows * input.features * datatype.raw_bytes;
  if (parser.raw_input().size() != expected) {
    return absl::InvalidArgumentError(
        absl::StrCat("raw_input_contents[0]: expected ", expected, " bytes for ", datatype.name,
                     " ", ShapeText(tensor), ", got ", parser.raw_input().size()));
  }
  input.raw = &parser.raw_input();
  input.value = datatype.raw;
  return absl::OkStatus();
}

absl::Status FindTyped(const Tensor& tensor, const Datatype& datatype, InputRows& input) {
  const InferTensorContents& contents = tensor.contents();
  const int64_t expected = input.rows * input.features;
  int64_t got = 0;
  for (const Field& field : FieldsOf(contents)) {
    if (field.name == datatype.typed_field) {
      got = field.size;
    } else if (field.size > 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("inputs[0].contents.", field.name, ": expected no values, for ",
                       datatype.name, " is in ", datatype.typed_field, ", got ", field.size));
    }
  }
  if (got != expected) {
    return absl::InvalidArgumentError(
        absl::StrCat("inputs[0].contents.", datatype.typed_field, ": expected ", expected,
                     " values for ", datatype.name, " ", ShapeText(tensor), ", got ", got));
  }
  const google::protobuf::RepeatedField<uint32_t>& wide = contents.uint_contents();
  const auto over = std::find_if(wide.begin(), wide.end(), [](uint32_t v) { return v > 255; });
  if (over != wide.end()) {
    return absl::InvalidArgumentError(absl::StrCat("inputs[0].contents.uint_contents[",
                                                   over - wide.begin(),
                                                   "]: expected 0 to 255, got ", *over));
  }
  input.value = datatype.typed;
  switch (datatype.typed) {
    case Value::kDouble:
      input.typed = reinterpret_cast<const char*>(contents.fp64_contents().data());
      break;
    case Value::kUint32:
      input.typed = reinterpret_cast<const char*>(wide.data());
      break;
    case Value::kFloat:
    case Value::kUint8:
      input.typed = reinterpret_cast<const char*>(contents.fp32_contents().data());
      break;
  }
  return absl::OkStatus();
}

// Bytes [begin, begin + count) of the values.
void CopyBytes(const InputRows& input, int64_t begin, int64_t count, char* out) {
  if (input.raw != nullptr) {
    input.raw->Copy(begin, count, out);
  } else {
    std::memcpy(out, input.typed + begin, static_cast<size_t>(count));
  }
}

// Values [first, first + count), which may lie across two pieces, through a little buffer.
template <typename T>
void CopyValues(const InputRows& input, int64_t first, int64_t count, float* out) {
  constexpr auto kBytes = static_cast<int64_t>(sizeof(T));
  constexpr int64_t kChunk = 4096 / kBytes;
  T values[kChunk];
  while (count > 0) {
    const int64_t chunk = std::min(count, kChunk);
    CopyBytes(input, first * kBytes, chunk * kBytes, reinterpret_cast<char*>(values));
    out = std::transform(values, values + chunk, out,
                         [](T value) { return static_cast<float>(value); });
    first += chunk;
    count -= chunk;
  }
}

}  // namespace

absl::StatusOr<InputRows> FindInputRows(const InferRequestParser& parser, int features) {
  const ModelInferRequest& request = parser.request();
  if (request.inputs_size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("inputs: expected 1, \"", kInputName, "\", got ", request.inputs_size()));
  }
  const Tensor& tensor = request.inputs(0);
  if (absl::string_view(tensor.name()) != kInputName) {
    return absl::InvalidArgumentError(
        absl::StrCat("inputs[0].name: expected \"", kInputName, "\", got ", Quoted(tensor.name())));
  }
  MLP_RETURN_IF_ERROR(CheckInputParameters(tensor.parameters()));
  MLP_ASSIGN_OR_RETURN(const Datatype* datatype, FindDatatype(tensor));
  InputRows input;
  input.features = features;
  MLP_ASSIGN_OR_RETURN(input.rows, CheckShape(tensor, features));
  if (parser.raw_inputs() > 0) {
    MLP_RETURN_IF_ERROR(FindRaw(parser, *datatype, input));
  } else {
    MLP_RETURN_IF_ERROR(FindTyped(tensor, *datatype, input));
  }
  return input;
}

void CopyRows(const InputRows& input, int64_t first, int64_t count, float* out) {
  const int64_t begin = first * input.features;
  const int64_t values = count * input.features;
  switch (input.value) {
    case Value::kFloat:
      CopyBytes(input, begin * kFloatBytes, values * kFloatBytes, reinterpret_cast<char*>(out));
      return;
    case Value::kDouble:
      CopyValues<double>(input, begin, values, out);
      return;
    case Value::kUint8:
      CopyValues<uint8_t>(input, begin, values, out);
      return;
    case Value::kUint32:
      CopyValues<uint32_t>(input, begin, values, out);
      return;
  }
}

absl::Status RefuseValue(const InputRows& input, int64_t row, int64_t feature, float value) {
  const int64_t index = row * input.features + feature;
  const std::string where = absl::StrCat("inputs[0]: row ", row, ", feature ", feature);
  if (input.value == Value::kDouble) {
    double sent = 0;
    CopyBytes(input, index * kDoubleBytes, kDoubleBytes, reinterpret_cast<char*>(&sent));
    if (std::isfinite(sent)) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, ": expected a number in the range of FP32, got ", sent));
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(where, ": expected a finite number, got ", value));
}

}  // namespace mlp
