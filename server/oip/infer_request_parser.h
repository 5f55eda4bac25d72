// inference.ModelInferRequest from its bytes. Its raw contents, nearly all of them, stay where they
// lie; protobuf reads what is left, so that every rule of the format that the protocol's clients
// may lean on is protobuf's own.
#pragma once

#include <cstdint>

#include <google/protobuf/io/zero_copy_stream.h>

#include "inference/grpc_service.pb.h"
#include "server/inference/split_bytes.h"

namespace mlp {

// Used again for the next message, so that its memory is too. Thread-compatible.
class InferRequestParser {
 public:
  // Reads the whole of `in`, whose buffers stay valid until Clear. False for exactly what protobuf
  // refuses. Call Clear before the next one.
  bool Parse(google::protobuf::io::ZeroCopyInputStream& in);

  // All but raw_input_contents.
  const inference::ModelInferRequest& request() const { return request_; }
  // How many raw_input_contents there are, and the first of them.
  int64_t raw_inputs() const { return raw_inputs_; }
  const SplitBytes& raw_input() const { return raw_input_; }

  // Forgets the message, and gives back memory that only large or rare ones need.
  void Clear();

 private:
  // Sorts the fields of message_ into raw_input_ and rest_.
  void SplitFields();

  SplitBytes message_;
  SplitBytes rest_;  // what protobuf reads
  SplitBytes raw_input_;
  int64_t raw_inputs_ = 0;
  inference::ModelInferRequest request_;
};

}  // namespace mlp
