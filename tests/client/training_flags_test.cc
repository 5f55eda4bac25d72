// `mlpctl train`: from the command line to the request, and from the server's refusals to the
// flags.
#include "client/commands/training_flags.h"

#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "client/commands/error_line.h"
#include "client/commands/field_flags.h"

namespace mlp {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// The request that these flags make, after those that every training needs.
absl::StatusOr<v1::CreateTrainingJobRequest> Request(const std::string& flags,
                                                     const std::string& layers = "400,25,10") {
  CLI::App app;
  TrainingFlags training;
  AddTrainingFlags(app, training);
  app.parse(absl::StrCat("digits --dataset sheet --layers ", layers, " ", flags));
  return MakeTrainingRequest(training);
}

std::string Config(const std::string& flags) {
  const auto request = Request(flags);
  EXPECT_TRUE(request.ok()) << request.status();
  return request->config().ShortDebugString();
}

// What is said about a flag that is wrong.
std::string Error(const std::string& flags, const std::string& layers = "400,25,10") {
  const auto request = Request(flags, layers);
  EXPECT_TRUE(IsUsageError(request.status())) << request.status();
  return std::string(request.status().message());
}

TEST(TrainingFlags, DefaultsLeaveTheRestToTheServer) {
  v1::CreateTrainingJobRequest expected;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        model: "digits"
        dataset: "sheet"
        config {
          network { layers: [ 400, 25, 10 ] }
          lambda: 1
          split { training: 0.7 test: 0.3 }
          optimizer { schedule {} }
          stopping {}
          seed: 1
          regularization {}
          augmentation {}
        }
      )pb",
      &expected));
  const auto request = Request("");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->ShortDebugString(), expected.ShortDebugString());
}

TEST(TrainingFlags, EveryFlagReachesTheRequest) {
  v1::CreateTrainingJobRequest expected;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(
        model: "digits"
        dataset: "sheet"
        request_id: "abc"
        config {
          network {
            layers: [ 400, 25, 10 ]
            activations: [ ACTIVATION_TANH ]
            cost: COST_SOFTMAX_CROSS_ENTROPY
            initialization: INITIALIZATION_UNIFORM
            initialization_epsilon: 0.5
          }
          initial_model: "digits@3"
          lambda: 0.25
          split { training: 0.5 validation: 0.25 test: 0.25 plain: true }
          scaling: SCALING_MIN_MAX
          seed: -9
          check_gradient: true
          class_weights { weights: [ 1, 2.5 ] }
          augmentation {
            elastic_alpha: 34
            elastic_sigma: 5
            max_rotation_degrees: 15
            max_scale: 0.1
            max_shear: 0.2
            max_translation: 2
          }
          optimizer {
            kind: OPTIMIZER_KIND_ADAMW
            lbfgs_history: 7
            batch_size: 64
            learning_rate: 0.01
            momentum: 0
            nesterov: true
            beta1: 0.8
            beta2: 0.9
            epsilon: 1e-6
            weight_decay: 0
            schedule {
              kind: LEARNING_RATE_SCHEDULE_KIND_COSINE
              step_epochs: 3
              factor: 0.5
              final_fraction: 0.1
              warm_up_epochs: 1.5
            }
            max_gradient_norm: 5
            average_last_epochs: 4
          }
          regularization {
            l1: 0.001
            dropout: [ 0.5, 0.25 ]
            input_dropout: 0.2
            max_norm: 3
          }
          stopping {
            max_iterations: 12
            max_epochs: 40
            cost_tolerance: 1e-3
            cost_window: 5
            gradient_tolerance: 1e-4
            patience: 6
            min_improvement: 1e-5
            time_limit { seconds: 90 nanos: 500000000 }
          }
        }
      )pb",
      &expected));
  const auto request = Request(
      "--activation tanh --cost softmax --init uniform --init-epsilon 0.5 --from digits@3 "
      "--lambda 0.25 --split 0.5/0.25/0.25 --plain --scaling min-max --seed -9 --check-gradient "
      "--class-weights 1,2.5 --elastic 34,5 --rotate 15 --scale 0.1 --shear 0.2 --translate 2 "
      "--optimizer adamw --history 7 --batch-size 64 --learning-rate 0.01 --momentum 0 --nesterov "
      "--beta1 0.8 --beta2 0.9 --epsilon 1e-6 --weight-decay 0 --schedule cosine --step-epochs 3 "
      "--decay-factor 0.5 --final-fraction 0.1 --warm-up-epochs 1.5 --clip 5 --average-epochs 4 "
      "--l1 0.001 --dropout 0.5,0.25 --input-dropout 0.2 --max-norm 3 --max-iterations 12 "
      "--epochs 40 --cost-tolerance 1e-3 --cost-window 5 --gradient-tolerance 1e-4 --patience 6 "
      "--min-improvement 1e-5 --time-limit 1m30.5s --request-id abc");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->ShortDebugString(), expected.ShortDebugString());
}

TEST(TrainingFlags, WordsNameWhatTheySay) {
  EXPECT_THAT(Config("--optimizer cg"), HasSubstr("OPTIMIZER_KIND_CONJUGATE_GRADIENT"));
  EXPECT_THAT(Config("--optimizer sgd"), HasSubstr("OPTIMIZER_KIND_SGD"));
  EXPECT_THAT(Config("--optimizer adam"), HasSubstr("OPTIMIZER_KIND_ADAM "));
  EXPECT_THAT(Config("--schedule step"), HasSubstr("LEARNING_RATE_SCHEDULE_KIND_STEP"));
  EXPECT_THAT(Config("--schedule exponential"),
              HasSubstr("LEARNING_RATE_SCHEDULE_KIND_EXPONENTIAL"));
  EXPECT_THAT(Config("--class-weights balanced"), HasSubstr("class_weights { balanced: true }"));
  EXPECT_THAT(Config("--elastic 34"), HasSubstr("augmentation { elastic_alpha: 34 }"));
}

TEST(TrainingFlags, UnknownWordsAreRefusedWithTheKnownOnes) {
  EXPECT_EQ(Error("--optimizer rprop"),
            "--optimizer: expected one of lbfgs, cg, sgd, adam, adamw, got \"rprop\"");
  EXPECT_EQ(Error("--schedule linear"),
            "--schedule: expected one of constant, step, exponential, cosine, got \"linear\"");
  EXPECT_EQ(Error("--activation relu,swish"),
            "--activation: expected one of sigmoid, tanh, relu, identity, step, got \"swish\"");
  EXPECT_THAT(Error("--cost mse"), HasSubstr("sigmoid, softmax"));
  EXPECT_THAT(Error("--init zero"), HasSubstr("uniform, glorot, he"));
  EXPECT_THAT(Error("--scaling x"), HasSubstr("--scaling"));
}

TEST(TrainingFlags, ListsAreOfNumbers) {
  EXPECT_EQ(Error("--dropout 0.5,x"),
            "--dropout: expected a share, or one a hidden layer such as 0.5,0.3, got \"0.5,x\"");
  EXPECT_THAT(Error("--dropout nan"), StartsWith("--dropout: expected"));
  EXPECT_EQ(Error("--class-weights equal"),
            "--class-weights: expected balanced, or one weight a class such as 1,2,3, got "
            "\"equal\"");
  EXPECT_EQ(Error("--elastic 34,4,1"),
            "--elastic: expected ALPHA or ALPHA,SIGMA such as 34,4, got \"34,4,1\"");
  EXPECT_THAT(Error("--elastic 34,"), StartsWith("--elastic: expected"));
}

TEST(TrainingFlags, LayersAreTwoOrMorePositiveNumbers) {
  EXPECT_THAT(Error("", "400"), HasSubstr("at least 2 layers"));
  EXPECT_THAT(Error("", "400,0,10"), HasSubstr("400,0,10"));
  EXPECT_THAT(Error("", "400,,10"), HasSubstr("--layers"));
  EXPECT_THAT(Error("", "4,99999999999"), HasSubstr("--layers"));
}

TEST(TrainingFlags, TimeLimitIsAPositiveDuration) {
  for (const char* bad : {"5", "-5m", "inf"}) {
    EXPECT_THAT(Error(absl::StrCat("--time-limit=", bad)), HasSubstr("--time-limit")) << bad;
  }
}

// Numbers that are none are the parser's to refuse: it names the flag, too.
TEST(TrainingFlags, NumbersThatAreNoneAreRefusedByTheParser) {
  for (const char* bad : {"--epochs x", "--learning-rate fast", "--momentum high"}) {
    EXPECT_THROW(Request(bad).IgnoreError(), CLI::ParseError) << bad;
  }
}

TEST(TrainingFlags, HelpIsInGroups) {
  CLI::App app;
  TrainingFlags training;
  AddTrainingFlags(app, training);
  const std::string help = app.help();
  for (const char* group : {"Network:", "Data:", "Augmentation", "Optimizer:", "Mini-batches",
                            "Regularization:", "When to stop:"}) {
    EXPECT_THAT(help, HasSubstr(absl::StrCat("\n", group)));
  }
}

// Adds the path of every field that holds a value, from `type` down.
void AddPaths(const google::protobuf::Descriptor& type, const std::string& prefix,
              std::vector<std::string>& paths) {
  for (int i = 0; i < type.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *type.field(i);
    const std::string path = absl::StrCat(prefix, field.name());
    const bool ours = field.message_type() != nullptr && !field.is_repeated() &&
                      absl::StartsWith(field.message_type()->full_name(), "mlp.v1.");
    if (ours) {
      AddPaths(*field.message_type(), path + ".", paths);
    } else {
      paths.push_back(path);
    }
  }
}

TEST(FieldFlags, EveryFieldHasItsFlag) {
  CLI::App app;
  TrainingFlags training;
  AddTrainingFlags(app, training);
  std::vector<std::string> paths;
  AddPaths(*v1::CreateTrainingJobRequest::descriptor(), "", paths);
  ASSERT_GT(paths.size(), 50u);
  for (const std::string& path : paths) {
    if (absl::StartsWith(path, "config.study")) continue;
    const absl::Status status =
        NameTheFlag(absl::InvalidArgumentError(absl::StrCat(path, ": expected 1, got 2")));
    const std::string message(status.message());
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    const std::string flag = message.substr(0, message.find(':'));
    EXPECT_NE(app.get_option_no_throw(flag), nullptr) << path << " is " << flag;
    EXPECT_THAT(message, HasSubstr(": expected 1, got 2"));
  }
}

TEST(FieldFlags, KeepsWhatFollowsTheFieldAndOtherErrors) {
  const auto named = [](const char* message) {
    return std::string(NameTheFlag(absl::FailedPreconditionError(message)).message());
  };
  EXPECT_EQ(named("config.network.activations[1]: expected x"), "--activation[1]: expected x");
  EXPECT_EQ(named("config.split: the test part is empty"), "--split: the test part is empty");
  EXPECT_EQ(named("model digits: not found"), "model digits: not found");
  EXPECT_EQ(named("the server is stopping"), "the server is stopping");
  EXPECT_TRUE(NameTheFlag(absl::OkStatus()).ok());
}

}  // namespace
}  // namespace mlp
