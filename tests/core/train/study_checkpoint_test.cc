// A study goes on from its checkpoint to the result of an undisturbed one.
#include "core/train/study_checkpoint.h"

#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/train/checkpoint.h"
#include "tests/core/train/blobs.h"
#include "tests/core/train/training_probes.h"

namespace mlp {
namespace {

using testing::HasSubstr;

constexpr absl::string_view kFingerprint = "f1";

// Keeps all checkpoints.
class AllCheckpoints final : public CheckpointSink {
 public:
  bool Due() override { return due; }
  void Save(std::string bytes) override { saved.push_back(std::move(bytes)); }

  bool due = true;
  std::vector<std::string> saved;
};

// 30 is so much that nothing is learned; with 1e308 J is not finite.
const std::vector<double> kLambdas = {30, 0.01, 1e308, 3};

Search SearchForLambda() {
  return {.parameters = {{.name = "lambda", .values = kLambdas}}, .max_runs = 4};
}

class StudyCheckpoint : public testing::Test {
 protected:
  StudyOutcome Run(const StudyOptions& study, const StudyOutcome* resume = nullptr) {
    TrainingConfig config = BlobConfig();
    config.stopping.max_iterations = 15;
    return *RunStudy(Blobs(240), study, config,
                     {.pool = pool_,
                      .clock = Clock::System(),
                      .stop = stop_.get_token(),
                      .observer = &points_,
                      .log = [this](absl::string_view line) { lines_.emplace_back(line); },
                      .checkpoints = &checkpoints_,
                      .fingerprint = std::string(kFingerprint)},
                     resume);
  }

  // All but times.
  static void ExpectSame(const StudyOutcome& actual, const StudyOutcome& expected) {
    ASSERT_EQ(actual.runs.size(), expected.runs.size());
    for (size_t i = 0; i < expected.runs.size(); ++i) {
      const StudyRun& run = actual.runs[i];
      const StudyRun& other = expected.runs[i];
      EXPECT_EQ(run.number, other.number);
      EXPECT_EQ(run.settings, other.settings);
      EXPECT_EQ(run.reason, other.reason);
      EXPECT_EQ(run.message, other.message);
      EXPECT_EQ(run.iterations, other.iterations);
      EXPECT_EQ(run.best_iteration, other.best_iteration);
      EXPECT_EQ(run.training_examples, other.training_examples);
      EXPECT_EQ(run.validation_examples, other.validation_examples);
      ASSERT_EQ(run.validation.has_value(), other.validation.has_value());
      if (!run.validation) continue;
      EXPECT_EQ(run.training->cost, other.training->cost);
      EXPECT_EQ(run.training->accuracy, other.training->accuracy);
      EXPECT_EQ(run.validation->cost, other.validation->cost);
      EXPECT_EQ(run.validation->accuracy, other.validation->accuracy);
    }
    EXPECT_EQ(actual.best_run, expected.best_run);
    EXPECT_EQ(actual.cancelled, expected.cancelled);
    ASSERT_EQ(actual.best.has_value(), expected.best.has_value());
    if (!expected.best) return;
    EXPECT_EQ(actual.best_config->lambda, expected.best_config->lambda);
    EXPECT_EQ(actual.best->network.topology, expected.best->network.topology);
    EXPECT_EQ(actual.best->network.parameters, expected.best->network.parameters);
    EXPECT_EQ(actual.best->scaler.offsets(), expected.best->scaler.offsets());
    EXPECT_EQ(actual.best->scaler.scales(), expected.best->scaler.scales());
    EXPECT_EQ(actual.best->message, expected.best->message);
    EXPECT_EQ(actual.best->initial_cost, expected.best->initial_cost);
    EXPECT_EQ(actual.best->final_cost, expected.best->final_cost);
    EXPECT_EQ(actual.best->best_iteration, expected.best->best_iteration);
    EXPECT_EQ(actual.best->training->cross_entropy, expected.best->training->cross_entropy);
    EXPECT_EQ(actual.best->validation->cross_entropy, expected.best->validation->cross_entropy);
    EXPECT_EQ(actual.best->test->cross_entropy, expected.best->test->cross_entropy);
  }

  ThreadPool pool_{{.threads = 2}};
  std::stop_source stop_;
  PointLog points_;
  AllCheckpoints checkpoints_;
  std::vector<std::string> lines_;
};

TEST_F(StudyCheckpoint, GoesOnFromEveryRunToTheSameResult) {
  for (const StudyOptions& study :
       std::vector<StudyOptions>{SearchForLambda(), LambdaCurve{kLambdas}, KFold{4}}) {
    checkpoints_ = {};
    const StudyOutcome whole = Run(study);
    const std::vector<std::string> saved = checkpoints_.saved;
    ASSERT_EQ(saved.size(), 4u);
    for (size_t i = 0; i < saved.size(); ++i) {
      const auto resume = ReadStudyCheckpoint(saved[i], kFingerprint);
      ASSERT_TRUE(resume.ok()) << resume.status();
      ASSERT_EQ(resume->runs.size(), i + 1);
      points_.points.clear();
      lines_.clear();
      const StudyOutcome resumed = Run(study, &*resume);
      ExpectSame(resumed, whole);
      EXPECT_GE(resumed.seconds, resume->seconds);
      EXPECT_EQ(points_.points.size(), 3 - i);
      EXPECT_EQ(lines_.at(0), absl::StrCat("resumed after run ", i + 1, " of 4"));
    }
  }
}

TEST_F(StudyCheckpoint, IsMadeWhereItIsDueAndAtACancel) {
  checkpoints_.due = false;
  const StudyOutcome whole = Run(SearchForLambda());
  EXPECT_TRUE(checkpoints_.saved.empty());

  points_.on_point = [this](const ProgressPoint& point) {
    if (point.iteration == 2) stop_.request_stop();
  };
  const StudyOutcome stopped = Run(SearchForLambda());
  EXPECT_TRUE(stopped.cancelled);
  EXPECT_FALSE(stopped.best.has_value());
  ASSERT_EQ(checkpoints_.saved.size(), 1u);
  const StudyOutcome resume = *ReadStudyCheckpoint(checkpoints_.saved[0], kFingerprint);
  EXPECT_EQ(resume.runs.size(), 2u);
  stop_ = {};
  points_.on_point = nullptr;
  ExpectSame(Run(SearchForLambda(), &resume), whole);
}

// No cost is made up, and no byte is taken on trust.
TEST_F(StudyCheckpoint, ThatIsDamagedOrForeignIsRefused) {
  Run(SearchForLambda());
  const std::string& bytes = checkpoints_.saved.back();
  for (size_t i = 0; i < bytes.size(); i += 7) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    EXPECT_TRUE(absl::IsDataLoss(ReadStudyCheckpoint(damaged, kFingerprint).status())) << i;
    EXPECT_TRUE(absl::IsDataLoss(ReadStudyCheckpoint(bytes.substr(0, i), kFingerprint).status()));
  }
  const absl::Status foreign = ReadStudyCheckpoint(bytes, "f2").status();
  EXPECT_TRUE(absl::IsFailedPrecondition(foreign));
  EXPECT_THAT(std::string(foreign.message()), HasSubstr("got that of another one"));
  EXPECT_TRUE(absl::IsDataLoss(
      ReadStudyCheckpoint(WriteCheckpoint({}, kFingerprint), kFingerprint).status()));

  // Sound bytes that say what no study wrote.
  StudyOutcome outcome;
  outcome.best_run = 1;
  EXPECT_TRUE(absl::IsDataLoss(
      ReadStudyCheckpoint(WriteStudyCheckpoint(outcome, kFingerprint), kFingerprint).status()));
}

}  // namespace
}  // namespace mlp
