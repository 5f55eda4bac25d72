// What is said of a training while it runs, and of its configuration.
#include "client/commands/progress_text.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "client/commands/config_text.h"

namespace mlp {
namespace {

v1::ProgressPoint Point() {
  v1::ProgressPoint point;
  point.set_iteration(12);
  point.set_cost(0.1234567);
  point.set_validation_cost(0.25);
  point.set_gradient_norm(0.5);
  point.set_step(0.05);
  point.set_examples_per_second(51234.7);
  point.set_elapsed_seconds(75);
  point.set_seconds_left(112);
  return point;
}

TEST(ProgressText, SaysAllOfAnEpoch) {
  EXPECT_EQ(ProgressText(Point(), true),
            "epoch 12  cost 0.123457  validation cost 0.25  gradient 0.5  rate 0.05  "
            "51,234 examples/s  1:15");
}

TEST(ProgressText, LeavesOutWhatIsNotKnown) {
  v1::ProgressPoint point = Point();
  point.clear_validation_cost();
  point.clear_examples_per_second();
  EXPECT_EQ(ProgressText(point, false),
            "iteration 12  cost 0.123457  gradient 0.5  step 0.05  1:15");
}

TEST(LiveProgress, FitsAnOrdinaryTerminal) {
  const TerminalStyle narrow = {.terminal = true, .utf8 = false, .width = 80};
  EXPECT_EQ(RenderProgress(LiveProgress(Point(), true, 30, narrow), narrow),
            "epoch  12/30  cost 0.1235  validation 0.25  51,234 examples/s  1:52 left");
  const TerminalStyle wide = {.terminal = true, .utf8 = false, .width = 120};
  EXPECT_EQ(RenderProgress(LiveProgress(Point(), true, 30, wide), wide),
            "epoch  [##########              ]  12/30  cost 0.1235  validation 0.25  rate 0.05  "
            "51,234 examples/s  1:52 left");
}

std::string Described(const std::string& text) {
  v1::TrainingConfig config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config)) << text;
  std::string description;
  for (const Setting& setting : DescribeConfig(config)) {
    description += setting.name + ": " + setting.value + "\n";
  }
  return description;
}

TEST(ConfigText, SaysWhatWasAskedFor) {
  EXPECT_EQ(Described(R"pb(
              network {
                layers: [ 784, 800, 10 ]
                activations: ACTIVATION_RELU
                cost: COST_SOFTMAX_CROSS_ENTROPY
              }
              initial_model: "digits@3"
              lambda: 0.5
              split { training: 0.8 validation: 0.1 test: 0.1 }
              optimizer {
                kind: OPTIMIZER_KIND_SGD
                batch_size: 1024
                learning_rate: 0.1
                momentum: 0.9
                nesterov: true
                weight_decay: 1e-4
                schedule { kind: LEARNING_RATE_SCHEDULE_KIND_COSINE warm_up_epochs: 2 }
                max_gradient_norm: 5
                average_last_epochs: 4
              }
              regularization {
                dropout: [ 0.5 ]
                input_dropout: 0.2
              }
              class_weights { weights: [ 1, 2.5 ] }
              augmentation { elastic_alpha: 34 elastic_sigma: 4 max_rotation_degrees: 10 }
              stopping {
                max_epochs: 40
                patience: 5
                time_limit { seconds: 300 }
              }
              seed: 7
            )pb"),
            "layers: 784-800-10\n"
            "activation: relu\n"
            "cost function: softmax_cross_entropy\n"
            "starts from: digits@3\n"
            "lambda: 0.5\n"
            "regularization: dropout 0.5, input dropout 0.2\n"
            "augmentation: elastic alpha 34, sigma 4, rotation 10\n"
            "class weights: 1/2.5\n"
            "optimizer: sgd, batches of 1,024, Nesterov momentum 0.9, weight decay 0.0001, "
            "clipped at 5, mean of the last 4 epochs\n"
            "learning rate: 0.1, cosine, warm-up epochs 2\n"
            "stops: epochs 40, 5:00, patience 5\n"
            "split: 80/10/10 stratified\n"
            "seed: 7\n");
}

TEST(ConfigText, LeavesOutWhatAsksForNothing) {
  EXPECT_EQ(Described(R"pb(
              network { layers: [ 4, 3 ] }
              split { training: 1 }
              optimizer { kind: OPTIMIZER_KIND_LBFGS lbfgs_history: 20 }
              stopping { max_iterations: 1000 cost_tolerance: 1e-6 gradient_tolerance: 1e-7 }
            )pb"),
            "layers: 4-3\n"
            "activation: default\n"
            "cost function: default\n"
            "initialization: default\n"
            "scaling: default\n"
            "lambda: 0\n"
            "optimizer: lbfgs, history 20\n"
            "stops: iterations 1000, cost tolerance 1e-06, gradient tolerance 1e-07\n"
            "split: 100/0/0 stratified\n"
            "seed: 0\n");
}

}  // namespace
}  // namespace mlp
