#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/commands/command.h"
#include "client/commands/dataset_flags.h"
#include "client/commands/error_line.h"
#include "client/commands/predict_flags.h"
#include "client/commands/training_flags.h"

namespace mlp {
namespace {

using testing::HasSubstr;

TEST(Split, TakesPercentAndFractions) {
  EXPECT_DOUBLE_EQ(ParseSplit("60/20/20")->validation(), 0.2);
  EXPECT_DOUBLE_EQ(ParseSplit("0.6/0.2/0.2")->validation(), 0.2);
  EXPECT_DOUBLE_EQ(ParseSplit("100/0/0")->training(), 1);
  EXPECT_DOUBLE_EQ(ParseSplit("1/0/0")->training(), 1);
  EXPECT_DOUBLE_EQ(ParseSplit("33.4/33.3/33.3")->training(), 0.334);
}

TEST(Split, RefusesWhatDoesNotSumUp) {
  EXPECT_THAT(ParseSplit("70/10/30").status().message(), HasSubstr("which sums to 110"));
  for (const char* bad : {"", "70", "70/30", "70/0/30/0", "a/b/c", "-10/10/100", "nan/0/1"}) {
    EXPECT_TRUE(IsUsageError(ParseSplit(bad).status())) << bad;
  }
}

TEST(Rows, AreHalfOpenRanges) {
  EXPECT_EQ(ParseRows("3:8")->first, 3);
  EXPECT_EQ(ParseRows("3:8")->last, 8);
  EXPECT_EQ(ParseRows(":8")->first, 0);
  EXPECT_EQ(ParseRows("3:")->last, std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ParseRows("3")->last, 4);
  EXPECT_EQ(ParseRows("3:8")->step, 1);
  EXPECT_EQ(ParseRows("3:8:2")->step, 2);
  for (const char* bad_step : {"3:8:0", "3:8:-1", "3:8:", "3:8:x", "3:8:1:1"}) {
    EXPECT_TRUE(IsUsageError(ParseRows(bad_step).status())) << bad_step;
  }
  for (const char* bad : {"", ":0", "8:3", "3:3", "-1:2", "a:b", "9223372036854775807"}) {
    EXPECT_TRUE(IsUsageError(ParseRows(bad).status())) << bad;
  }
}

TEST(PartAndState, AreWords) {
  EXPECT_EQ(*ParsePart("train"), v1::DATASET_PART_TRAINING);
  EXPECT_EQ(*ParsePart("test"), v1::DATASET_PART_TEST);
  EXPECT_THAT(ParsePart("rest").status().message(), HasSubstr("train, validation, test, all"));
  EXPECT_EQ(*ParseJobState("RUNNING"), v1::JOB_STATE_RUNNING);
}

TEST(UploadFlags, NameExactlyOneSource) {
  EXPECT_TRUE(IsUsageError(OpenSource({}).status()));
  UploadFlags flags;
  flags.sheet = "s.png";
  EXPECT_EQ(OpenSource(flags).status().message(), "--sheet: needs --cell WIDTHxHEIGHT");
  flags.csv = "t.csv";
  EXPECT_THAT(OpenSource(flags).status().message(), HasSubstr("got 2"));
  flags = {};
  flags.images = "i";
  EXPECT_EQ(OpenSource(flags).status().message(), "--images: needs --labels FILE");
  flags = {};
  flags.csv = "t.csv";
  flags.classes = "a";
  EXPECT_THAT(OpenSource(flags).status().message(), HasSubstr("--classes: expected"));
}

TEST(ErrorLine, SaysHowToStartAServerThatCannotBeReached) {
  EXPECT_EQ(ErrorLine(absl::UnavailableError("failed to connect to all addresses; last error: "
                                             "UNKNOWN: ipv4:127.0.0.1:8001: Failed to connect to "
                                             "remote host: Connection refused"),
                      "127.0.0.1:8001"),
            "mlpctl: cannot reach mlpd at 127.0.0.1:8001 (connection refused). Start it with: mlpd "
            "--data-dir DIR");
  EXPECT_EQ(ErrorLine(absl::UnavailableError("the server is draining"), "h:1"),
            "mlpctl: mlpd at h:1 is unavailable: the server is draining");
}

TEST(ErrorLine, IsOneLine) {
  EXPECT_EQ(ErrorLine(absl::InvalidArgumentError("lambda: expected\n0 or more, got -1"), "h:1"),
            "mlpctl: lambda: expected 0 or more, got -1");
  EXPECT_EQ(ErrorLine(absl::NotFoundError("dataset x"), "h:1"), "mlpctl: dataset x (NOT_FOUND)");
}

TEST(RequestId, IsNewEachTime) {
  EXPECT_EQ(NewRequestId().size(), 32u);
  EXPECT_NE(NewRequestId(), NewRequestId());
}

}  // namespace
}  // namespace mlp
