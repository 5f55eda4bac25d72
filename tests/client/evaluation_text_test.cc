#include "client/commands/evaluation_text.h"

#include <string>

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/commands/evaluation_calibration.h"
#include "client/commands/evaluation_confusion.h"
#include "client/commands/evaluation_curves.h"

namespace mlp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr TerminalStyle kPipe = {};
constexpr TerminalStyle kColors = {.terminal = true, .utf8 = true, .width = 80, .color = true};

// K classes of ten examples; each class k > 0 is taken k times for class 0.
v1::Evaluation Confused(int classes, const std::string& name = "") {
  v1::Evaluation evaluation;
  for (int label = 0; label < classes; ++label) {
    v1::ClassEvaluation& c = *evaluation.add_classes();
    c.set_class_name(absl::StrCat(name, label));
    c.set_support(10);
    for (int prediction = 0; prediction < classes; ++prediction) {
      const int wrong = label == 0 ? 0 : label % 10;
      evaluation.add_confusion(prediction == label ? 10 - wrong : prediction == 0 ? wrong : 0);
    }
  }
  return evaluation;
}

TEST(ConfusionText, IsPlainInAPipe) {
  EXPECT_EQ(ConfusionText(Confused(3), kPipe),
            "confusion: a row is a label, a column what was predicted\n"
            "label   0   1   2\n"
            "0      10   .   .\n"
            "1       1   9   .\n"
            "2       2   .   8\n"
            "most often: 2 taken for 0 (2), 1 taken for 0 (1)\n");
}

TEST(ConfusionText, IsShadedOnATerminal) {
  const std::string text = ConfusionText(Confused(2), kColors);
  EXPECT_THAT(text, HasSubstr("\x1b[38;5;231;48;5;26m  10\x1b[0m   ."));  // all right, none wrong
  EXPECT_THAT(text, HasSubstr("\x1b[38;5;231;48;5;94m   1\x1b[0m"));      // one in ten wrong
  EXPECT_THAT(ConfusionText(Confused(2), {.terminal = true, .width = 80}), Not(HasSubstr("\x1b")));
}

TEST(ConfusionText, NumbersClassesOfLongNames) {
  EXPECT_EQ(ConfusionText(Confused(2, "a long name "), kPipe),
            "confusion: a row is a label, a column what was predicted, by the class's number\n"
            "label                0   1\n"
            "   0 a long name 0  10   .\n"
            "   1 a long name 1   1   9\n"
            "most often: a long name 1 taken for a long name 0 (1)\n");
}

TEST(ConfusionText, ShowsTheMostConfusedOfManyClasses) {
  // Classes 10, 20 and 30 are never mistaken; 1, 11 and 21 once each.
  EXPECT_THAT(MostConfusedClasses(Confused(12), 3), ElementsAre(0, 8, 9));
  const std::string text = ConfusionText(Confused(40), kPipe);
  EXPECT_THAT(text, HasSubstr("; the 30 most confused of 40 classes\n"));
  EXPECT_THAT(text, Not(HasSubstr("\n10 ")));
  EXPECT_THAT(text, HasSubstr("\n39 "));
  const std::string narrow = ConfusionText(Confused(40), {.terminal = true, .width = 40});
  EXPECT_THAT(narrow, HasSubstr("; the 8 most confused of 40 classes\n"));
}

TEST(ConfusionText, IsEmptyWithoutCounts) {
  v1::Evaluation evaluation = Confused(3);
  evaluation.mutable_confusion()->RemoveLast();
  EXPECT_EQ(ConfusionText(evaluation, kPipe), "");
  EXPECT_EQ(ConfusionText({}, kPipe), "");
}

// Class k of average precision `ap`, with a curve of one point.
void AddClass(double ap, int64_t support, v1::Evaluation& evaluation) {
  v1::ClassEvaluation& c = *evaluation.add_classes();
  c.set_class_name(absl::StrCat("c", evaluation.classes_size() - 1));
  c.set_support(support);
  c.set_average_precision(ap);
  v1::OperatingPoint& point = *c.add_curve();
  point.set_precision(0.5);
  point.set_recall(1.0);
  point.set_false_positive_rate(0.25);
}

TEST(CurvesText, IsOfTheHardestClasses) {
  v1::Evaluation evaluation;
  AddClass(0.9, 5, evaluation);
  AddClass(0.4, 5, evaluation);
  AddClass(0.0, 0, evaluation);  // no examples
  AddClass(0.7, 5, evaluation);
  AddClass(0.8, 5, evaluation);
  EXPECT_THAT(HardestClasses(evaluation, 3), ElementsAre(1, 3, 4));
  const std::string text = CurvesText(evaluation, kPipe);
  EXPECT_THAT(text, HasSubstr("curves of the classes of lowest average precision\n"));
  EXPECT_LT(text.find("c1: precision, AP 0.4000"), text.find("c3: precision, AP 0.7000"));
  EXPECT_THAT(text, Not(HasSubstr("c0:")));
  evaluation.mutable_classes(1)->clear_curve();
  EXPECT_THAT(HardestClasses(evaluation, 9), ElementsAre(3, 4, 0));
  EXPECT_EQ(CurvesText({}, kPipe), "");
}

TEST(CurvesText, CurvesBeginAtTheirAxis) {
  v1::Evaluation evaluation;
  AddClass(0.9, 5, evaluation);
  const auto precision_recall = PrecisionRecallCurve(evaluation.classes(0));
  ASSERT_EQ(precision_recall.size(), 2u);
  EXPECT_EQ(precision_recall[0].x, 0.0);
  EXPECT_EQ(precision_recall[0].y, 0.5);
  EXPECT_EQ(precision_recall[1].x, 1.0);
  const auto roc = RocCurve(evaluation.classes(0));
  ASSERT_EQ(roc.size(), 2u);
  EXPECT_EQ(roc[0].y, 0.0);
  EXPECT_EQ(roc[1].x, 0.25);
  EXPECT_EQ(roc[1].y, 1.0);
  EXPECT_THAT(PrecisionRecallCurve({}), IsEmpty());
}

TEST(CalibrationText, MarksTheConfidenceOnTheAccuracy) {
  v1::Evaluation evaluation;
  for (const double accuracy : {0.0, 0.5, 1.0}) {
    v1::ReliabilityBin& bin = *evaluation.add_reliability();
    bin.set_lower(0.5);
    bin.set_upper(0.75);
    bin.set_examples(accuracy == 0.0 ? 0 : 1200);
    bin.set_mean_confidence(0.75);
    bin.set_accuracy(accuracy);
  }
  EXPECT_EQ(CalibrationText(evaluation, kPipe),
            "reliability: how often answers of a confidence are right\n"
            "confidence   examples    mean  accuracy  accuracy; | is the confidence\n"
            "0.50 - 0.75     1,200  0.7500    0.5000  #############      |\n"
            "0.50 - 0.75     1,200  0.7500    1.0000  ###################|######\n");
  EXPECT_EQ(CalibrationText({}, kPipe), "");
}

// What a server from before these fields sends.
TEST(EvaluationText, LeavesOutWhatIsNotThere) {
  v1::Evaluation evaluation = Confused(2);
  evaluation.set_examples(20);
  evaluation.set_accuracy(0.95);
  evaluation.set_cross_entropy(0.25);
  const std::string text = DescribeEvaluation(evaluation, kPipe);
  EXPECT_TRUE(absl::StartsWith(text,
                               "accuracy       95.00 % of 20 examples (all)\n"
                               "cross-entropy  0.25\n\n"
                               "class  precision"))
      << text;
  EXPECT_TRUE(absl::EndsWith(text, "most often: 1 taken for 0 (1)\n")) << text;
}

}  // namespace
}  // namespace mlp
