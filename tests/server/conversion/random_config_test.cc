// A configuration at random goes through core's types and comes back as it was.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "tests/server/conversion/config_text.h"

namespace mlp {
namespace {

// Draws messages whose fields are each set or left out. Only values that TrainingConfigFromApi
// takes: ranges are not its concern.
class ConfigDrawer {
 public:
  explicit ConfigDrawer(int64_t seed) : random_(seed, 11) {}

  v1::TrainingConfig Draw() {
    v1::TrainingConfig config;
    hidden_ = static_cast<int>(random_.Below(4));
    DrawNetwork(*config.mutable_network());
    if (Coin()) config.set_lambda(Number());
    if (Coin()) config.mutable_split()->set_training(1);
    config.mutable_split()->set_plain(Coin());
    config.set_scaling(Enum<v1::Scaling>(v1::Scaling_MAX));
    kind_ = Enum<v1::OptimizerKind>(v1::OptimizerKind_MAX);
    mini_batches_ = kind_ >= v1::OPTIMIZER_KIND_SGD;
    DrawOptimizer(*config.mutable_optimizer());
    DrawStopping(*config.mutable_stopping());
    if (mini_batches_) DrawAgainstOverfitting(config);
    if (Coin()) config.mutable_class_weights()->set_balanced(true);
    if (Coin()) config.mutable_class_weights()->add_weights(Number());
    config.set_seed(static_cast<int64_t>(random_.Below(1000)) - 500);
    config.set_check_gradient(Coin());
    return config;
  }

 private:
  bool Coin() { return random_.Below(2) == 1; }
  double Number() { return random_.Uniform() + 0.001; }
  int Count() { return static_cast<int>(random_.Below(100)) + 1; }
  template <typename E>
  E Enum(int last) {
    return static_cast<E>(random_.Below(static_cast<uint64_t>(last) + 1));
  }

  void DrawNetwork(v1::NetworkConfig& network) {
    for (int i = 0; i < hidden_ + 2; ++i) network.add_layers(Count());
    const int activations = Coin() ? 0 : Coin() ? std::min(hidden_, 1) : hidden_;
    for (int i = 0; i < activations; ++i) {
      network.add_activations(Enum<v1::Activation>(v1::ACTIVATION_IDENTITY));
    }
    network.set_cost(Enum<v1::Cost>(v1::Cost_MAX));
    network.set_initialization(Enum<v1::Initialization>(v1::Initialization_MAX));
    if (Coin()) network.set_initialization_epsilon(Number());
  }

  void DrawOptimizer(v1::OptimizerConfig& optimizer) {
    optimizer.set_kind(kind_);
    const bool lbfgs = kind_ == v1::OPTIMIZER_KIND_LBFGS || kind_ == v1::OPTIMIZER_KIND_UNSPECIFIED;
    if (lbfgs && Coin()) optimizer.set_lbfgs_history(Count());
    if (!mini_batches_) return;
    if (Coin()) optimizer.set_batch_size(Count());
    if (Coin()) optimizer.set_learning_rate(Number());
    if (kind_ == v1::OPTIMIZER_KIND_SGD) {
      if (Coin()) optimizer.set_momentum(Coin() ? 0.0 : Number());
      optimizer.set_nesterov(Coin());
    } else {
      if (Coin()) optimizer.set_beta1(Coin() ? 0.0 : Number());
      if (Coin()) optimizer.set_beta2(Number());
      if (Coin()) optimizer.set_epsilon(Number());
    }
    if (kind_ != v1::OPTIMIZER_KIND_ADAM && Coin()) optimizer.set_weight_decay(Number());
    if (Coin()) DrawSchedule(*optimizer.mutable_schedule());
    if (Coin()) optimizer.set_max_gradient_norm(Number());
    if (Coin()) optimizer.set_average_last_epochs(Count());
  }

  void DrawSchedule(v1::LearningRateSchedule& schedule) {
    const auto kind = Enum<v1::LearningRateScheduleKind>(v1::LearningRateScheduleKind_MAX);
    const bool step = kind == v1::LEARNING_RATE_SCHEDULE_KIND_STEP;
    schedule.set_kind(kind);
    if (step && Coin()) schedule.set_step_epochs(Count());
    if ((step || kind == v1::LEARNING_RATE_SCHEDULE_KIND_EXPONENTIAL) && Coin()) {
      schedule.set_factor(Number());
    }
    if (kind == v1::LEARNING_RATE_SCHEDULE_KIND_COSINE && Coin()) {
      schedule.set_final_fraction(Number());
    }
    if (Coin()) schedule.set_warm_up_epochs(Number());
  }

  void DrawStopping(v1::StoppingConfig& stopping) {
    if (mini_batches_) {
      if (Coin()) stopping.set_max_epochs(Count());
    } else {
      if (Coin()) stopping.set_max_iterations(Count());
      if (Coin()) stopping.set_gradient_tolerance(Number());
    }
    if (Coin()) stopping.set_cost_tolerance(Number());
    if (Coin()) stopping.set_cost_window(Count());
    if (Coin()) stopping.set_patience(Count());
    if (Coin()) stopping.set_min_improvement(Number());
    if (Coin()) stopping.mutable_time_limit()->set_seconds(Count());
  }

  void DrawAgainstOverfitting(v1::TrainingConfig& config) {
    v1::RegularizationConfig& regularization = *config.mutable_regularization();
    if (Coin()) regularization.set_l1(Number());
    const int dropouts = Coin() ? 0 : Coin() ? std::min(hidden_, 1) : hidden_;
    for (int i = 0; i < dropouts; ++i) regularization.add_dropout(Number());
    if (Coin()) regularization.set_input_dropout(Number());
    if (Coin()) regularization.set_max_norm(Number());
    v1::AugmentationConfig& augmentation = *config.mutable_augmentation();
    if (Coin()) augmentation.set_elastic_alpha(Number());
    if (Coin()) augmentation.set_elastic_sigma(Number());
    if (Coin()) augmentation.set_max_rotation_degrees(Number());
    if (Coin()) augmentation.set_max_scale(Number());
    if (Coin()) augmentation.set_max_shear(Number());
    if (Coin()) augmentation.set_max_translation(Number());
  }

  Random random_;
  int hidden_ = 0;
  v1::OptimizerKind kind_ = v1::OPTIMIZER_KIND_UNSPECIFIED;
  bool mini_batches_ = false;
};

// What is set in `asked` and not the same in `filled`. Enums that mean a default, and lists of
// which one entry serves all hidden layers, are filled in: they are left out.
std::string Lost(v1::TrainingConfig asked, const v1::TrainingConfig& filled) {
  const auto fill_list = [](auto* list, const auto& from) {
    if (list->size() == 1) list->CopyFrom(from);
    if (list->empty()) list->CopyFrom(from);
  };
  fill_list(asked.mutable_network()->mutable_activations(), filled.network().activations());
  for (int i = 0; i < asked.network().activations_size(); ++i) {
    if (asked.network().activations(i) == v1::ACTIVATION_UNSPECIFIED) {
      asked.mutable_network()->set_activations(i, v1::ACTIVATION_SIGMOID);
    }
  }
  fill_list(asked.mutable_regularization()->mutable_dropout(), filled.regularization().dropout());
  v1::TrainingConfig merged = filled;
  merged.mutable_network()->clear_layers();
  merged.mutable_network()->clear_activations();
  merged.mutable_regularization()->clear_dropout();
  merged.mutable_class_weights()->clear_weights();
  merged.MergeFrom(asked);
  // Both sides have the messages that clearing and filling made.
  v1::TrainingConfig expected = filled;
  expected.mutable_regularization();
  expected.mutable_class_weights();
  expected.mutable_augmentation();
  merged.mutable_augmentation();
  return Difference(expected, merged);
}

TEST(RandomConfig, ComesBackWithItsDefaultsFilledIn) {
  for (int64_t seed = 1; seed <= 2000; ++seed) {
    const v1::TrainingConfig asked = ConfigDrawer(seed).Draw();
    const auto config = TrainingConfigFromApi(asked, v1::FEATURE_TYPE_FLOAT32);
    ASSERT_TRUE(config.ok()) << "seed " << seed << ": " << config.status() << "\n"
                             << asked.DebugString();
    const v1::TrainingConfig filled = TrainingConfigToApi(*config);
    EXPECT_EQ(Lost(asked, filled), "") << "seed " << seed;
    const auto again = TrainingConfigFromApi(filled, v1::FEATURE_TYPE_UINT8);
    ASSERT_TRUE(again.ok()) << "seed " << seed << ": " << again.status();
    EXPECT_EQ(Difference(filled, TrainingConfigToApi(*again)), "") << "seed " << seed;
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace mlp
