#include "core/train/block_inputs.h"

#include <algorithm>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace mlp {
namespace {

constexpr int kFeatures = 784;
constexpr int kUnits = 2;

// Values of which `share` is not 0.
Examples ManyZeros(int64_t rows, double share) {
  Random random(8, 0);
  Examples examples;
  examples.features.resize(rows, kFeatures);
  for (float& value : examples.features.reshaped()) {
    value = random.Uniform() < share ? static_cast<float>(random.Uniform(-1.0, 1.0)) : 0.0f;
  }
  examples.labels.assign(static_cast<size_t>(rows), 0);
  return examples;
}

// How many blocks came as whole rows, of all; each is compared with what it was made of.
int CheckBlocks(const Examples& examples, const RowBlocks& blocks, const VectorF& theta,
                BlockInputs& inputs) {
  const MatrixF weights = ConstMatrixMap<float>(theta.data(), kUnits, kFeatures);
  int whole = 0;
  for (int block = 0; block < blocks.count(); ++block) {
    const int rows = blocks.rows(block);
    const MatrixF expected = examples.features.middleRows(blocks.begin(block), rows);
    whole += inputs.With(block, /*worker=*/block % 2, [&](auto&& of_block) {
      if constexpr (std::is_same_v<std::decay_t<decltype(of_block)>, const float*>) {
        EXPECT_EQ(ConstMatrixMap<float>(of_block, rows, kFeatures), expected) << block;
        return 1;
      } else {
        MatrixF sums(rows, kUnits);
        of_block.WeightedSums(sums.data());
        EXPECT_LT((sums - expected * weights.transpose()).cwiseAbs().maxCoeff(), 1e-4f) << block;
        return 0;
      }
    });
  }
  return whole;
}

class BlockInputsOfShare : public testing::TestWithParam<double> {};

INSTANTIATE_TEST_SUITE_P(Shares, BlockInputsOfShare, testing::Values(0.28, 1.0),
                         [](const auto& tested) {
                           return tested.param < 1.0 ? std::string("Lists") : std::string("Rows");
                         });

// More than is kept: the last blocks are made anew, with others between.
TEST_P(BlockInputsOfShare, AreThoseOfTheirRows) {
  const Topology topology = {.inputs = kFeatures, .layers = {{.units = kUnits}}};
  const ParameterLayout layout(topology);
  const Examples examples = ManyZeros(6000, GetParam());
  const RowBlocks blocks(topology, examples.rows());
  const PartRows rows = RowsOf(examples);
  ThreadPool pool({.threads = 2});
  BlockInputs inputs(rows, blocks, layout.layers[0], pool);
  VectorF theta = VectorF::Random(layout.size);
  theta.tail(kUnits).setZero();
  inputs.SetWeights(theta.data(), pool);
  const int whole = CheckBlocks(examples, blocks, theta, inputs);
  EXPECT_EQ(CheckBlocks(examples, blocks, theta, inputs), whole);
  EXPECT_EQ(whole, GetParam() < 1.0 && SparseInputs::IsSupported() ? 0 : blocks.count());
}

TEST(BlockInputs, AskForStoredRowsWhereThereIsNoRoomToKeepThem) {
  const Topology topology = {.inputs = kFeatures, .layers = {{.units = kUnits}}};
  const ParameterLayout layout(topology);
  for (const int64_t count : {1000, 6000}) {
    const RowBlocks blocks(topology, count);
    int64_t copied = 0;
    PartRows rows = {.count = count, .features = kFeatures, .copy = {}, .labels = {}};
    rows.copy = [&copied](int64_t, int64_t some, float* out) {
      copied += some;
      std::fill_n(out, some * kFeatures, 1.0f);
    };
    ThreadPool pool({});
    BlockInputs inputs(rows, blocks, layout.layers[0], pool);
    copied = 0;
    for (int block = 0; block < blocks.count(); ++block) {
      inputs.With(block, 0, [](auto&&) { return 0; });
    }
    const int64_t kept = count - copied;
    const int64_t kept_bytes = kept * kFeatures * static_cast<int64_t>(sizeof(float));
    EXPECT_LE(kept_bytes, BlockInputs::kMostKeptBytes);
    if (count == 1000) {
      EXPECT_EQ(copied, 0);
    } else {
      EXPECT_GT(copied, 0);
      EXPECT_GT(kept_bytes, BlockInputs::kMostKeptBytes - (1 << 20));
    }
  }
}

TEST(PartRows, OfADatasetAreItsScaledRows) {
  Dataset dataset;
  dataset.schema.features = 2;
  dataset.schema.feature_type = FeatureType::kUint8;
  dataset.schema.class_names = {"a", "b"};
  dataset.features = {1, 2, 3, 4, 5, 6};
  dataset.labels = {0, 1, 1};
  dataset.weights = {1.0f, 2.0f, 3.0f};
  const auto scaler = FeatureScaler::Create({1.0f, 0.0f}, {2.0f, 1.0f});
  ASSERT_TRUE(scaler.ok());
  const TrainingData data = {
      .dataset = dataset, .split = {}, .scaler = *scaler, .weights = dataset.weights};
  const std::vector<int64_t> some = {2, 0};
  const PartRows rows = RowsOf(data, some);
  EXPECT_EQ(rows.count, 2);
  EXPECT_EQ(rows.features, 2);
  EXPECT_EQ(rows.labels, (std::vector<int32_t>{1, 0}));
  EXPECT_EQ(rows.weights, (std::vector<float>{3.0f, 1.0f}));
  std::vector<float> values(2);
  rows.copy(1, 1, values.data());
  EXPECT_EQ(values, (std::vector<float>{0.0f, 2.0f}));
  rows.copy(0, 1, values.data());
  EXPECT_EQ(values, (std::vector<float>{8.0f, 6.0f}));
}

}  // namespace
}  // namespace mlp
