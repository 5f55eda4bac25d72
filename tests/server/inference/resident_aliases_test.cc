// ResidentModels: aliases; what is kept of a model's versions.
#include <atomic>
#include <thread>

#include "server/inference/retention.h"
#include "tests/server/inference/resident_models_fixture.h"

namespace mlp::testing {
namespace {

class ResidentAliasesTest : public ResidentModelsTest {
 protected:
  void SetAlias(const std::string& alias, int64_t version) {
    ASSERT_TRUE(store_.SetAlias("m", alias, version, std::nullopt).ok());
    models_->Refresh("m");
  }
  int64_t Versions() { return store_.GetModel("m")->version_count(); }
  void Keep(int64_t versions) {
    v1::Retention retention;
    retention.set_keep_versions(versions);
    ASSERT_TRUE(store_.SetRetention("m", retention).ok());
  }
};

TEST_F(ResidentAliasesTest, AnAliasAnswersUntilItIsMoved) {
  Publish("m");
  Publish("m");
  EXPECT_THAT(LoadStatus("m@stable"), IsStatus(absl::StatusCode::kNotFound, "alias stable"));
  SetAlias("stable", 1);
  EXPECT_EQ(Found("m@stable"), 0);
  EXPECT_EQ(Loaded("m@stable"), 1);
  EXPECT_EQ(Found("m@stable"), 1);
  EXPECT_EQ(Loaded("m"), 2);
  SetAlias("stable", 2);
  // Without a Load: the swap is done when Refresh returns.
  EXPECT_EQ(Found("m@stable"), 2);
  EXPECT_EQ(models_->Condition("m@stable").value(), ModelCondition::kReady);
  ASSERT_TRUE(store_.DeleteAlias("m", "stable").ok());
  models_->Refresh("m");
  EXPECT_EQ(Found("m@stable"), 0);
  EXPECT_THAT(LoadStatus("m@stable"), IsStatus(absl::StatusCode::kNotFound, "alias stable"));
  EXPECT_EQ(Found("m"), 2);
}

TEST_F(ResidentAliasesTest, TheNameFollowsTheServingAlias) {
  Publish("m");
  Publish("m");
  EXPECT_EQ(Loaded("m"), 2);
  SetAlias("serving", 1);
  EXPECT_EQ(Found("m"), 1);
  Publish("m");
  EXPECT_EQ(Found("m"), 1);
  SetAlias("serving", 3);
  EXPECT_EQ(Found("m"), 3);
  ASSERT_TRUE(store_.DeleteAlias("m", "serving").ok());
  models_->Refresh("m");
  EXPECT_EQ(Found("m"), 3);
}

TEST_F(ResidentAliasesTest, TheVersionBeforeAnswersWhileAnAliasMovesAndWhereItsVersionIsDamaged) {
  Publish("m");
  Publish("m");
  Publish("m");
  SetAlias("stable", 1);
  Loaded("m@stable");
  store_.Close("m@2");
  std::thread mover([&] { SetAlias("stable", 2); });
  store_.AwaitReaders(1);
  EXPECT_EQ(Found("m@stable"), 1);
  store_.Open("m@2");
  mover.join();
  EXPECT_EQ(Found("m@stable"), 2);
  store_.Damage("m@3");
  SetAlias("stable", 3);
  EXPECT_EQ(Loaded("m@stable"), 2);
  store_.Mend("m@3");
  models_->Refresh("m");
  EXPECT_EQ(Found("m@stable"), 3);
}

// Moved to and fro under callers: always an answer, by one of the two.
TEST_F(ResidentAliasesTest, MovesUnderLoad) {
  Publish("m");
  Publish("m");
  SetAlias("stable", 1);
  std::atomic<bool> stop = false;
  std::thread caller([&] {
    while (!stop) {
      const int64_t version = Loaded("m@stable");
      EXPECT_TRUE(version == 1 || version == 2) << version;
    }
  });
  for (int i = 0; i < 200; ++i) SetAlias("stable", 1 + i % 2);
  stop = true;
  caller.join();
  EXPECT_EQ(Found("m@stable"), 2);
}

TEST_F(ResidentAliasesTest, RetentionDeletesWhatNobodyNeeds) {
  for (int i = 0; i < 6; ++i) Publish("m");
  SetAlias("stable", 1);
  Loaded("m@3");
  ASSERT_TRUE(DeleteSurplusVersions("m", store_, *models_).ok());
  EXPECT_EQ(Versions(), 6);
  Keep(2);
  ASSERT_TRUE(DeleteSurplusVersions("m", store_, *models_).ok());
  // The newest two, the one with an alias, and the one in memory.
  EXPECT_EQ(Versions(), 4);
  for (const int64_t version : {1, 3, 5, 6}) {
    EXPECT_TRUE(store_.GetVersion("m", version).ok()) << version;
  }
  // Room for no other: it goes out of memory.
  MakeRoomFor(1);
  ASSERT_TRUE(store_.DeleteAlias("m", "stable").ok());
  Loaded("m");
  ASSERT_TRUE(DeleteSurplusVersions("m", store_, *models_).ok());
  EXPECT_EQ(Versions(), 2);
  EXPECT_TRUE(DeleteSurplusVersions("nobody", store_, *models_).ok());
}

}  // namespace
}  // namespace mlp::testing
