#include "server/oip/infer_request_parser.h"

#include <google/protobuf/io/coded_stream.h>

#include "server/inference/wire_format.h"

namespace mlp {
namespace {

using google::protobuf::io::CodedInputStream;

constexpr uint32_t kRawInputContents = BytesTag(7);
// Protobuf refuses tags and lengths of more bytes.
constexpr int kMaxVarint32Bytes = 5;

// Memory of a message that is kept for the next one.
constexpr size_t kKeptBytes = size_t{1} << 18;
constexpr int64_t kPlainBytes = 512;

// Too little to be worth counting what memory it has taken, which takes longer than reading it.
// Only where that cannot add up over many requests: what is cleared keeps its place in a list.
bool IsPlain(const inference::ModelInferRequest& request, int64_t bytes) {
  return bytes <= kPlainBytes && request.inputs_size() <= 1 && request.outputs_size() <= 2 &&
         (request.inputs_size() == 0 || !request.inputs(0).has_contents());
}

// The bytes of the raw contents whose tag begins at `start` and was just read; -1 where this is not
// how protobuf would read them.
int RawSize(CodedInputStream& in, int start) {
  const int length_start = in.CurrentPosition();
  int size = 0;
  if (length_start - start > kMaxVarint32Bytes || !in.ReadVarintSizeAsInt(&size) ||
      in.CurrentPosition() - length_start > kMaxVarint32Bytes) {
    return -1;
  }
  const int values_start = in.CurrentPosition();
  return in.Skip(size) && in.CurrentPosition() - values_start == size ? size : -1;
}

}  // namespace

bool InferRequestParser::Parse(google::protobuf::io::ZeroCopyInputStream& in) {
  message_.TakeAll(in);
  SplitFields();
  SplitBytesStream rest(rest_);
  if (!request_.ParseFromZeroCopyStream(&rest)) return false;
  if (raw_inputs_ == 0 && request_.raw_input_contents_size() > 0) {
    raw_input_.Append(request_.raw_input_contents(0));
  }
  raw_inputs_ += request_.raw_input_contents_size();
  return true;
}

// Fields of one number keep their order and fields of different numbers need none, so protobuf
// reads the rest as it would have read it with the raw contents in between. From the first field on
// that is not plainly understood (a group, or no field at all), everything is its affair.
void InferRequestParser::SplitFields() {
  SplitBytesStream stream(message_);
  CodedInputStream in(&stream);
  int rest_start = 0;  // of the bytes that are not raw contents and not yet in rest_
  int start = 0;
  while (const uint32_t tag = in.ReadTag()) {
    if (tag != kRawInputContents) {
      if (!SkipField(in, tag)) break;
    } else {
      const int size = RawSize(in, start);
      if (size < 0) break;
      const int end = in.CurrentPosition();
      rest_.AppendRange(message_, rest_start, start - rest_start);
      if (raw_inputs_ == 0) raw_input_.AppendRange(message_, end - size, size);
      ++raw_inputs_;
      rest_start = end;
    }
    start = in.CurrentPosition();
  }
  rest_.AppendRange(message_, rest_start, message_.size() - rest_start);
}

void InferRequestParser::Clear() {
  if (!IsPlain(request_, rest_.size()) && request_.SpaceUsedLong() > kKeptBytes) {
    inference::ModelInferRequest().Swap(&request_);
  } else {
    request_.Clear();
  }
  message_.Clear();
  rest_.Clear();
  raw_input_.Clear();
  raw_inputs_ = 0;
}

}  // namespace mlp
