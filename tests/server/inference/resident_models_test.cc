// ResidentModels: finding, loading, and staying within the memory budget.
#include "server/inference/resident_models.h"

#include <atomic>
#include <vector>

#include "server/retry_delay.h"
#include "tests/server/inference/resident_models_fixture.h"

namespace mlp::testing {
namespace {

TEST_F(ResidentModelsTest, FindsAModelOnceItIsLoaded) {
  Publish("m");
  EXPECT_EQ(models_->Find("m"), nullptr);
  EXPECT_EQ(models_->Find("m@1"), nullptr);
  const auto model = models_->Load("m").value();
  EXPECT_EQ(model->name(), "m");
  EXPECT_EQ(model->version(), 1);
  EXPECT_EQ(models_->Find("m"), model);
  EXPECT_EQ(models_->Find("m@1"), model);
  EXPECT_EQ(models_->Load("m@01").value(), model);
  EXPECT_EQ(models_->models(), 1);
  EXPECT_EQ(models_->bytes(), model->bytes());
}

TEST_F(ResidentModelsTest, AVersionByNumberIsNotTheNewest) {
  Publish("m");
  Publish("m");
  EXPECT_EQ(Loaded("m@1"), 1);
  EXPECT_EQ(Found("m"), 0);
  EXPECT_EQ(Loaded("m"), 2);
  EXPECT_EQ(Found("m@1"), 1);
}

TEST_F(ResidentModelsTest, SaysWhatIsMissing) {
  Publish("m");
  const auto not_found = absl::StatusCode::kNotFound;
  EXPECT_THAT(LoadStatus("nobody"), IsStatus(not_found, "model nobody: not found"));
  EXPECT_THAT(LoadStatus("nobody@1"), IsStatus(not_found, "model nobody: not found"));
  EXPECT_THAT(LoadStatus("m@9"), IsStatus(not_found, "model m version 9: not found"));
  EXPECT_THAT(LoadStatus("m@stable"), IsStatus(not_found, "model m: no alias stable"));
  EXPECT_THAT(LoadStatus("../m"), IsStatus(absl::StatusCode::kInvalidArgument, "model: expected"));
  EXPECT_EQ(models_->models(), 0);
  // A name that was not there is found when it comes.
  Publish("nobody");
  EXPECT_EQ(Loaded("nobody"), 1);
}

TEST_F(ResidentModelsTest, ManyCallersShareOneLoad) {
  Publish("m");
  store_.Close("m");
  std::atomic<int> begun = 0;
  std::vector<std::thread> callers;
  std::vector<std::shared_ptr<const ServableModel>> models(8);
  for (size_t i = 0; i < models.size(); ++i) {
    callers.emplace_back([&, i] {
      ++begun;
      models[i] = models_->Load(i % 2 == 0 ? "m" : "m@1").value();
    });
  }
  while (begun < 8) std::this_thread::yield();
  store_.AwaitReaders(1);
  EXPECT_EQ(models_->Condition("m").value(), ModelCondition::kLoading);
  EXPECT_EQ(models_->Condition("m@1").value(), ModelCondition::kLoading);
  store_.Open("m");
  for (std::thread& caller : callers) caller.join();
  EXPECT_THAT(models, ::testing::Each(models_->Find("m")));
  EXPECT_EQ(store_.reads(), 1);
}

TEST_F(ResidentModelsTest, DifferentModelsLoadSideBySide) {
  Publish("slow");
  Publish("quick");
  store_.Close("slow");
  std::thread caller([&] { EXPECT_EQ(Loaded("slow"), 1); });
  store_.AwaitReaders(1);
  EXPECT_EQ(Loaded("quick"), 1);
  EXPECT_EQ(Found("slow"), 0);
  store_.Open("slow");
  caller.join();
  EXPECT_EQ(Found("slow"), 1);
}

TEST_F(ResidentModelsTest, CallersOfOneLoadShareItsError) {
  Publish("m");
  store_.Damage("m@1");
  store_.Close("m");
  std::atomic<int> begun = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      ++begun;
      EXPECT_EQ(LoadStatus("m").code(), absl::StatusCode::kDataLoss);
    });
  }
  while (begun < 4) std::this_thread::yield();
  store_.AwaitReaders(1);
  store_.Open("m");
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(models_->models(), 0);
  EXPECT_EQ(models_->Condition("m").value(), ModelCondition::kDamaged);
  // The next use tries again.
  store_.Mend("m@1");
  EXPECT_EQ(Loaded("m"), 1);
  EXPECT_EQ(models_->Condition("m").value(), ModelCondition::kReady);
}

TEST_F(ResidentModelsTest, LetsTheLeastRecentlyUsedModelGo) {
  for (const char* name : {"a", "b", "c", "d"}) Publish(name);
  MakeRoomFor(3);
  for (const char* name : {"a", "b", "c"}) Loaded(name);
  EXPECT_EQ(Found("a"), 1);
  EXPECT_EQ(Found("b@1"), 1);
  Loaded("d");  // c goes
  EXPECT_EQ(models_->models(), 3);
  EXPECT_EQ(models_->bytes(), 3 * OneModel());
  EXPECT_EQ(Found("c"), 0);
  EXPECT_EQ(Found("c@1"), 0);
  EXPECT_EQ(models_->Condition("c").value(), ModelCondition::kStored);
  Loaded("c");  // a goes
  EXPECT_EQ(Found("a"), 0);
  EXPECT_EQ(Found("b"), 1);
  EXPECT_EQ(Found("d"), 1);
}

TEST_F(ResidentModelsTest, NeverLetsAModelGoThatIsInUse) {
  for (const char* name : {"a", "b", "c"}) Publish(name);
  MakeRoomFor(2);
  auto a = models_->Load("a").value();
  auto b = models_->Load("b").value();
  const absl::Status full = LoadStatus("c");
  EXPECT_THAT(full,
              IsStatus(absl::StatusCode::kResourceExhausted,
                       absl::StrCat("model c@1: needs ", OneModel(), " of the ", 2 * OneModel(),
                                    " bytes for models, of which ", 2 * OneModel(), " are taken")));
  EXPECT_GT(RetryDelay(full), absl::ZeroDuration());
  EXPECT_EQ(models_->Find("a"), a);
  EXPECT_EQ(models_->Find("b"), b);
  b = nullptr;
  Loaded("c");  // b goes, though a was used longer ago
  EXPECT_EQ(models_->Find("a"), a);
  EXPECT_EQ(Found("b"), 0);
}

TEST_F(ResidentModelsTest, WaitsForAModelInUseToBeLetGo) {
  for (const char* name : {"a", "b"}) Publish(name);
  MakeRoomFor(1);
  auto a = models_->Load("a").value();
  int looks = 0;
  while_waiting_ = [&] {
    // Nobody is held up meanwhile.
    EXPECT_EQ(models_->Condition("b").value(), ModelCondition::kLoading);
    if (++looks == 3) a = nullptr;
  };
  EXPECT_EQ(Loaded("b"), 1);
  EXPECT_EQ(looks, 3);
  EXPECT_EQ(Found("a"), 0);
  EXPECT_EQ(Found("b"), 1);
}

TEST_F(ResidentModelsTest, WaitsForRoomASecondAtMost) {
  for (const char* name : {"a", "b"}) Publish(name);
  MakeRoomFor(1);
  const auto a = models_->Load("a").value();
  EXPECT_EQ(LoadStatus("b").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(waited_, absl::Seconds(1));
  EXPECT_EQ(models_->LoadIfRoom("b").status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(waited_, absl::Seconds(1));
}

TEST_F(ResidentModelsTest, AModelThatIsUnloadedWhileItWaitsForRoomStaysOut) {
  for (const char* name : {"a", "b"}) Publish(name);
  MakeRoomFor(1);
  auto a = models_->Load("a").value();
  while_waiting_ = [&] {
    a = nullptr;
    EXPECT_TRUE(models_->Unload("b").ok());
  };
  EXPECT_EQ(LoadStatus("b").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Found("b@1"), 0);
}

Artifact WithNote(size_t bytes) {
  Artifact artifact = DiagonalArtifact(1);
  artifact.provenance_json = absl::StrCat("{\"note\":\"", std::string(bytes, 'x'), "\"}");
  return artifact;
}

TEST_F(ResidentModelsTest, LetsNothingGoForAModelThatDoesNotFit) {
  Publish("a");
  Publish("b");
  temporary_.Publish("wide", WithNote(100));
  temporary_.Publish("large", WithNote(2000));
  temporary_.Publish("huge", WithNote(100000));
  MakeRoomFor(2);
  Loaded("a");
  const auto b = models_->Load("b").value();
  // There is no room for it while b is in use.
  EXPECT_GT(RetryDelay(LoadStatus("wide")), absl::ZeroDuration());
  EXPECT_EQ(Found("a"), 1);
  // Larger than all room.
  const absl::Status large = LoadStatus("large");
  EXPECT_THAT(large, IsStatus(absl::StatusCode::kResourceExhausted,
                              absl::StrCat("expected at most ", 2 * OneModel(), " bytes")));
  EXPECT_THAT(large, IsStatus(absl::StatusCode::kResourceExhausted, "--model-memory-bytes"));
  EXPECT_EQ(RetryDelay(large), absl::ZeroDuration());
  EXPECT_EQ(Found("a"), 1);
  // So much that it is not even read.
  const int reads = store_.reads();
  EXPECT_EQ(LoadStatus("huge").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(store_.reads(), reads);
}

TEST_F(ResidentModelsTest, LoadIfRoomLetsNothingGo) {
  for (const char* name : {"a", "b"}) Publish(name);
  MakeRoomFor(1);
  EXPECT_TRUE(models_->LoadIfRoom("a").ok());
  EXPECT_THAT(models_->LoadIfRoom("b").status(),
              IsStatus(absl::StatusCode::kResourceExhausted, "model b@1"));
  EXPECT_EQ(Found("a"), 1);
}

TEST_F(ResidentModelsTest, CountsAModelThatIsUnloadedWhileInUse) {
  for (const char* name : {"a", "b"}) Publish(name);
  MakeRoomFor(1);
  auto a = models_->Load("a").value();
  ASSERT_TRUE(models_->Unload("a").ok());
  EXPECT_EQ(models_->models(), 0);
  EXPECT_EQ(models_->bytes(), OneModel());
  EXPECT_EQ(LoadStatus("b").code(), absl::StatusCode::kResourceExhausted);
  a = nullptr;
  EXPECT_EQ(models_->bytes(), 0);
  EXPECT_EQ(Loaded("b"), 1);
}

TEST_F(ResidentModelsTest, StatisticsSurviveEviction) {
  for (const char* name : {"a", "b"}) Publish(name);
  MakeRoomFor(1);
  EXPECT_EQ(models_->Statistics("a", 1), nullptr);
  models_->Load("a").value()->statistics().Failed(7);
  Loaded("b");
  EXPECT_EQ(Found("a"), 0);
  ASSERT_NE(models_->Statistics("a", 1), nullptr);
  EXPECT_EQ(models_->Statistics("a", 1)->Read().fail.count, 1);
  models_->Load("a").value()->statistics().Failed(7);
  EXPECT_EQ(models_->Statistics("a", 1)->Read().fail.count, 2);
  EXPECT_EQ(models_->Statistics("a", 2), nullptr);
}

v1::ServingSettings Settings(int max_batch_rows) {
  v1::ServingSettings settings;
  settings.set_max_batch_rows(max_batch_rows);
  settings.set_queue_delay_us(5);
  settings.set_max_queued_requests(6);
  return settings;
}

TEST_F(ResidentModelsTest, LimitsAreThoseThatAreStored) {
  Publish("m");
  const auto fresh = models_->Load("m").value();
  EXPECT_EQ(fresh->limits().max_batch_rows, ServingLimits::kDefaultMaxBatchRows);
  EXPECT_EQ(fresh->limits().queue_delay_us, 0);
  EXPECT_EQ(fresh->limits().max_queued_requests, ServingLimits::kDefaultMaxQueuedRequests);
  ASSERT_TRUE(store_.SetServingSettings("m", Settings(4)).ok());
  MakeRoomFor(2);  // as by a restart
  const auto model = models_->Load("m").value();
  EXPECT_EQ(model->limits().max_batch_rows, 4);
  EXPECT_EQ(model->limits().queue_delay_us, 5);
  EXPECT_EQ(model->limits().max_queued_requests, 6);
}

TEST_F(ResidentModelsTest, AppliedLimitsHoldForAllVersionsAtOnce) {
  Publish("m");
  const auto first = models_->Load("m").value();
  Publish("m");
  const auto second = models_->Find("m");
  ASSERT_TRUE(models_->Unload("m").ok());
  models_->Apply("m", Settings(4));
  EXPECT_EQ(first->limits().max_batch_rows, 4);
  EXPECT_EQ(second->limits().max_batch_rows, 4);
  models_->Apply("m", {});
  EXPECT_EQ(first->limits().max_batch_rows, ServingLimits::kDefaultMaxBatchRows);
  EXPECT_EQ(first->limits().max_queued_requests, ServingLimits::kDefaultMaxQueuedRequests);
  models_->Apply("m", Settings(3));
  ASSERT_TRUE(models_->Reload("m").ok());
  EXPECT_EQ(models_->Find("m")->limits().max_batch_rows, 3);
}

TEST_F(ResidentModelsTest, LimitsAppliedWhileAModelLoadsAreNotLost) {
  Publish("m");
  store_.Close("m");
  std::thread caller([&] { Loaded("m"); });
  store_.AwaitReaders(1);  // it has read the settings already
  ASSERT_TRUE(store_.SetServingSettings("m", Settings(4)).ok());
  models_->Apply("m", Settings(4));
  store_.Open("m");
  caller.join();
  EXPECT_EQ(models_->Find("m")->limits().max_batch_rows, 4);
}

TEST_F(ResidentModelsTest, AModelThatComesAgainHasDefaultLimits) {
  Publish("m");
  ASSERT_TRUE(store_.SetServingSettings("m", Settings(4)).ok());
  EXPECT_EQ(models_->Load("m").value()->limits().max_batch_rows, 4);
  ASSERT_TRUE(store_.DeleteModel("m").ok());
  models_->Refresh("m");
  Publish("m");
  EXPECT_EQ(models_->Load("m").value()->limits().max_batch_rows,
            ServingLimits::kDefaultMaxBatchRows);
}

// Every caller gets the model that it asked for, or is told why not.
TEST_F(ResidentModelsTest, BudgetHoldsWhateverManyThreadsDo) {
  const std::vector<std::string> names = {"a", "b", "c", "d", "e", "f"};
  for (const std::string& name : names) Publish(name);
  MakeRoomFor(3);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      std::shared_ptr<const ServableModel> kept;  // in use until the next one
      for (size_t i = 0; i < 300; ++i) {
        const std::string& name = names[(i * (t + 1) + t) % names.size()];
        auto model = models_->Load(name);
        if (model.ok()) {
          EXPECT_EQ((*model)->name(), name);
          kept = t % 2 == 0 ? *model : nullptr;
        } else {
          // Unloaded for a moment, or no room.
          EXPECT_TRUE(absl::IsUnavailable(model.status()) ||
                      RetryDelay(model.status()) > absl::ZeroDuration())
              << model.status();
          kept = nullptr;
        }
        EXPECT_LE(models_->bytes(), 3 * OneModel());
        if (i % 50 == t) models_->Refresh(name);
        if (i % 97 == t) {
          EXPECT_TRUE(models_->Unload(name).ok());
          models_->Reload(name).IgnoreError();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& name : names) EXPECT_EQ(Loaded(name), 1);
  EXPECT_EQ(models_->models(), 3);
  EXPECT_EQ(models_->bytes(), 3 * OneModel());
}

}  // namespace
}  // namespace mlp::testing
