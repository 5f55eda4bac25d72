// mlpctl's commands, from arguments to output, against a real gRPC server.

#include <sstream>

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <png.h>

#include "client/commands/error_line.h"
#include "client/commands/mlpctl_app.h"
#include "tests/client/mlpctl_fixture.h"
#include "tests/client/temp_folder.h"
#include "tests/client/test_files.h"

namespace mlp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Mlpctl : public MlpctlFixture {
 protected:
  // Four cells of 2 x 2: the first value of each decides the fake's answer.
  std::string Sheet() {
    return folder_.Write(
        "sheet.png",
        Png(8, 2, PNG_FORMAT_GRAY, {0, 255, 1, 255, 2, 255, 4, 255, 9, 9, 9, 9, 9, 9, 9, 9}));
  }

  void UploadCells() {
    const Outcome uploaded =
        Run({"datasets", "upload", "cells", "--sheet", Sheet(), "--cell", "2x2", "--classes",
             "a,b,c", "--labels", folder_.Write("labels", "a\nb\nc\na\n")});
    ASSERT_EQ(uploaded.exit_status, 0) << uploaded.err;
  }

  std::vector<std::string> Train() {
    return {"train", "digits", "--dataset", "cells", "--layers", "4,3,3"};
  }

  TempFolder folder_;
};

TEST_F(Mlpctl, UploadsASheet) {
  UploadCells();
  const auto stored = server_.datasets().at(0);
  EXPECT_EQ(stored.dataset.name(), "cells");
  EXPECT_EQ(stored.features, std::string("\0\xff\t\t\1\xff\t\t\2\xff\t\t\4\xff\t\t", 16));
  EXPECT_THAT(stored.labels, ElementsAre(0, 1, 2, 0));
}

TEST_F(Mlpctl, RefusedFilesAreNeverSent) {
  const Outcome outcome = Run({"datasets", "upload", "d", "--sheet", Sheet(), "--cell", "3x2"});
  EXPECT_EQ(outcome.exit_status, kExitFailure);
  EXPECT_EQ(outcome.err,
            absl::StrCat("mlpctl: ", folder_.Path("sheet.png"),
                         ": expected a size that is a multiple of the cell, 3 x 2, got "
                         "8 x 2\n"));
  EXPECT_EQ(server_.calls("UploadDataset"), 0);
}

TEST_F(Mlpctl, ListsAllPagesOfDatasets) {
  for (int i = 0; i < 5; ++i) {
    FakeMlpd::StoredDataset stored;
    stored.dataset.set_name(absl::StrCat("d", i));
    server_.Store(stored);
  }
  EXPECT_EQ(Run({"datasets", "list", "--output", "json"}).json_lines().size(), 5u);
  EXPECT_THAT(Run({"datasets", "list"}).out, HasSubstr("d4"));
}

TEST_F(Mlpctl, SaysWhatIsNotThere) {
  const Outcome outcome = Run({"datasets", "get", "none"});
  EXPECT_EQ(outcome.exit_status, kExitFailure);
  EXPECT_EQ(outcome.err, "mlpctl: dataset none does not exist (NOT_FOUND)\n");
  EXPECT_EQ(outcome.out, "");
}

TEST_F(Mlpctl, TrainsInAPipeWithPlainLines) {
  const Outcome outcome = Run(Train());
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_EQ(outcome.out,
            "job 1: RUNNING, training digits (4-3-3) on cells\n"
            "iteration 0  cost 8  gradient 0  step 0  0.00 s\n"
            "iteration 1  cost 4  gradient 0  step 0  0.50 s\n"
            "iteration 2  cost 2.66667  gradient 0  step 0  1.00 s\n"
            "job 1           SUCCEEDED (CONVERGED)\n"
            "iterations      2 in 0.50 s\n"
            "cost            8 -> 2.66667\n"
            "model           digits@3 (27 weights)\n"
            "accuracy        test 92.50 %\n");
  EXPECT_EQ(server_.created().request_id().size(), 32u);
}

TEST_F(Mlpctl, TrainsOnATerminalWithABarAndAPlot) {
  const Outcome outcome = Run(Train(), {.terminal = true, .utf8 = true, .width = 80});
  EXPECT_THAT(outcome.out, HasSubstr("\r\x1b[Ktraining  ["));
  EXPECT_THAT(outcome.out, HasSubstr("2/100  cost 2.66667  2.0 it/s  49.0 s left"));
  EXPECT_THAT(outcome.out, HasSubstr("2.66667 │"));
  EXPECT_THAT(outcome.out, HasSubstr("SUCCEEDED (CONVERGED)"));
}

TEST_F(Mlpctl, TrainsInJsonLines) {
  std::vector<std::string> arguments = Train();
  arguments.insert(arguments.end(), {"--output", "json"});
  const auto lines = Run(arguments).json_lines();
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0]["iteration"], 0);
  EXPECT_EQ(lines[2]["cost"], 8.0 / 3);
  EXPECT_EQ(lines[3]["id"], 1);
  EXPECT_EQ(lines[3]["state"], "JOB_STATE_SUCCEEDED");
  EXPECT_EQ(lines[3]["result"]["version"], 3);
}

TEST_F(Mlpctl, AJobThatFailsFailsTheCommand) {
  server_.ScriptJob(2, {}, v1::JOB_STATE_FAILED);
  const Outcome outcome = Run(Train());
  EXPECT_EQ(outcome.exit_status, kExitFailure);
  EXPECT_THAT(outcome.out, HasSubstr("FAILED (DIVERGED)"));
  EXPECT_THAT(outcome.out, HasSubstr("the cost became NaN at iteration 2"));
  server_.ScriptJob(2, {}, v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(Run({"jobs", "watch", "1"}).exit_status, kExitFailure);
}

TEST_F(Mlpctl, DetachedTrainingDoesNotWatch) {
  std::vector<std::string> arguments = Train();
  arguments.insert(arguments.end(), {"--detach", "--request-id", "mine"});
  const Outcome outcome = Run(arguments);
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_EQ(outcome.out, absl::StrCat("job 1 is queued; watch it with: mlpctl --server ",
                                      server_.address(), " jobs watch 1\n"));
  EXPECT_EQ(server_.calls("WatchTrainingJob"), 0);
  EXPECT_EQ(server_.created().request_id(), "mine");
}

TEST_F(Mlpctl, WatchesFromAnIteration) {
  server_.ScriptJob(9, {}, v1::JOB_STATE_SUCCEEDED);
  const auto lines = Run({"--output", "json", "jobs", "watch", "1", "--from", "7"}).json_lines();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0]["iteration"], 7);
}

TEST_F(Mlpctl, JobsAreListedShownCancelledAndDeleted) {
  EXPECT_THAT(Run({"jobs", "list"}).out, HasSubstr("RUNNING"));
  EXPECT_THAT(Run({"jobs", "list", "--state", "failed"}).out, Not(HasSubstr("RUNNING")));
  EXPECT_THAT(Run({"jobs", "get", "1"}).out, HasSubstr("state           RUNNING"));
  EXPECT_EQ(Run({"jobs", "cancel", "1"}).out, "job 1: CANCELLED\n");
  EXPECT_EQ(Run({"jobs", "delete", "1"}).out, "job 1 deleted\n");
  EXPECT_EQ(Run({"jobs", "get", "x"}).exit_status, kExitUsage);
  EXPECT_EQ(Run({"jobs", "get", "0"}).exit_status, kExitUsage);
}

TEST_F(Mlpctl, PredictsAnImageAndShowsWhatItSaw) {
  // 4 x 4, light ground: inverted, then halved, its four pixels are 55, 255, 55 and 55.
  const std::string image = folder_.Write(
      "i.png", Png(4, 4, PNG_FORMAT_GRAY,
                   {200, 200, 0, 0, 200, 200, 0, 0, 200, 200, 200, 200, 200, 200, 200, 200}));
  const Outcome outcome = Run({"predict", "digits", "--image", image, "--invert", "yes"});
  ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
  EXPECT_EQ(outcome.out,
            "digits@3: b (75.00 %); what it saw, 2 x 2, inverted:\n\n"
            ".+     a   12.50 %  ###\n"
            "     > b   75.00 %  ###############\n"
            "       c   12.50 %  ###\n");
  const auto json =
      Run({"predict", "digits", "--image", image, "--invert", "yes", "--output", "json"})
          .json_lines();
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0]["class_name"], "b");
  EXPECT_EQ(json[0]["version"], 3);
  EXPECT_EQ(json[0]["outputs"], (std::vector<double>{0.125, 0.75, 0.125}));
}

TEST_F(Mlpctl, PredictsStoredRowsBesideTheirLabels) {
  UploadCells();
  const Outcome outcome = Run({"predict", "digits", "--dataset", "cells"});
  ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("row 0: a"));
  EXPECT_THAT(outcome.out, HasSubstr("says b, 75.00 % wrong"));
  EXPECT_THAT(outcome.out, HasSubstr("digits@3: 3 of 4 right\n"));
  const auto rows =
      Run({"predict", "digits", "--dataset", "cells", "--rows", "1:3", "--output", "json"})
          .json_lines();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["row"], 1);
  EXPECT_EQ(rows[0]["expected_class_name"], "b");
  EXPECT_EQ(rows[1]["class_name"], "c");
  EXPECT_THAT(Run({"predict", "digits", "--dataset", "cells", "--rows", "4:5"}).err,
              HasSubstr("start_row"));
}

TEST_F(Mlpctl, PredictsCsvRows) {
  const std::string csv = folder_.Write("t.csv", "1,0,0,0,b\n3,0,0,0,c\n");
  const Outcome outcome = Run({"predict", "digits", "--csv", csv, "--label-column", "last"});
  EXPECT_EQ(outcome.out,
            "row  label  prediction  probability\n"
            "  0  b      b               75.00 %\n"
            "  1  c      a               75.00 %  wrong\n"
            "\n1 of 2 right\n");
  EXPECT_EQ(Run({"predict", "digits", "--csv", folder_.Write("n.csv", "1,2,3\n")}).err,
            "mlpctl: features: expected 4 a row for digits@3, got 3\n");
}

TEST_F(Mlpctl, ModelsAreListedShownAndDeleted) {
  EXPECT_THAT(Run({"models", "list"}).out, HasSubstr("digits"));
  EXPECT_THAT(Run({"models", "get", "digits"}).out, HasSubstr("digits: 1 version"));
  EXPECT_THAT(Run({"models", "get", "digits@3"}).out, HasSubstr("images of 2 x 2"));
  EXPECT_THAT(Run({"models", "versions", "digits"}).out, HasSubstr("digits@3"));
  EXPECT_EQ(Run({"models", "delete", "digits@3"}).exit_status, 0);
  EXPECT_EQ(Run({"models", "delete", "digits"}).exit_status, 0);
  EXPECT_EQ(Run({"models", "delete", "digits@stable"}).exit_status, kExitUsage);
  EXPECT_THAT(server_.deleted(), ElementsAre("version digits@3", "model digits"));
}

TEST_F(Mlpctl, WrongCommandLinesExitWithTwo) {
  EXPECT_EQ(Run({}).exit_status, kExitUsage);
  EXPECT_EQ(Run({"frobnicate"}).err,
            "mlpctl: there is no command \"frobnicate\"\nTry: mlpctl --help\n");
  EXPECT_EQ(Run({"train", "m"}).exit_status, kExitUsage);
  EXPECT_EQ(Run({"--output", "xml", "models", "list"}).exit_status, kExitUsage);
  EXPECT_EQ(Run({"--timeout", "soon", "models", "list"}).exit_status, kExitUsage);
  EXPECT_EQ(Run({"predict", "digits"}).exit_status, kExitUsage);
  const Outcome optimizer =
      Run({"train", "m", "--dataset", "d", "--layers", "4,2", "--optimizer", "newton"});
  EXPECT_EQ(optimizer.exit_status, kExitUsage);
  EXPECT_EQ(optimizer.err, "mlpctl: --optimizer: expected one of lbfgs, cg, got \"newton\"\n");
  EXPECT_EQ(server_.calls("CreateTrainingJob"), 0);
}

TEST_F(Mlpctl, HelpIsNoError) {
  const Outcome outcome = Run({"train", "--help"});
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_THAT(outcome.out, HasSubstr("Examples:"));
  for (const absl::string_view line : absl::StrSplit(outcome.out, '\n')) {
    EXPECT_LE(line.size(), 105u) << line;
  }
}

TEST_F(Mlpctl, SaysHowToStartAServerThatIsDown) {
  std::string address;
  {
    FakeMlpd gone;
    address = gone.address();
  }
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(RunMlpctl({"models", "list", "--server", address}, out, err, {}), kExitFailure);
  EXPECT_EQ(err.str(), absl::StrCat("mlpctl: cannot reach mlpd at ", address,
                                    " (connection refused). Start it with: mlpd --data-dir DIR\n"));
}

}  // namespace
}  // namespace mlp
