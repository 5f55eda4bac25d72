#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/commands/command.h"
#include "client/commands/dataset_flags.h"
#include "client/commands/error_line.h"
#include "client/commands/predict_flags.h"
#include "client/commands/training_flags.h"

namespace mlp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TrainingFlags Valid() {
  TrainingFlags flags;
  flags.model = "digits";
  flags.dataset = "sheet";
  flags.layers = "400,25,10";
  return flags;
}

// What is said about flags that are wrong in one place.
std::string Error(void (*spoil)(TrainingFlags&)) {
  TrainingFlags flags = Valid();
  spoil(flags);
  const auto request = MakeTrainingRequest(flags);
  EXPECT_TRUE(IsUsageError(request.status())) << request.status();
  return std::string(request.status().message());
}

TEST(TrainingFlags, DefaultsLeaveTheRestToTheServer) {
  const auto request = MakeTrainingRequest(Valid());
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->model(), "digits");
  EXPECT_EQ(request->dataset(), "sheet");
  const v1::TrainingConfig& config = request->config();
  EXPECT_THAT(config.network().layers(), ElementsAre(400, 25, 10));
  EXPECT_EQ(config.network().activations_size(), 0);
  EXPECT_EQ(config.network().cost(), v1::COST_UNSPECIFIED);
  EXPECT_EQ(config.lambda(), 1);
  EXPECT_EQ(config.seed(), 1);
  EXPECT_DOUBLE_EQ(config.split().training(), 0.7);
  EXPECT_DOUBLE_EQ(config.split().test(), 0.3);
  EXPECT_FALSE(config.split().plain());
  EXPECT_FALSE(config.stopping().has_time_limit());
  EXPECT_EQ(config.stopping().max_iterations(), 0);
}

TEST(TrainingFlags, EveryFlagReachesTheRequest) {
  TrainingFlags flags = Valid();
  flags.layers = "4,3,2,2";
  flags.activation = "tanh,relu";
  flags.cost = "softmax";
  flags.lambda = 0.25;
  flags.init = "uniform";
  flags.init_epsilon = 0.5;
  flags.scaling = "min-max";
  flags.optimizer = "cg";
  flags.history = 7;
  flags.split = "0.5/0.25/0.25";
  flags.plain = true;
  flags.seed = -9;
  flags.max_iterations = 12;
  flags.cost_tolerance = 1e-3;
  flags.gradient_tolerance = 1e-4;
  flags.time_limit = "1m30.5s";
  flags.check_gradient = true;
  flags.request_id = "abc";
  const auto request = MakeTrainingRequest(flags);
  ASSERT_TRUE(request.ok()) << request.status();
  const v1::TrainingConfig& config = request->config();
  EXPECT_THAT(config.network().activations(),
              ElementsAre(v1::ACTIVATION_TANH, v1::ACTIVATION_RELU));
  EXPECT_EQ(config.network().cost(), v1::COST_SOFTMAX_CROSS_ENTROPY);
  EXPECT_EQ(config.lambda(), 0.25);
  EXPECT_EQ(config.network().initialization(), v1::INITIALIZATION_UNIFORM);
  EXPECT_EQ(config.network().initialization_epsilon(), 0.5);
  EXPECT_EQ(config.scaling(), v1::SCALING_MIN_MAX);
  EXPECT_EQ(config.optimizer().kind(), v1::OPTIMIZER_KIND_CONJUGATE_GRADIENT);
  EXPECT_EQ(config.optimizer().lbfgs_history(), 7);
  EXPECT_EQ(config.split().validation(), 0.25);
  EXPECT_TRUE(config.split().plain());
  EXPECT_EQ(config.seed(), -9);
  EXPECT_EQ(config.stopping().max_iterations(), 12);
  EXPECT_EQ(config.stopping().cost_tolerance(), 1e-3);
  EXPECT_EQ(config.stopping().gradient_tolerance(), 1e-4);
  EXPECT_EQ(config.stopping().time_limit().seconds(), 90);
  EXPECT_EQ(config.stopping().time_limit().nanos(), 500'000'000);
  EXPECT_TRUE(config.check_gradient());
  EXPECT_EQ(request->request_id(), "abc");
}

TEST(TrainingFlags, UnknownWordsAreRefusedWithTheKnownOnes) {
  EXPECT_EQ(Error([](TrainingFlags& f) { f.optimizer = "sgd"; }),
            "--optimizer: expected one of lbfgs, cg, got \"sgd\"");
  EXPECT_EQ(Error([](TrainingFlags& f) { f.activation = "relu,swish"; }),
            "--activation: expected one of sigmoid, tanh, relu, identity, step, got \"swish\"");
  EXPECT_THAT(Error([](TrainingFlags& f) { f.cost = "mse"; }), HasSubstr("sigmoid, softmax"));
  EXPECT_THAT(Error([](TrainingFlags& f) { f.init = "zero"; }), HasSubstr("uniform, glorot, he"));
  EXPECT_THAT(Error([](TrainingFlags& f) { f.scaling = "x"; }), HasSubstr("--scaling"));
}

TEST(TrainingFlags, LayersAreTwoOrMorePositiveNumbers) {
  EXPECT_THAT(Error([](TrainingFlags& f) { f.layers = "400"; }), HasSubstr("at least 2 layers"));
  EXPECT_THAT(Error([](TrainingFlags& f) { f.layers = "400,0,10"; }), HasSubstr("400,0,10"));
  EXPECT_THAT(Error([](TrainingFlags& f) { f.layers = "400,,10"; }), HasSubstr("--layers"));
  EXPECT_THAT(Error([](TrainingFlags& f) { f.layers = "4,99999999999"; }), HasSubstr("--layers"));
}

TEST(TrainingFlags, TimeLimitIsAPositiveDuration) {
  EXPECT_THAT(Error([](TrainingFlags& f) { f.time_limit = "5"; }), HasSubstr("--time-limit"));
  EXPECT_THAT(Error([](TrainingFlags& f) { f.time_limit = "-5m"; }), HasSubstr("--time-limit"));
  EXPECT_THAT(Error([](TrainingFlags& f) { f.time_limit = "inf"; }), HasSubstr("--time-limit"));
}

TEST(Split, TakesPercentAndFractions) {
  EXPECT_DOUBLE_EQ(ParseSplit("60/20/20")->validation(), 0.2);
  EXPECT_DOUBLE_EQ(ParseSplit("0.6/0.2/0.2")->validation(), 0.2);
  EXPECT_DOUBLE_EQ(ParseSplit("100/0/0")->training(), 1);
  EXPECT_DOUBLE_EQ(ParseSplit("1/0/0")->training(), 1);
  EXPECT_DOUBLE_EQ(ParseSplit("33.4/33.3/33.3")->training(), 0.334);
}

TEST(Split, RefusesWhatDoesNotSumUp) {
  EXPECT_THAT(ParseSplit("70/10/30").status().message(), HasSubstr("which sums to 110"));
  for (const char* bad : {"", "70", "70/30", "70/0/30/0", "a/b/c", "-10/10/100", "nan/0/1"}) {
    EXPECT_TRUE(IsUsageError(ParseSplit(bad).status())) << bad;
  }
}

TEST(Rows, AreHalfOpenRanges) {
  EXPECT_EQ(ParseRows("3:8")->first, 3);
  EXPECT_EQ(ParseRows("3:8")->last, 8);
  EXPECT_EQ(ParseRows(":8")->first, 0);
  EXPECT_EQ(ParseRows("3:")->last, std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ParseRows("3")->last, 4);
  EXPECT_EQ(ParseRows("3:8")->step, 1);
  EXPECT_EQ(ParseRows("3:8:2")->step, 2);
  for (const char* bad_step : {"3:8:0", "3:8:-1", "3:8:", "3:8:x", "3:8:1:1"}) {
    EXPECT_TRUE(IsUsageError(ParseRows(bad_step).status())) << bad_step;
  }
  for (const char* bad : {"", ":0", "8:3", "3:3", "-1:2", "a:b", "9223372036854775807"}) {
    EXPECT_TRUE(IsUsageError(ParseRows(bad).status())) << bad;
  }
}

TEST(PartAndState, AreWords) {
  EXPECT_EQ(*ParsePart("train"), v1::DATASET_PART_TRAINING);
  EXPECT_EQ(*ParsePart("test"), v1::DATASET_PART_TEST);
  EXPECT_THAT(ParsePart("rest").status().message(), HasSubstr("train, validation, test, all"));
  EXPECT_EQ(*ParseJobState("RUNNING"), v1::JOB_STATE_RUNNING);
}

TEST(UploadFlags, NameExactlyOneSource) {
  EXPECT_TRUE(IsUsageError(OpenSource({}).status()));
  UploadFlags flags;
  flags.sheet = "s.png";
  EXPECT_EQ(OpenSource(flags).status().message(), "--sheet: needs --cell WIDTHxHEIGHT");
  flags.csv = "t.csv";
  EXPECT_THAT(OpenSource(flags).status().message(), HasSubstr("got 2"));
  flags = {};
  flags.images = "i";
  EXPECT_EQ(OpenSource(flags).status().message(), "--images: needs --labels FILE");
  flags = {};
  flags.csv = "t.csv";
  flags.classes = "a";
  EXPECT_THAT(OpenSource(flags).status().message(), HasSubstr("--classes: expected"));
}

TEST(ErrorLine, SaysHowToStartAServerThatCannotBeReached) {
  EXPECT_EQ(ErrorLine(absl::UnavailableError("failed to connect to all addresses; last error: "
                                             "UNKNOWN: ipv4:127.0.0.1:8001: Failed to connect to "
                                             "remote host: Connection refused"),
                      "127.0.0.1:8001"),
            "mlpctl: cannot reach mlpd at 127.0.0.1:8001 (connection refused). Start it with: mlpd "
            "--data-dir DIR");
  EXPECT_EQ(ErrorLine(absl::UnavailableError("the server is draining"), "h:1"),
            "mlpctl: mlpd at h:1 is unavailable: the server is draining");
}

TEST(ErrorLine, IsOneLine) {
  EXPECT_EQ(ErrorLine(absl::InvalidArgumentError("lambda: expected\n0 or more, got -1"), "h:1"),
            "mlpctl: lambda: expected 0 or more, got -1");
  EXPECT_EQ(ErrorLine(absl::NotFoundError("dataset x"), "h:1"), "mlpctl: dataset x (NOT_FOUND)");
}

TEST(RequestId, IsNewEachTime) {
  EXPECT_EQ(NewRequestId().size(), 32u);
  EXPECT_NE(NewRequestId(), NewRequestId());
}

}  // namespace
}  // namespace mlp
