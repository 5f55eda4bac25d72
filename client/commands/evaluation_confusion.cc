#include "client/commands/evaluation_confusion.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/string_view.h>

#include "client/terminal/numbers.h"
#include "client/terminal/shade.h"
#include "client/terminal/table.h"

namespace mlp {
namespace {

constexpr int kMostClasses = 30;
constexpr size_t kMostPairs = 5;
constexpr size_t kGap = 2;  // between columns
constexpr size_t kWidestColumnName = 7;
constexpr absl::string_view kRowsName = "label";

struct ConfusedPair {
  int label;
  int prediction;
  int64_t examples;
};

std::vector<ConfusedPair> MostConfusedPairs(const v1::Evaluation& evaluation) {
  std::vector<ConfusedPair> pairs;
  const int classes = evaluation.classes_size();
  for (int label = 0; label < classes; ++label) {
    for (int prediction = 0; prediction < classes; ++prediction) {
      const int64_t examples = ConfusionCount(evaluation, label, prediction);
      if (label != prediction && examples > 0) pairs.push_back({label, prediction, examples});
    }
  }
  const size_t kept = std::min(pairs.size(), kMostPairs);
  std::partial_sort(pairs.begin(), pairs.begin() + static_cast<std::ptrdiff_t>(kept), pairs.end(),
                    [](const ConfusedPair& a, const ConfusedPair& b) {
                      return std::tuple(-a.examples, a.label, a.prediction) <
                             std::tuple(-b.examples, b.label, b.prediction);
                    });
  pairs.resize(kept);
  return pairs;
}

// What rows and columns are called: columns by the class's index where names are too wide for them,
// and rows then by index and name.
struct Headings {
  std::vector<std::string> rows;
  std::vector<std::string> columns;
  bool numbered = false;
};

Headings HeadingsOf(const v1::Evaluation& evaluation, const std::vector<int>& classes) {
  Headings headings;
  for (const int k : classes) {
    headings.numbered |= DisplayWidth(evaluation.classes(k).class_name()) > kWidestColumnName;
  }
  for (const int k : classes) {
    const std::string& name = evaluation.classes(k).class_name();
    headings.columns.push_back(headings.numbered ? absl::StrCat(k) : name);
    headings.rows.push_back(headings.numbered ? absl::StrCat(PadLeft(absl::StrCat(k), 4), " ", name)
                                              : name);
  }
  return headings;
}

size_t Widest(const std::vector<std::string>& texts, size_t width) {
  for (const std::string& text : texts) width = std::max(width, DisplayWidth(text));
  return width;
}

// Of the widest count and column name.
size_t CellWidth(const v1::Evaluation& evaluation, const std::vector<int>& classes,
                 const Headings& headings) {
  size_t width = Widest(headings.columns, 1);
  for (const int label : classes) {
    for (const int prediction : classes) {
      const int64_t count = ConfusionCount(evaluation, label, prediction);
      width = std::max(width, absl::StrCat(count).size());
    }
  }
  return width;
}

// The classes whose columns fit the terminal beside those of their names.
std::vector<int> ShownClasses(const v1::Evaluation& evaluation, const TerminalStyle& style) {
  int most = std::min(evaluation.classes_size(), kMostClasses);
  std::vector<int> classes = MostConfusedClasses(evaluation, most);
  if (!style.terminal) return classes;
  const Headings headings = HeadingsOf(evaluation, classes);
  const size_t cell = CellWidth(evaluation, classes, headings);
  const size_t names = Widest(headings.rows, kRowsName.size());
  const size_t room = static_cast<size_t>(std::max(style.width, 1));
  const size_t fitting = room > names ? (room - names) / (cell + kGap) : 0;
  most = std::min(most, static_cast<int>(std::max<size_t>(fitting, 2)));
  return MostConfusedClasses(evaluation, most);
}

std::string Cell(const v1::Evaluation& evaluation, int label, int prediction, size_t width,
                 const TerminalStyle& style) {
  const int64_t count = ConfusionCount(evaluation, label, prediction);
  const std::string text = PadLeft(count == 0 ? "." : absl::StrCat(count), width + kGap);
  return Shade(text, ConfusionShare(evaluation, label, prediction),
               label == prediction ? Hue::kRight : Hue::kWrong, style);
}

std::string Matrix(const v1::Evaluation& evaluation, const std::vector<int>& classes,
                   const Headings& headings, const TerminalStyle& style) {
  const size_t cell = CellWidth(evaluation, classes, headings);
  const size_t names = Widest(headings.rows, kRowsName.size());
  std::string text = PadRight(kRowsName, names);
  for (const std::string& name : headings.columns) {
    absl::StrAppend(&text, PadLeft(name, cell + kGap));
  }
  absl::StrAppend(&text, "\n");
  for (size_t row = 0; row < classes.size(); ++row) {
    absl::StrAppend(&text, PadRight(headings.rows[row], names));
    for (const int prediction : classes) {
      absl::StrAppend(&text, Cell(evaluation, classes[row], prediction, cell, style));
    }
    absl::StrAppend(&text, "\n");
  }
  return text;
}

}  // namespace

bool HasConfusion(const v1::Evaluation& evaluation) {
  const int64_t classes = evaluation.classes_size();
  return classes > 0 && evaluation.confusion_size() == classes * classes;
}

int64_t ConfusionCount(const v1::Evaluation& evaluation, int label, int prediction) {
  return evaluation.confusion(label * evaluation.classes_size() + prediction);
}

double ConfusionShare(const v1::Evaluation& evaluation, int label, int prediction) {
  const int64_t support = evaluation.classes(label).support();
  if (support == 0) return 0.0;
  return static_cast<double>(ConfusionCount(evaluation, label, prediction)) /
         static_cast<double>(support);
}

std::vector<int> MostConfusedClasses(const v1::Evaluation& evaluation, int most) {
  const int classes = evaluation.classes_size();
  std::vector<int64_t> mistakes(static_cast<size_t>(classes), 0);
  for (int label = 0; label < classes; ++label) {
    for (int prediction = 0; prediction < classes; ++prediction) {
      if (label == prediction) continue;
      const int64_t count = ConfusionCount(evaluation, label, prediction);
      mistakes[static_cast<size_t>(label)] += count;
      mistakes[static_cast<size_t>(prediction)] += count;
    }
  }
  std::vector<int> order(static_cast<size_t>(classes));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return mistakes[static_cast<size_t>(a)] > mistakes[static_cast<size_t>(b)];
  });
  order.resize(std::min(order.size(), static_cast<size_t>(std::max(most, 0))));
  std::sort(order.begin(), order.end());
  return order;
}

std::string ConfusionText(const v1::Evaluation& evaluation, const TerminalStyle& style) {
  if (!HasConfusion(evaluation)) return "";
  const std::vector<int> classes = ShownClasses(evaluation, style);
  const Headings headings = HeadingsOf(evaluation, classes);
  std::string text = "confusion: a row is a label, a column what was predicted";
  if (headings.numbered) absl::StrAppend(&text, ", by the class's number");
  if (static_cast<int>(classes.size()) < evaluation.classes_size()) {
    absl::StrAppend(&text, "; the ", classes.size(), " most confused of ",
                    evaluation.classes_size(), " classes");
  }
  absl::StrAppend(&text, "\n", Matrix(evaluation, classes, headings, style));
  const std::vector<ConfusedPair> pairs = MostConfusedPairs(evaluation);
  if (pairs.empty()) return text;
  absl::StrAppend(&text, "most often: ",
                  absl::StrJoin(pairs, ", ",
                                [&](std::string* out, const ConfusedPair& pair) {
                                  absl::StrAppend(out, evaluation.classes(pair.label).class_name(),
                                                  " taken for ",
                                                  evaluation.classes(pair.prediction).class_name(),
                                                  " (", FormatCount(pair.examples), ")");
                                }),
                  "\n");
  return text;
}

}  // namespace mlp
