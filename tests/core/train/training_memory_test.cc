#include "core/train/training_memory.h"

#include <gtest/gtest.h>

namespace mlp {
namespace {

TrainingConfig Config(int hidden) {
  TrainingConfig config;
  config.topology = {400, {{hidden, Activation::kSigmoid}, {10, Activation::kSigmoid}}};
  return config;
}

DatasetSchema Digits() {
  DatasetSchema schema;
  schema.features = 400;
  schema.feature_type = FeatureType::kUint8;
  schema.class_names.resize(10);
  return schema;
}

TEST(TrainingMemory, CountsWhatGrows) {
  const int64_t base = TrainingMemory(Config(25), Digits(), 5000, 2);
  // 5,000 rows of 400 bytes, again as floats, and 10,285 weights in 66 doubles and more.
  EXPECT_GT(base, 5000 * 400 * 5 + 10285 * 66 * 8);
  EXPECT_LT(base, 5000 * 400 * 5 + 10285 * 66 * 8 + (32 << 20));
  // Of more rows, not all are kept as floats.
  const int64_t many = TrainingMemory(Config(25), Digits(), 50'000, 2);
  EXPECT_GT(many, base + 45'000 * 400);
  EXPECT_LT(many, base + 45'000 * (400 + 16) + (32 << 20));
  EXPECT_EQ(TrainingMemory(Config(25), Digits(), 60'000, 2), many + 10'000 * (400 + 4 + 8));
  EXPECT_GT(TrainingMemory(Config(50), Digits(), 5000, 2), base + 10000 * 66 * 8);
  EXPECT_GT(TrainingMemory(Config(25), Digits(), 5000, 8), base);
}

TEST(TrainingMemory, ConjugateGradientAndAShortHistoryNeedLess) {
  TrainingConfig config = Config(1000);
  const int64_t lbfgs = TrainingMemory(config, Digits(), 5000, 1);
  config.optimizer.lbfgs_history = 5;
  const int64_t short_history = TrainingMemory(config, Digits(), 5000, 1);
  config.optimizer.kind = OptimizerKind::kConjugateGradient;
  EXPECT_LT(short_history, lbfgs);
  EXPECT_LT(TrainingMemory(config, Digits(), 5000, 1), short_history);
}

TrainingConfig Mnist(OptimizerKind kind) {
  TrainingConfig config;
  config.topology = {784, {{800, Activation::kRelu}, {10, Activation::kSoftmax}}};
  config.optimizer.kind = kind;
  return config;
}

// The figure that a job of mini-batches is held to: the dataset, 4 x weights, the activations of a
// block a thread, 64 MiB. Adam has one vector more: in the state, the checkpoint and, of the first
// layer, transposed. Averaging has one more an epoch.
TEST(TrainingMemory, OfMiniBatchesIsThatOfBytesAndAFewVectors) {
  DatasetSchema schema;
  schema.features = 784;
  schema.feature_type = FeatureType::kUint8;
  schema.class_names.resize(10);
  const int64_t weights = 785 * 800 + 801 * 10;
  const int64_t sgd = TrainingMemory(Mnist(OptimizerKind::kSgd), schema, 60'000, 2);
  EXPECT_GT(sgd, 60'000 * 784 + 4 * weights * 4);
  EXPECT_LT(sgd, 60'000 * 784 + 4 * weights * 4 + (64 << 20));
  const int64_t adam = TrainingMemory(Mnist(OptimizerKind::kAdam), schema, 60'000, 2);
  EXPECT_GE(adam, sgd + 2 * weights * 4);
  EXPECT_LT(adam, sgd + 4 * weights * 4);
  // A row: its bytes, its label, its place in the split and in the order of the epoch.
  EXPECT_GE(TrainingMemory(Mnist(OptimizerKind::kSgd), schema, 70'000, 2),
            sgd + 10'000 * (784 + 4 + 8 + 8));
  TrainingConfig averaging = Mnist(OptimizerKind::kSgd);
  averaging.optimizer.average_last_epochs = 5;
  EXPECT_EQ(TrainingMemory(averaging, schema, 60'000, 2), sgd + 10 * weights * 4);
  TrainingConfig large_batches = Mnist(OptimizerKind::kSgd);
  large_batches.optimizer.batch_size = 8192;
  EXPECT_GT(TrainingMemory(large_batches, schema, 60'000, 2), sgd + 8000 * (784 + 4 * 810) * 4);
}

TEST(TrainingMemory, DoesNotOverflow) {
  EXPECT_GT(TrainingMemory(Config(650000), Digits(), int64_t{1} << 42, 1024), int64_t{1} << 50);
}

}  // namespace
}  // namespace mlp
