// Models loaded ahead of the first request.
#include "server/inference/preload.h"

#include "tests/server/inference/resident_models_fixture.h"

namespace mlp::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class PreloadTest : public ResidentModelsTest {
 protected:
  PreloadResult Run(const std::string& list) { return Preload(list, store_, *models_); }
};

TEST_F(PreloadTest, LoadsWhatIsNamed) {
  for (const char* name : {"a", "b", "b", "c"}) Publish(name);
  EXPECT_THAT(Run("").failures, IsEmpty());
  EXPECT_EQ(models_->models(), 0);
  const PreloadResult result = Run("a,b@1");
  EXPECT_EQ(result.loaded, 2);
  EXPECT_THAT(result.failures, IsEmpty());
  EXPECT_EQ(Found("a"), 1);
  EXPECT_EQ(Found("b@1"), 1);
  EXPECT_EQ(Found("b"), 0);
  EXPECT_EQ(Found("c"), 0);
}

TEST_F(PreloadTest, AllAreTheNewestVersions) {
  for (const char* name : {"a", "b", "b", "empty"}) Publish(name);
  ASSERT_TRUE(store_.DeleteVersion("empty", 1).ok());
  const PreloadResult result = Run("all");
  EXPECT_EQ(result.loaded, 2);
  EXPECT_THAT(result.failures, IsEmpty());
  EXPECT_EQ(Found("a"), 1);
  EXPECT_EQ(Found("b"), 2);
  EXPECT_EQ(models_->models(), 2);
}

TEST_F(PreloadTest, AllCanBeMoreThanAPage) {
  constexpr int kModels = 1003;
  for (int i = 0; i < kModels; ++i) Publish(absl::StrCat("m", i));
  EXPECT_EQ(Run("all").loaded, kModels);
  EXPECT_EQ(models_->models(), kModels);
}

TEST_F(PreloadTest, AModelThatCannotBeLoadedHoldsUpNoOther) {
  for (const char* name : {"a", "damaged", "z"}) Publish(name);
  store_.Damage("damaged@1");
  const PreloadResult result = Run("a,damaged,nobody,z");
  EXPECT_EQ(result.loaded, 2);
  ASSERT_THAT(result.failures, SizeIs(2));
  EXPECT_THAT(result.failures[0], IsStatus(absl::StatusCode::kDataLoss, "model damaged@1: "));
  EXPECT_THAT(result.failures[1], IsStatus(absl::StatusCode::kNotFound, "model nobody: not found"));
  EXPECT_EQ(Found("a"), 1);
  EXPECT_EQ(Found("z"), 1);
  EXPECT_EQ(Run("all").loaded, 2);
}

TEST_F(PreloadTest, AllEndsWhereTheMemoryIsFull) {
  for (const char* name : {"a", "b", "c", "d", "e"}) Publish(name);
  MakeRoomFor(3);
  const PreloadResult result = Run("all");
  EXPECT_EQ(result.loaded, 3);
  ASSERT_THAT(result.failures, SizeIs(1));
  EXPECT_THAT(result.failures[0],
              IsStatus(absl::StatusCode::kResourceExhausted, "full: loaded 3 of 5"));
  EXPECT_EQ(models_->bytes(), 3 * OneModel());
}

}  // namespace
}  // namespace mlp::testing
