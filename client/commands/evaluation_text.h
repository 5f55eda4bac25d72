// Evaluations as text.
#pragma once

#include <string>

#include <absl/strings/string_view.h>
#include <google/protobuf/repeated_ptr_field.h>

#include "mlp/v1/evaluation.pb.h"

namespace mlp {

// "training", "validation", "test" or "all".
std::string PartName(v1::DatasetPart part);

// "training 97.20 %, test 92.40 %".
std::string AccuracyByPart(const google::protobuf::RepeatedPtrField<v1::Evaluation>& evaluations);

// Accuracy and cross-entropy, a table of the classes with their macro and micro means, and, for up
// to 30 classes, the confusion matrix. Lines end with \n.
std::string DescribeEvaluation(const v1::Evaluation& evaluation);

}  // namespace mlp
