// The four parts of an evaluation's figure.
#pragma once

#include "client/figure/drawing.h"
#include "mlp/v1/evaluation.pb.h"

namespace mlp {

// `box` is where the matrix or the curves are; axes, names and title go around it: 100 points left
// of it, 30 above and 60 below. Nothing is drawn of what the evaluation does not have.

// Rows are labels, columns predictions; a cell is the darker the larger its share of the label's
// examples is, blue where right and orange where wrong. At most the 40 most confused classes.
void DrawConfusion(const v1::Evaluation& evaluation, const PageBox& box, Drawing& drawing);

// Of every class, the ten of lowest average precision in colours and named with their areas.
void DrawPrecisionRecall(const v1::Evaluation& evaluation, const PageBox& box, Drawing& drawing);
void DrawRoc(const v1::Evaluation& evaluation, const PageBox& box, Drawing& drawing);

// Accuracy over confidence, a bar a bin, and how many examples each bin has.
void DrawReliability(const v1::Evaluation& evaluation, const PageBox& box, Drawing& drawing);

}  // namespace mlp
