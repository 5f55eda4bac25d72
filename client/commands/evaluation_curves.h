// The curves of an evaluation: which classes to look at, their points, and plots of them in text.
#pragma once

#include <string>
#include <vector>

#include "client/terminal/style.h"
#include "client/terminal/unit_plot.h"
#include "mlp/v1/evaluation.pb.h"

namespace mlp {

// Precision over recall, from recall 0 on.
std::vector<UnitPoint> PrecisionRecallCurve(const v1::ClassEvaluation& evaluation);

// True positive rate (recall) over false positive rate, from (0, 0) on.
std::vector<UnitPoint> RocCurve(const v1::ClassEvaluation& evaluation);

// The up to `most` classes of lowest average precision among those that have examples and a curve,
// lowest first.
std::vector<int> HardestClasses(const v1::Evaluation& evaluation, int most);

// For each of the three hardest classes its precision-recall and its ROC curve, side by side. Lines
// end with \n. Empty where there are no curves.
std::string CurvesText(const v1::Evaluation& evaluation, const TerminalStyle& style);

}  // namespace mlp
