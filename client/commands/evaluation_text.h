// Evaluations as text.
#pragma once

#include <string>

#include <google/protobuf/repeated_ptr_field.h>

#include "client/terminal/style.h"
#include "mlp/v1/evaluation.pb.h"

namespace mlp {

// "training", "validation", "test" or "all".
std::string PartName(v1::DatasetPart part);

// "training 97.20 %, test 92.40 %".
std::string AccuracyByPart(const google::protobuf::RepeatedPtrField<v1::Evaluation>& evaluations);

// The report: summary, table of the classes with their means, confusion matrix, curves, reliability
// and the worst examples, as far as the evaluation has them. Lines end with \n.
std::string DescribeEvaluation(const v1::Evaluation& evaluation, const TerminalStyle& style);

}  // namespace mlp
