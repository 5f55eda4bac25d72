// ResidentModels::SetBudget: the memory for models changes while they are used.
#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/inference/resident_models_fixture.h"

namespace mlp::testing {
namespace {

TEST_F(ResidentModelsTest, ASmallerBudgetLetsTheLeastRecentlyUsedGoAtOnce) {
  for (const char* name : {"a", "b", "c"}) Publish(name);
  MakeRoomFor(3);
  for (const char* name : {"a", "b", "c"}) Loaded(name);
  EXPECT_EQ(Found("a"), 1);
  models_->SetBudget(2 * OneModel());
  EXPECT_EQ(models_->models(), 2);
  EXPECT_EQ(models_->bytes(), 2 * OneModel());
  EXPECT_EQ(Found("b"), 0);
  EXPECT_EQ(Found("b@1"), 0);
  EXPECT_EQ(Found("c"), 1);
  EXPECT_EQ(Found("a"), 1);
  models_->SetBudget(2 * OneModel());
  EXPECT_EQ(models_->models(), 2);
  Loaded("b");  // c goes
  EXPECT_EQ(models_->models(), 2);
  EXPECT_EQ(Found("c"), 0);
}

TEST_F(ResidentModelsTest, ALargerBudgetHasRoomForMore) {
  for (const char* name : {"a", "b"}) Publish(name);
  MakeRoomFor(1);
  Loaded("a");
  models_->SetBudget(2 * OneModel());
  Loaded("b");
  EXPECT_EQ(Found("a"), 1);
  EXPECT_EQ(Found("b"), 1);
}

TEST_F(ResidentModelsTest, ASmallerBudgetTakesIdleModelsBeforeThoseInUse) {
  for (const char* name : {"a", "b", "c"}) Publish(name);
  MakeRoomFor(3);
  const auto a = models_->Load("a").value();
  for (const char* name : {"b", "c"}) Loaded(name);
  models_->SetBudget(1 * OneModel());
  EXPECT_EQ(models_->Find("a"), a);
  EXPECT_EQ(models_->models(), 1);
  EXPECT_EQ(models_->bytes(), OneModel());
}

TEST_F(ResidentModelsTest, ModelsInUseThatTheBudgetIsTooSmallForGoWhenTheyAreNot) {
  for (const char* name : {"a", "b"}) Publish(name);
  MakeRoomFor(2);
  auto a = models_->Load("a").value();
  auto b = models_->Load("b").value();
  models_->SetBudget(OneModel());
  EXPECT_EQ(Found("a"), 0);
  EXPECT_EQ(models_->Find("b"), b);
  EXPECT_EQ(models_->bytes(), 2 * OneModel());  // a is still somebody's
  a = nullptr;
  EXPECT_EQ(models_->bytes(), OneModel());

  models_->SetBudget(OneModel() - 1);
  EXPECT_EQ(models_->models(), 0);
  EXPECT_THAT(LoadStatus("b"), IsStatus(absl::StatusCode::kResourceExhausted,
                                        absl::StrCat("expected at most ", OneModel() - 1)));
  b = nullptr;
  EXPECT_EQ(models_->bytes(), 0);
  models_->SetBudget(OneModel());
  EXPECT_EQ(Loaded("b"), 1);
}

}  // namespace
}  // namespace mlp::testing
