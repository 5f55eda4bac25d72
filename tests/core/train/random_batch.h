// Made-up examples of one mini-batch, for the tests of steps.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/random.h"
#include "core/nn/network.h"
#include "core/train/mini_batch_step.h"

namespace mlp {

struct RandomBatch {
  std::vector<float> inputs;
  std::vector<int32_t> labels;
  std::vector<float> weights;

  // `share` of the inputs is in [-1, 1], the others are 0.
  RandomBatch(const Topology& topology, int64_t rows, double share, bool weighted, int64_t seed) {
    Random random(seed, 0);
    for (int64_t i = 0; i < rows * topology.inputs; ++i) {
      const bool kept = share == 1.0 || random.Uniform() < share;
      inputs.push_back(kept ? static_cast<float>(random.Uniform(-1.0, 1.0)) : 0.0f);
    }
    for (int64_t i = 0; i < rows; ++i) {
      labels.push_back(
          static_cast<int32_t>(random.Below(static_cast<uint64_t>(topology.outputs()))));
      if (weighted) weights.push_back(static_cast<float>(random.Uniform(0.2, 3.0)));
    }
  }

  MiniBatch batch() const { return {inputs.data(), labels, weights}; }
};

}  // namespace mlp
