#include "client/commands/json_output.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "mlp/v1/model.pb.h"
#include "mlp/v1/training.pb.h"

namespace mlp {
namespace {

TEST(Json, WritesOneLineWithNumbersInFull) {
  v1::ProgressPoint point;
  point.set_cost(0.1 + 0.2);
  point.set_cost_evaluations((int64_t{1} << 53) - 1);
  EXPECT_EQ(
      ToJsonLine(point),
      "{\"iteration\":0,\"cost\":0.30000000000000004,\"gradient_norm\":0,\"step\":0,"
      "\"cost_evaluations\":9007199254740991,\"elapsed_seconds\":0,\"examples_per_second\":0}");
}

TEST(Json, WritesInt64AsNumbersAtEveryDepth) {
  v1::TrainingJob job;
  job.set_id(12);
  job.set_model("17");  // a string stays one
  job.set_state(v1::JOB_STATE_SUCCEEDED);
  job.mutable_create_time()->set_seconds(1);
  auto* evaluation = job.mutable_result()->add_evaluations();
  evaluation->add_confusion(3);
  evaluation->add_confusion(4);
  evaluation->add_classes()->set_support(7);
  const auto json = nlohmann::json::parse(ToJsonLine(job));
  EXPECT_EQ(json["id"], 12);
  EXPECT_TRUE(json["id"].is_number_integer());
  EXPECT_EQ(json["model"], "17");
  EXPECT_EQ(json["state"], "JOB_STATE_SUCCEEDED");
  EXPECT_EQ(json["create_time"], "1970-01-01T00:00:01Z");
  EXPECT_EQ(json["result"]["evaluations"][0]["confusion"], (std::vector<int>{3, 4}));
  EXPECT_TRUE(json["result"]["evaluations"][0]["confusion"][0].is_number());
  EXPECT_EQ(json["result"]["evaluations"][0]["classes"][0]["support"], 7);
  EXPECT_FALSE(json.contains("progress"));
}

TEST(Json, WritesFloatsAsShortAsTheyAre) {
  EXPECT_EQ(ShortestDouble(0.1f), 0.1);
  EXPECT_EQ(static_cast<float>(ShortestDouble(0.98765432f)), 0.98765432f);
}

TEST(Json, RepairsTextThatIsNotUtf8) {
  EXPECT_EQ(ToJsonLine(nlohmann::ordered_json{{"a", "\xff"}}), "{\"a\":\"\xEF\xBF\xBD\"}");
}

}  // namespace
}  // namespace mlp
