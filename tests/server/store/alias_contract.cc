// What Store promises of aliases, annotations, retention and versions that no job trained.
#include <utility>

#include "tests/server/store/store_contract.h"

namespace mlp::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr auto kNotFound = absl::StatusCode::kNotFound;
constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;

TEST_P(StoreContract, AnAliasNamesAVersionUntilItIsMoved) {
  PublishThree();
  v1::Model model = store().SetAlias("digits", "stable", 2, std::nullopt).value();
  EXPECT_THAT(model.aliases(), UnorderedElementsAre(Pair("stable", 2)));
  EXPECT_EQ(store().GetAliasedVersion("digits", "stable").value().version(), 2);
  model = store().SetAlias("digits", "stable", 1, std::nullopt).value();
  EXPECT_THAT(model.aliases(), UnorderedElementsAre(Pair("stable", 1)));
  EXPECT_THAT(store().SetAlias("digits", "next", 1, std::nullopt), IsOk());
  Reopen();
  EXPECT_THAT(store().GetModel("digits").value().aliases(),
              UnorderedElementsAre(Pair("next", 1), Pair("stable", 1)));
  EXPECT_THAT(store().GetVersion("digits", 1).value().aliases(), ElementsAre("next", "stable"));
  EXPECT_THAT(store().GetVersion("digits", 2).value().aliases(), IsEmpty());
  EXPECT_THAT(store().ListModels({}).value().items[0].aliases(),
              UnorderedElementsAre(Pair("next", 1), Pair("stable", 1)));
}

TEST_P(StoreContract, TheNameAloneIsTheServingAliasElseTheNewest) {
  PublishThree();
  EXPECT_EQ(store().GetVersion("digits", 0).value().version(), 3);
  EXPECT_EQ(store().GetModel("digits").value().served_version(), 3);
  EXPECT_THAT(store().SetAlias("digits", "serving", 1, std::nullopt), IsOk());
  EXPECT_THAT(Publish("digits", "four"), IsOk());
  EXPECT_EQ(store().GetVersion("digits", 0).value().version(), 1);
  const v1::Model model = store().GetModel("digits").value();
  EXPECT_EQ(model.served_version(), 1);
  EXPECT_EQ(model.latest_version(), 4);
  EXPECT_THAT(store().DeleteAlias("digits", "serving"), IsOk());
  EXPECT_EQ(store().GetVersion("digits", 0).value().version(), 4);
}

TEST_P(StoreContract, SaysWhatIsMissing) {
  PublishThree();
  EXPECT_THAT(store().SetAlias("letters", "stable", 1, std::nullopt),
              HasStatus(kNotFound, "model letters"));
  EXPECT_THAT(store().SetAlias("digits", "stable", 9, std::nullopt),
              HasStatus(kNotFound, "version 9"));
  EXPECT_THAT(store().GetAliasedVersion("digits", "stable"), HasStatus(kNotFound, "alias stable"));
  EXPECT_THAT(store().GetAliasedVersion("letters", "stable"),
              HasStatus(kNotFound, "model letters"));
  EXPECT_THAT(store().DeleteAlias("digits", "stable"), HasStatus(kNotFound, "alias stable"));
  EXPECT_THAT(store().DeleteAlias("letters", "stable"), HasStatus(kNotFound, "model letters"));
  EXPECT_THAT(store().GetModel("digits").value().aliases(), IsEmpty());
}

TEST_P(StoreContract, MovesOnlyFromWhatIsExpected) {
  PublishThree();
  EXPECT_THAT(store().SetAlias("digits", "stable", 1, 2), HasStatus(kPrecondition, "not set"));
  EXPECT_THAT(store().SetAlias("digits", "stable", 1, 0), IsOk());
  EXPECT_THAT(store().SetAlias("digits", "stable", 2, 0), HasStatus(kPrecondition, "version 1"));
  EXPECT_THAT(store().SetAlias("digits", "stable", 2, 3), HasStatus(kPrecondition, "version 1"));
  EXPECT_EQ(store().GetAliasedVersion("digits", "stable").value().version(), 1);
  EXPECT_THAT(store().SetAlias("digits", "stable", 2, 1), IsOk());
}

TEST_P(StoreContract, AVersionWithAnAliasStays) {
  PublishThree();
  EXPECT_THAT(store().SetAlias("digits", "stable", 2, std::nullopt), IsOk());
  EXPECT_THAT(store().DeleteVersion("digits", 2), HasStatus(kPrecondition, "alias stable"));
  EXPECT_THAT(store().SetAlias("digits", "stable", 3, std::nullopt), IsOk());
  EXPECT_THAT(store().DeleteVersion("digits", 2), IsOk());
}

TEST_P(StoreContract, AModelTakesItsAliasesWithIt) {
  PublishThree();
  EXPECT_THAT(store().SetAlias("digits", "stable", 2, std::nullopt), IsOk());
  EXPECT_THAT(store().DeleteModel("digits"), IsOk());
  EXPECT_EQ(Publish("digits", "again").value().version(), 4);
  EXPECT_THAT(store().GetModel("digits").value().aliases(), IsEmpty());
}

TEST_P(StoreContract, HasRoomForSoMany) {
  PublishThree();
  for (int i = 0; i < kMaxModelAliases; ++i) {
    ASSERT_THAT(store().SetAlias("digits", "a" + std::to_string(i), 1, std::nullopt), IsOk());
  }
  EXPECT_THAT(store().SetAlias("digits", "b", 1, std::nullopt),
              HasStatus(absl::StatusCode::kResourceExhausted, "aliases"));
  EXPECT_THAT(store().SetAlias("digits", "a7", 2, std::nullopt), IsOk());
}

TEST_P(StoreContract, PublishingSetsAliasesOrDoesNothing) {
  PublishThree();
  v1::TrainingJob job = AddJob("digits", v1::JOB_STATE_RUNNING);
  job.set_state(v1::JOB_STATE_SUCCEEDED);
  NewVersion made;
  made.version.set_model("digits");
  made.artifact = "four";
  made.aliases = {"serving", "stable"};
  for (int i = 0; i < kMaxModelAliases; ++i) {
    ASSERT_THAT(store().SetAlias("digits", "a" + std::to_string(i), 1, std::nullopt), IsOk());
  }
  EXPECT_THAT(store().PublishVersion(made, job),
              HasStatus(absl::StatusCode::kResourceExhausted, "aliases"));
  EXPECT_EQ(store().GetModel("digits").value().latest_version(), 3);
  EXPECT_EQ(store().GetJob(job.id()).value().state(), v1::JOB_STATE_RUNNING);
  for (const char* alias : {"a0", "a1"}) {
    ASSERT_THAT(store().DeleteAlias("digits", alias), IsOk());
  }
  const v1::ModelVersion version = store().PublishVersion(made, job).value();
  EXPECT_EQ(version.version(), 4);
  EXPECT_THAT(version.aliases(), ElementsAre("serving", "stable"));
  EXPECT_EQ(store().GetVersion("digits", 0).value().version(), 4);
}

TEST_P(StoreContract, ImportsWithoutAJob) {
  PublishThree();
  NewVersion made;
  made.version.set_model("letters");
  made.version.set_note("from elsewhere");
  made.artifact = "bytes";
  made.aliases = {"serving"};
  const v1::ModelVersion version = store().ImportVersion(made).value();
  EXPECT_EQ(version.version(), 1);
  EXPECT_EQ(version.job_id(), 0);
  EXPECT_EQ(version.artifact_bytes(), 5);
  EXPECT_EQ(store().ImportVersion(made).value().version(), 2);
  Reopen();
  EXPECT_EQ(store().ReadArtifact("letters", 1).value(), "bytes");
  EXPECT_EQ(store().GetVersion("letters", 1).value().note(), "from elsewhere");
  EXPECT_EQ(store().GetVersion("letters", 0).value().version(), 2);
}

TEST_P(StoreContract, KeepsWhatPeopleSayOfAVersion) {
  PublishThree();
  EXPECT_THAT(store().SetAlias("digits", "stable", 2, std::nullopt), IsOk());
  v1::ModelVersion said;
  said.set_model("digits");
  said.set_version(2);
  said.set_note("good at sevens");
  (*said.mutable_tags())["owner"] = "ada";
  EXPECT_EQ(store().AnnotateVersion(said).value().artifact_bytes(), 3);
  Reopen();
  v1::ModelVersion stored = store().GetVersion("digits", 2).value();
  EXPECT_EQ(stored.note(), "good at sevens");
  EXPECT_THAT(stored.tags(), UnorderedElementsAre(Pair("owner", "ada")));
  EXPECT_THAT(stored.aliases(), ElementsAre("stable"));
  said.clear_tags();
  said.set_note("");
  stored = store().AnnotateVersion(said).value();
  EXPECT_THAT(stored.tags(), IsEmpty());
  said.set_version(9);
  EXPECT_THAT(store().AnnotateVersion(said), HasStatus(kNotFound, "version 9"));
}

TEST_P(StoreContract, RetentionIsKeptBesideServingSettings) {
  PublishThree();
  v1::Retention retention;
  retention.set_keep_versions(2);
  v1::ServingSettings settings;
  settings.set_max_batch_rows(7);
  EXPECT_EQ(store().SetRetention("digits", retention).value().retention().keep_versions(), 2);
  EXPECT_THAT(store().SetServingSettings("digits", settings), IsOk());
  Reopen();
  v1::Model model = store().GetModel("digits").value();
  EXPECT_EQ(model.retention().keep_versions(), 2);
  EXPECT_EQ(model.serving().max_batch_rows(), 7);
  EXPECT_EQ(model.version_count(), 3);
  EXPECT_FALSE(store().SetRetention("digits", {}).value().has_retention());
  EXPECT_THAT(store().SetRetention("letters", retention), HasStatus(kNotFound, "model letters"));
}

}  // namespace
}  // namespace mlp::testing
