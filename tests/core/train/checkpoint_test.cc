#include "core/train/checkpoint.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/hash.h"
#include "core/base/random.h"

namespace mlp {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr absl::string_view kFingerprint = "f1";
constexpr auto kDataLoss = absl::StatusCode::kDataLoss;
constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;

TrainingConfig Config(OptimizerKind kind = OptimizerKind::kAdam) {
  TrainingConfig config;
  config.topology = {.inputs = 2, .layers = {{.units = 3}}};  // 9 weights
  config.optimizer.kind = kind;
  return config;
}

Checkpoint Filled() {
  Checkpoint c;
  c.iterations = 7;
  c.cost_evaluations = 70;
  c.seconds = 1.5;
  c.initial_cost = 2.25;
  c.kept = {.theta = VectorF::LinSpaced(9, 0.0f, 1.0f),
            .iteration = 5,
            .cost = 0.5,
            .validation_cost = 0.75};
  c.recent_costs = {0.9, 0.8};
  c.early_stopping = {.lowest = 0.75, .iterations_since = 2};
  c.state = {.theta = VectorF::LinSpaced(9, 1.0f, 2.0f),
             .velocity = VectorF::LinSpaced(9, 2.0f, 3.0f),
             .mean_square = VectorF::LinSpaced(9, 3.0f, 4.0f),
             .steps = 73};
  c.epoch = {.cost = 12.5, .squared_gradient_norm = 0.125, .rows = 96, .steps = 3};
  c.last_epochs = {VectorF::Constant(9, 1.0f), VectorF::Constant(9, 2.0f)};
  return c;
}

void ExpectError(const std::string& bytes, absl::StatusCode code, const std::string& message,
                 const TrainingConfig& config = Config()) {
  const absl::Status status = ReadCheckpoint(bytes, kFingerprint, config).status();
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(message));
}

// With a checksum that fits again.
std::string Sealed(std::string bytes) {
  bytes.resize(bytes.size() - 4);
  const uint32_t crc = Crc32c(bytes);
  return bytes.append(reinterpret_cast<const char*>(&crc), 4);
}

TEST(Checkpoint, GivesBackWhatWasWritten) {
  const Checkpoint c = Filled();
  const auto read = ReadCheckpoint(WriteCheckpoint(c, kFingerprint), kFingerprint, Config());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->iterations, 7);
  EXPECT_EQ(read->cost_evaluations, 70);
  EXPECT_EQ(read->seconds, 1.5);
  EXPECT_EQ(read->initial_cost, 2.25);
  EXPECT_EQ(read->kept.theta, c.kept.theta);
  EXPECT_EQ(read->kept.iteration, 5);
  EXPECT_EQ(read->kept.cost, 0.5);
  EXPECT_EQ(read->kept.validation_cost, 0.75);
  EXPECT_EQ(read->recent_costs, c.recent_costs);
  EXPECT_EQ(read->early_stopping, c.early_stopping);
  EXPECT_EQ(read->theta.size(), 0);
  EXPECT_EQ(read->state.theta, c.state.theta);
  EXPECT_EQ(read->state.velocity, c.state.velocity);
  EXPECT_EQ(read->state.mean_square, c.state.mean_square);
  EXPECT_EQ(read->state.steps, 73);
  EXPECT_EQ(read->epoch.cost, 12.5);
  EXPECT_EQ(read->epoch.squared_gradient_norm, 0.125);
  EXPECT_EQ(read->epoch.rows, 96);
  EXPECT_EQ(read->epoch.steps, 3);
  EXPECT_EQ(read->last_epochs, c.last_epochs);
  // And the same bytes again.
  EXPECT_EQ(WriteCheckpoint(*read, kFingerprint), WriteCheckpoint(c, kFingerprint));
}

TEST(Checkpoint, OfNoValidationPartHasNoCostOfIt) {
  Checkpoint c = Filled();
  c.kept.validation_cost.reset();
  const auto read = ReadCheckpoint(WriteCheckpoint(c, kFingerprint), kFingerprint, Config());
  ASSERT_TRUE(read.ok());
  EXPECT_FALSE(read->kept.validation_cost.has_value());
}

TEST(Checkpoint, RefusesEveryFlippedBitAndEveryCut) {
  const std::string good = WriteCheckpoint(Filled(), kFingerprint);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    EXPECT_EQ(ReadCheckpoint(bad, kFingerprint, Config()).status().code(), kDataLoss) << i;
    EXPECT_EQ(ReadCheckpoint(good.substr(0, i), kFingerprint, Config()).status().code(), kDataLoss)
        << i;
  }
  ExpectError(good + "x", kDataLoss, "CRC-32C");
  ExpectError("", kDataLoss, "expected the signature of a checkpoint");
}

// Even where the checksum is right, nothing is read past the end and no absurd size is allocated.
TEST(Checkpoint, SurvivesBytesOfAnAttacker) {
  const std::string good = WriteCheckpoint(Filled(), kFingerprint);
  Random random(99, 0);
  for (int i = 0; i < 20'000; ++i) {
    std::string bad = good;
    for (int flips = 0; flips < 3; ++flips) {
      bad[8 + random.Below(bad.size() - 8)] = static_cast<char>(random.Below(256));
    }
    if (random.Below(2) == 0) bad.resize(20 + random.Below(bad.size() - 20));
    (void)ReadCheckpoint(Sealed(bad), kFingerprint, Config());
  }
  // The count of the first array, after signature, version and fingerprint.
  std::string huge = good;
  huge.replace(8 + 4, 8, 8, '\xFF');
  ExpectError(Sealed(huge), kPrecondition, "another");
}

TEST(Checkpoint, RefusesThoseOfOtherTrainings) {
  const std::string bytes = WriteCheckpoint(Filled(), kFingerprint);
  EXPECT_THAT(std::string(ReadCheckpoint(bytes, "f2", Config()).status().message()),
              StartsWith("checkpoint: expected one of this training"));
  EXPECT_EQ(ReadCheckpoint(bytes, "f2", Config()).status().code(), kPrecondition);
  ExpectError(bytes, kPrecondition, "mean square: expected 0 weights, got 9",
              Config(OptimizerKind::kSgd));
  ExpectError(bytes, kPrecondition, "full-batch weights: expected 9 weights, got 0",
              Config(OptimizerKind::kLbfgs));
  TrainingConfig wider = Config();
  wider.topology.layers[0].units = 4;
  ExpectError(bytes, kPrecondition, "expected 12 weights, got 9", wider);
}

TEST(Checkpoint, RefusesAnotherFormatVersion) {
  std::string bytes = WriteCheckpoint(Filled(), kFingerprint);
  bytes[8] = 2;
  ExpectError(Sealed(bytes), kPrecondition, "expected format version 1, got version 2");
}

}  // namespace
}  // namespace mlp
