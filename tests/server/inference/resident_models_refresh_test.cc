// ResidentModels: versions that come and go, damage, unloading.
#include <atomic>
#include <vector>

#include "tests/server/inference/resident_models_fixture.h"

namespace mlp::testing {
namespace {

TEST_F(ResidentModelsTest, TheOldVersionAnswersUntilTheNewOneIsLoaded) {
  Publish("m");
  Loaded("m");
  store_.Close("m");
  std::thread publisher([&] { Publish("m"); });
  store_.AwaitReaders(1);
  EXPECT_EQ(Found("m"), 1);
  EXPECT_EQ(Loaded("m"), 1);
  EXPECT_EQ(models_->Condition("m").value(), ModelCondition::kReady);
  EXPECT_EQ(models_->Condition("m@2").value(), ModelCondition::kLoading);
  store_.Open("m");
  publisher.join();
  // Without a Load: the swap is done when Refresh returns.
  EXPECT_EQ(Found("m"), 2);
  EXPECT_EQ(Found("m@1"), 1);
}

TEST_F(ResidentModelsTest, RefreshLoadsNothingThatWasNotInMemory) {
  Publish("m");
  Publish("other");
  Loaded("m");
  Publish("other");
  EXPECT_EQ(Found("other"), 0);
  EXPECT_EQ(models_->models(), 1);
}

TEST_F(ResidentModelsTest, ALoadUnderWayTakesTheVersionPublishedMeanwhile) {
  Publish("m");
  store_.Close("m@1");
  std::thread caller([&] { EXPECT_EQ(Loaded("m"), 2); });
  store_.AwaitReaders(1);
  Publish("m");
  // Not joined to the load that began before.
  EXPECT_EQ(Loaded("m"), 2);
  store_.Open("m@1");
  caller.join();
  EXPECT_EQ(Found("m"), 2);
}

TEST_F(ResidentModelsTest, PublishersAtOnceAllSeeTheirVersion) {
  Publish("m");
  Loaded("m");
  std::vector<std::thread> publishers;
  for (int i = 0; i < 4; ++i) {
    publishers.emplace_back([&] {
      for (int j = 0; j < 5; ++j) {
        const int64_t version = Publish("m");
        EXPECT_GE(Found("m"), version);
      }
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  EXPECT_EQ(Found("m"), 21);
}

// What another Refresh has under way is not done yet.
TEST_F(ResidentModelsTest, ARefreshThatIsOvertakenStillEndsWithTheNewVersion) {
  Publish("m");
  Loaded("m");
  store_.Close("m@2");
  temporary_.Publish("m", DiagonalArtifact(1));
  store_.HoldNextGetModel();
  std::atomic<bool> has_returned = false;
  std::thread overtaken([&] {
    models_->Refresh("m");
    has_returned = true;
    EXPECT_EQ(Found("m"), 2);
  });
  store_.AwaitReaders(1);
  std::thread other([&] { models_->Refresh("m"); });
  store_.AwaitReaders(2);
  const int model_reads = store_.model_reads();
  store_.LetGo();
  while (!has_returned && store_.model_reads() == model_reads) std::this_thread::yield();
  EXPECT_FALSE(has_returned);
  EXPECT_EQ(Found("m"), 1);
  store_.Open("m@2");
  overtaken.join();
  other.join();
}

TEST_F(ResidentModelsTest, AModelDeletedWhileItLoadsIsNotFound) {
  for (const bool by_number : {false, true}) {
    const int64_t version = Publish("m");
    const std::string reference = by_number ? absl::StrCat("m@", version) : "m";
    store_.Close("m");
    std::thread caller(
        [&] { EXPECT_EQ(LoadStatus(reference).code(), absl::StatusCode::kNotFound); });
    store_.AwaitReaders(1);
    ASSERT_TRUE(store_.DeleteModel("m").ok());
    models_->Refresh("m");
    EXPECT_EQ(LoadStatus(reference).code(), absl::StatusCode::kNotFound);
    store_.Open("m");
    caller.join();
    EXPECT_EQ(models_->models(), 0);
    EXPECT_EQ(models_->bytes(), 0);
  }
}

TEST_F(ResidentModelsTest, ADeletedVersionIsNoLongerFound) {
  Publish("m");
  Publish("m");
  const auto second = models_->Load("m").value();
  EXPECT_NE(models_->Statistics("m", 2), nullptr);
  ASSERT_TRUE(store_.DeleteVersion("m", 2).ok());
  models_->Refresh("m");
  EXPECT_EQ(Found("m@2"), 0);
  EXPECT_EQ(Found("m"), 1);  // m was in memory
  EXPECT_EQ(LoadStatus("m@2").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(models_->Condition("m@2").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(models_->Statistics("m", 2), nullptr);
  EXPECT_EQ(models_->bytes(), 2 * OneModel());  // `second` is still in use
}

TEST_F(ResidentModelsTest, ADeletedModelTakesItsStateAlong) {
  Publish("m");
  models_->Load("m").value()->statistics().Failed(1);
  ASSERT_TRUE(models_->Unload("m").ok());
  ASSERT_TRUE(store_.DeleteModel("m").ok());
  models_->Refresh("m");
  EXPECT_EQ(LoadStatus("m").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(models_->Statistics("m", 1), nullptr);
  // One that comes again under its name is a new one.
  const int64_t version = Publish("m");
  EXPECT_EQ(Loaded("m"), version);
}

TEST_F(ResidentModelsTest, ADamagedNewestVersionLeavesThePreviousOneServing) {
  Publish("m");
  Loaded("m");
  store_.Damage("m@2");
  Publish("m");
  const int reads = store_.reads();
  EXPECT_EQ(Found("m"), 1);
  EXPECT_EQ(Loaded("m"), 1);
  EXPECT_EQ(store_.reads(), reads);  // not tried again for every request
  EXPECT_EQ(models_->Condition("m").value(), ModelCondition::kReady);
  EXPECT_EQ(models_->Condition("m@2").value(), ModelCondition::kDamaged);
  EXPECT_EQ(LoadStatus("m@2").code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(models_->Reload("m").code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Found("m"), 1);
  Publish("m");
  EXPECT_EQ(Found("m"), 3);
}

TEST_F(ResidentModelsTest, ANewestVersionWithoutRoomLeavesThePreviousOneServing) {
  Publish("m");
  MakeRoomFor(1);
  auto first = models_->Load("m").value();
  Publish("m");
  EXPECT_EQ(models_->Load("m").value(), first);
  EXPECT_EQ(LoadStatus("m@2").code(), absl::StatusCode::kResourceExhausted);
  first = nullptr;
  EXPECT_EQ(Loaded("m"), 2);
  EXPECT_EQ(Found("m"), 2);
  EXPECT_EQ(Found("m@1"), 0);
}

TEST_F(ResidentModelsTest, AnUnloadedModelIsRefusedUntilReload) {
  Publish("m");
  Loaded("m");
  ASSERT_TRUE(models_->Unload("m").ok());
  EXPECT_EQ(models_->models(), 0);
  EXPECT_EQ(Found("m"), 0);
  EXPECT_THAT(LoadStatus("m"), IsStatus(absl::StatusCode::kUnavailable, "model m: unloaded"));
  EXPECT_EQ(LoadStatus("m@1").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(models_->Condition("m").value(), ModelCondition::kUnloaded);
  EXPECT_EQ(models_->Condition("m@9").status().code(), absl::StatusCode::kNotFound);
  Publish("m");
  EXPECT_EQ(LoadStatus("m").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(models_->Condition("m@2").value(), ModelCondition::kUnloaded);
  ASSERT_TRUE(models_->Reload("m").ok());
  EXPECT_EQ(Found("m"), 2);
  EXPECT_EQ(Loaded("m@1"), 1);
}

TEST_F(ResidentModelsTest, AModelNeverLoadedCanBeUnloaded) {
  Publish("m");
  ASSERT_TRUE(models_->Unload("m").ok());
  EXPECT_EQ(LoadStatus("m").code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(models_->Reload("m").ok());
}

TEST_F(ResidentModelsTest, OnlyModelsThatExistAreUnloadedAndReloaded) {
  EXPECT_EQ(models_->Unload("m").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(models_->Reload("m").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(models_->Unload("M!").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(models_->Reload("m@1").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(models_->Condition("m").status().code(), absl::StatusCode::kNotFound);
  // The refused Unload left nothing behind.
  Publish("m");
  EXPECT_EQ(models_->Condition("m").value(), ModelCondition::kStored);
  EXPECT_EQ(Loaded("m"), 1);
}

TEST_F(ResidentModelsTest, AModelUnloadedWhileItLoadsStaysOut) {
  Publish("m");
  store_.Close("m");
  std::thread caller([&] { EXPECT_EQ(LoadStatus("m").code(), absl::StatusCode::kUnavailable); });
  store_.AwaitReaders(1);
  ASSERT_TRUE(models_->Unload("m").ok());
  EXPECT_EQ(LoadStatus("m").code(), absl::StatusCode::kUnavailable);
  store_.Open("m");
  caller.join();
  EXPECT_EQ(models_->models(), 0);
}

}  // namespace
}  // namespace mlp::testing
