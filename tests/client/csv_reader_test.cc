#include "client/readers/csv_reader.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/temp_folder.h"
#include "tests/client/test_files.h"

namespace mlp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CsvReader : public testing::Test {
 protected:
  absl::StatusOr<CsvTable> Read(const std::string& text, CsvOptions options = {}) {
    options.path = folder_.Write("t.csv", text);
    return ReadCsv(options);
  }

  // What is said about `text`, without the file's name.
  std::string Error(const std::string& text, CsvOptions options = {}) {
    const std::string path = folder_.Path("t.csv");
    const absl::StatusOr<CsvTable> table = Read(text, std::move(options));
    EXPECT_EQ(table.status().code(), absl::StatusCode::kInvalidArgument) << table.status();
    EXPECT_THAT(std::string(table.status().message()), testing::StartsWith(path + ": "));
    return std::string(table.status().message().substr(
        std::min(path.size() + 2, table.status().message().size())));
  }

  TempFolder folder_;
};

TEST_F(CsvReader, SkipsAHeaderAndTakesTheLastColumnAsLabel) {
  const auto table = Read("height,width,kind\n1,2.5,cat\n-3e2,4,ant\n5,6,cat\n");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->features, 2);
  EXPECT_THAT(table->values, ElementsAre(1, 2.5f, -300, 4, 5, 6));
  EXPECT_THAT(table->labels.class_names, ElementsAre("ant", "cat"));
  EXPECT_THAT(table->labels.labels, ElementsAre(1, 0, 1));
}

TEST_F(CsvReader, KeepsTheFirstLineWhereItHasNumbers) {
  const auto table = Read("1,2,0\n3,4,1");
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(table->rows(), 2);
  EXPECT_EQ(Read("1,2,0\n3,4,1", {.header = CsvHeader::kYes})->rows(), 1);
  EXPECT_EQ(Error("a,b,0\n3,4,1", {.header = CsvHeader::kNo}),
            "line 1, column 1: expected a number, got \"a\"");
}

TEST_F(CsvReader, SortsIntegerClassesByValueAndWordsByBytes) {
  EXPECT_THAT(Read("1,10\n1,9\n1,-2\n")->labels.class_names, ElementsAre("-2", "9", "10"));
  EXPECT_THAT(Read("1,10\n1,9\n1,x\n")->labels.class_names, ElementsAre("10", "9", "x"));
}

TEST_F(CsvReader, TakesTheLabelColumnByNameOrIndex) {
  const auto by_name = Read("kind,1,2\na,3,4\nb,5,6\n", {.label_column = "kind"});
  ASSERT_TRUE(by_name.ok()) << by_name.status();
  EXPECT_THAT(by_name->values, ElementsAre(3, 4, 5, 6));
  const auto by_index = Read("3,a,4\n5,b,6\n", {.label_column = "1"});
  ASSERT_TRUE(by_index.ok());
  EXPECT_THAT(by_index->values, ElementsAre(3, 4, 5, 6));
  const auto without = Read("3,4\n5,6\n", {.label_column = ""});
  ASSERT_TRUE(without.ok());
  EXPECT_EQ(without->features, 2);
  EXPECT_TRUE(without->labels.labels.empty());
  EXPECT_EQ(Error("a,b\n1,2\n", {.label_column = "c"}),
            "label column: the first line has no column \"c\"");
  EXPECT_EQ(Error("1,2\n", {.label_column = "2"}), "label column: expected 0 to 1, got 2");
}

TEST_F(CsvReader, UnderstandsQuotesCrlfAndByteOrderMark) {
  const auto table = Read("\xEF\xBB\xBF\"a\",\"b,c\"\r\n\"1\",\"x \"\"y\"\"\nz\"\r\n\r\n2,w\r\n");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_THAT(table->values, ElementsAre(1, 2));
  EXPECT_THAT(table->labels.class_names, ElementsAre("w", "x \"y\"\nz"));
}

TEST_F(CsvReader, NamesLineAndColumnOfAWordAmongTheNumbers) {
  std::string text = "a,b,c,d\n";
  for (int i = 0; i < 5; ++i) text += "1,2,3,x\n";
  EXPECT_EQ(Error(text + "1,2,abc,x\n"), "line 7, column 3: expected a number, got \"abc\"");
  EXPECT_EQ(Error("1,2\n\n\n,3\n"), "line 4, column 1: expected a number, got \"\"");
  EXPECT_EQ(Error("1,\"a\nb\"\nx,2\n"), "line 3, column 1: expected a number, got \"x\"");
}

TEST_F(CsvReader, RefusesNumbersThatAreNotFinite) {
  EXPECT_EQ(Error("1,a\nnan,b\n"),
            "line 2, column 1: expected a finite float32 number, got \"nan\"");
  EXPECT_THAT(Error("1,a\n1e39,b\n"), HasSubstr("got \"1e39\""));
  EXPECT_THAT(Error("1,a\n-inf,b\n"), HasSubstr("got \"-inf\""));
}

TEST_F(CsvReader, RefusesLinesOfDifferentLengths) {
  EXPECT_EQ(Error("1,2,a\n1,2,3,a\n"), "line 2: expected 3 columns, got 4");
  EXPECT_EQ(Error("1,2,a\n1,a\n"), "line 2: expected 3 columns, got 2");
  EXPECT_EQ(Error("a\nb\n"), "expected at least one column besides the label");
}

TEST_F(CsvReader, RefusesQuotesOutOfPlace) {
  EXPECT_EQ(Error("1,a\n2,\"b\n3,c\n"),
            "line 2: expected a closing quote, got the end of the file");
  EXPECT_THAT(Error("\"1\"x,a\n"), HasSubstr("line 1: expected a comma or the end of the line"));
}

TEST_F(CsvReader, RefusesFilesWithoutRows) {
  EXPECT_EQ(Error(""), "expected at least one row of numbers, got none");
  EXPECT_EQ(Error("a,b,c\n"), "expected at least one row of numbers, got none");
}

TEST_F(CsvReader, RefusesLabelsOutsideTheGivenClasses) {
  EXPECT_EQ(Error("1,a\n2,c\n", {.classes = {"a", "b"}}),
            "line 2, column 2: expected one of the classes a to b as label, got \"c\"");
  EXPECT_EQ(Error("1,a\n2, \n"), "line 2, column 2: expected a label, got nothing");
}

TEST_F(CsvReader, StopsAtTooManyClasses) {
  std::string text;
  for (int i = 0; i <= 10'000; ++i) absl::StrAppend(&text, "1,", i, "\n");
  EXPECT_EQ(Error(text), "line 10001, column 2: expected at most 10000 distinct labels, got more");
}

TEST_F(CsvReader, EscapesAndCutsWhatTheFileSays) {
  EXPECT_EQ(Error("1,a\n\x1b[31m,b\n"), "line 2, column 1: expected a number, got \"\\x1b[31m\"");
  EXPECT_THAT(Error(absl::StrCat("1,a\n", std::string(5000, 'x'), ",b\n")), HasSubstr("xxx...\""));
}

TEST_F(CsvReader, ReadsGzipAndRefusesItsTruncations) {
  const std::string zipped = Gzip("1,2,a\n3,4,b\n");
  EXPECT_THAT(Read(zipped)->values, ElementsAre(1, 2, 3, 4));
  for (size_t size = 3; size < zipped.size(); ++size) {
    EXPECT_FALSE(Read(zipped.substr(0, size)).ok()) << size;
  }
}

TEST_F(CsvReader, GivesItsRowsAsExamples) {
  const auto source = OpenCsv({.path = folder_.Write("t.csv", "1,2,a\n3,4,b\n5,6,a\n")});
  ASSERT_TRUE(source.ok());
  EXPECT_EQ((*source)->header().rows(), 3);
  EXPECT_EQ((*source)->header().features(), 2);
  EXPECT_EQ((*source)->header().feature_type(), v1::FEATURE_TYPE_FLOAT32);
  ExampleBlock all;
  ASSERT_TRUE(ReadAll(**source, 2, all).ok());
  EXPECT_THAT(Floats(all), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(all.labels, ElementsAre(0, 1, 0));
  ASSERT_TRUE((*source)->Rewind().ok());
  ASSERT_TRUE(ReadAll(**source, 2, all).ok());
  EXPECT_EQ(all.labels.size(), 3u);
}

}  // namespace
}  // namespace mlp
