// The schema of ONNX and that of our API in one program, on one libprotobuf.
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "core/onnx/onnx.h"
#include "mlp/v1/model.pb.h"
#include "tests/core/artifact/example_artifact.h"

namespace mlp {
namespace {

TEST(OnnxWithApi, BothSchemasAreRegisteredOnce) {
  const google::protobuf::DescriptorPool& pool =
      *google::protobuf::DescriptorPool::generated_pool();
  EXPECT_EQ(pool.FindMessageTypeByName("onnx.ModelProto"), onnx::ModelProto::descriptor());
  EXPECT_EQ(pool.FindMessageTypeByName("mlp.v1.Model"), v1::Model::descriptor());
}

TEST(OnnxWithApi, BothKindsOfMessagesWork) {
  v1::ModelVersion version;
  version.set_version(3);
  v1::ModelVersion copy;
  ASSERT_TRUE(copy.ParseFromString(version.SerializeAsString()));
  EXPECT_EQ(copy.version(), 3);
  EXPECT_TRUE(ReadOnnx(WriteOnnx(ExampleArtifact())).ok());
}

}  // namespace
}  // namespace mlp
