// The confusion matrix as text, and what stands out in it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client/terminal/style.h"
#include "mlp/v1/evaluation.pb.h"

namespace mlp {

// Whether the evaluation has all K x K counts.
bool HasConfusion(const v1::Evaluation& evaluation);

// Of row `label`, column `prediction`. Requires HasConfusion.
int64_t ConfusionCount(const v1::Evaluation& evaluation, int label, int prediction);

// The count's share of the label's examples; 0 where there are none.
double ConfusionShare(const v1::Evaluation& evaluation, int label, int prediction);

// The up to `most` classes that are mistaken most often, for another or another for them, by rising
// class. Requires HasConfusion.
std::vector<int> MostConfusedClasses(const v1::Evaluation& evaluation, int most);

// Rows are labels, columns predictions; on a terminal with colours a cell is the brighter the
// larger its share of the label's examples is, blue where right and orange where wrong. Of classes
// that do not fit (30, or fewer where the terminal is narrow) the most confused ones. Below, which
// classes are taken for which most often. Lines end with \n. Empty without HasConfusion.
std::string ConfusionText(const v1::Evaluation& evaluation, const TerminalStyle& style);

}  // namespace mlp
