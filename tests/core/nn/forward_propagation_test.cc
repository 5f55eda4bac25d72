#include "core/nn/forward_propagation.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/thread_pool.h"
#include "core/nn/initialization.h"
#include "core/nn/parallel_forward.h"
#include "core/nn/propagation.h"
#include "core/nn/weighted_sums.h"

namespace mlp {
namespace {

Vector<float> Parameters(const Topology& topology, double epsilon) {
  return InitialParameters(topology, {.kind = InitializationKind::kUniform, .epsilon = epsilon}, 5)
      .cast<float>();
}

std::vector<float> Rows(const Topology& topology, int64_t rows) {
  std::vector<float> inputs;
  for (int64_t i = 0; i < rows * topology.inputs; ++i) {
    inputs.push_back(std::sin(0.37f * static_cast<float>(i) + 0.2f));
  }
  return inputs;
}

std::vector<float> Outputs(const ForwardPropagation& propagation, const float* inputs,
                           int64_t rows) {
  PropagationScratch scratch;
  std::vector<float> outputs(static_cast<size_t>(rows * propagation.topology().outputs()), -1.0f);
  propagation.Run(inputs, rows, outputs.data(), scratch);
  return outputs;
}

// docs/numerics.md, 2 and 3: equal bits where the sums keep them, otherwise within the bound.
void ExpectSameRow(const float* actual, const float* expected, int64_t count, float bound) {
  for (int64_t k = 0; k < count; ++k) {
    if (WeightedSumsKeepTheirBits()) {
      ASSERT_EQ(actual[k], expected[k]) << "output " << k;
    } else {
      ASSERT_NEAR(actual[k], expected[k], bound) << "output " << k;
    }
  }
}

constexpr float kBound = 1e-5f;

const std::vector<Activation> kHidden = {Activation::kSigmoid, Activation::kTanh, Activation::kRelu,
                                         Activation::kIdentity};

TEST(ForwardPropagation, IsWhatThePropagationThatTrainsComputes) {
  for (const Activation hidden : kHidden) {
    for (const Activation output : {Activation::kSigmoid, Activation::kSoftmax, Activation::kTanh,
                                    Activation::kRelu, Activation::kIdentity}) {
      SCOPED_TRACE(std::string(ActivationName(hidden)) + ", " +
                   std::string(ActivationName(output)));
      const Topology topology = {.inputs = 45,
                                 .layers = {{.units = 33, .activation = hidden},
                                            {.units = 9, .activation = hidden},
                                            {.units = 7, .activation = output}}};
      const Vector<float> theta = Parameters(topology, 0.3);
      const std::vector<float> inputs = Rows(topology, 50);
      Propagation<float> propagation(topology, 50);
      propagation.Forward(theta.data(), inputs.data(), 50);
      const std::vector<float> outputs =
          Outputs(ForwardPropagation(topology, theta.data()), inputs.data(), 50);
      for (size_t i = 0; i < outputs.size(); ++i) {
        ASSERT_EQ(outputs[i], propagation.outputs().data()[i]);
      }
    }
  }
}

TEST(ForwardPropagation, PropagatesStepUnits) {
  const Topology topology = {
      .inputs = 2, .layers = {{.units = 1, .activation = Activation::kStep, .threshold = 1.5f}}};
  const std::vector<float> theta = {1, 1, 0};
  const std::vector<float> inputs = {0, 0, 0, 1, 1, 0, 1, 1};
  EXPECT_EQ(Outputs(ForwardPropagation(topology, theta.data()), inputs.data(), 4),
            (std::vector<float>{0, 0, 0, 1}));
}

TEST(ForwardPropagation, ARowIsTheSameAloneAndInEveryBlock) {
  for (const Activation output : {Activation::kSigmoid, Activation::kSoftmax, Activation::kTanh}) {
    const Topology topology = {.inputs = 401,
                               .layers = {{.units = 25, .activation = Activation::kSigmoid},
                                          {.units = 1100, .activation = Activation::kTanh},
                                          {.units = 11, .activation = output}}};
    const Vector<float> theta = Parameters(topology, 0.12);
    const ForwardPropagation propagation(topology, theta.data());
    constexpr int64_t kRows = 300;
    const std::vector<float> inputs = Rows(topology, kRows);
    const int64_t outputs = topology.outputs();
    std::vector<float> alone;
    for (int64_t row = 0; row < kRows; ++row) {
      const std::vector<float> one = Outputs(propagation, inputs.data() + row * topology.inputs, 1);
      alone.insert(alone.end(), one.begin(), one.end());
    }
    for (const int64_t rows : {2, 3, 5, 8, 13, 64, 65, 256, 300}) {
      // At the front, at the back and in between.
      for (const int64_t first : {int64_t{0}, (kRows - rows) / 2, kRows - rows}) {
        SCOPED_TRACE(testing::Message() << rows << " rows from " << first);
        const std::vector<float> block =
            Outputs(propagation, inputs.data() + first * topology.inputs, rows);
        ExpectSameRow(block.data(), alone.data() + first * outputs, rows * outputs, kBound);
      }
    }
  }
}

TEST(ForwardPropagation, HasNoBlocksOfRowsForNoRows) {
  const Topology topology = {.inputs = 3, .layers = {{.units = 2}}};
  const Vector<float> theta = Parameters(topology, 0.1);
  EXPECT_TRUE(Outputs(ForwardPropagation(topology, theta.data()), nullptr, 0).empty());
}

TEST(ForwardPropagation, CountsItsOperations) {
  const Topology topology = {.inputs = 400, .layers = {{.units = 25}, {.units = 10}}};
  const Vector<float> theta = Parameters(topology, 0.1);
  EXPECT_EQ(ForwardPropagation(topology, theta.data()).flops_per_row(), 2 * (400 * 25 + 25 * 10));
}

TEST(ForwardPropagation, TakesFewerRowsAtOnceOfVeryWideNetworks) {
  const Topology narrow = {.inputs = 400, .layers = {{.units = 25}, {.units = 10}}};
  EXPECT_GE(RecommendedBlockRows(narrow), 64);
  EXPECT_LE(RecommendedBlockRows(narrow), 256);
  const Topology wide = {.inputs = 1, .layers = {{.units = kMaxUnits}, {.units = 1}}};
  EXPECT_EQ(RecommendedBlockRows(wide), 1);
  EXPECT_GE(RecommendedBlockRows({.inputs = 1, .layers = {{.units = 1}}}), 64);
}

TEST(PropagationScratch, GrowsToWhatIsAskedAndStaysAligned) {
  PropagationScratch scratch;
  EXPECT_EQ(scratch.bytes(), 0);
  for (const int64_t count : {1, 100, 7, 1000}) {
    float* values = scratch.Take(count);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(values) % 64, 0u);
    std::fill_n(values, count, 1.0f);
  }
  EXPECT_EQ(scratch.bytes(), 4000);
}

TEST(PropagationScratch, ServesModelsOfDifferentSizeInTurn) {
  const Topology small = {.inputs = 4, .layers = {{.units = 3}, {.units = 2}}};
  const Topology large = {.inputs = 4, .layers = {{.units = 300}, {.units = 70}, {.units = 5}}};
  const Vector<float> small_theta = Parameters(small, 0.3);
  const Vector<float> large_theta = Parameters(large, 0.3);
  const ForwardPropagation of_small(small, small_theta.data());
  const ForwardPropagation of_large(large, large_theta.data());
  const std::vector<float> inputs = Rows(small, 10);
  PropagationScratch shared;
  for (int round = 0; round < 2; ++round) {
    for (const ForwardPropagation* propagation : {&of_small, &of_large}) {
      std::vector<float> outputs(static_cast<size_t>(10 * propagation->topology().outputs()));
      propagation->Run(inputs.data(), 10, outputs.data(), shared);
      EXPECT_EQ(outputs, Outputs(*propagation, inputs.data(), 10));
    }
  }
}

// Large enough that layers are divided, with units that no number of threads divides.
TEST(ParallelForward, ComputesWhatOneThreadDoes) {
  for (const Activation output : {Activation::kSigmoid, Activation::kSoftmax}) {
    const Topology topology = {.inputs = 301,
                               .layers = {{.units = 1009, .activation = Activation::kTanh},
                                          {.units = 997, .activation = Activation::kSigmoid},
                                          {.units = 503, .activation = output}}};
    const Vector<float> theta = Parameters(topology, 0.1);
    const ForwardPropagation propagation(topology, theta.data());
    for (const int threads : {1, 2, 3, 5}) {
      ThreadPool pool({.threads = threads, .idle_priority = false});
      PropagationScratch scratch;
      for (const int64_t rows : {1, 7, 64, 65, 200, 700}) {
        SCOPED_TRACE(testing::Message() << threads << " threads, " << rows << " rows");
        const std::vector<float> inputs = Rows(topology, rows);
        const std::vector<float> expected = Outputs(propagation, inputs.data(), rows);
        std::vector<float> outputs(expected.size(), -1.0f);
        ParallelForward(propagation, inputs.data(), rows, outputs.data(), pool, scratch);
        ExpectSameRow(outputs.data(), expected.data(), static_cast<int64_t>(expected.size()),
                      kBound);
      }
    }
  }
}

TEST(ParallelForward, RunsSmallNetworksToo) {
  const Topology topology = {.inputs = 4, .layers = {{.units = 3}, {.units = 2}}};
  const Vector<float> theta = Parameters(topology, 0.3);
  const ForwardPropagation propagation(topology, theta.data());
  ThreadPool pool({.threads = 3, .idle_priority = false});
  PropagationScratch scratch;
  for (const int64_t rows : {0, 1, 2, 5, 1000}) {
    const std::vector<float> inputs = Rows(topology, rows);
    std::vector<float> outputs(static_cast<size_t>(2 * rows));
    ParallelForward(propagation, inputs.data(), rows, outputs.data(), pool, scratch);
    const std::vector<float> expected = Outputs(propagation, inputs.data(), rows);
    ExpectSameRow(outputs.data(), expected.data(), 2 * rows, kBound);
  }
}

}  // namespace
}  // namespace mlp
