// Datasets, jobs and model versions as text.
#pragma once

#include <string>

#include "mlp/v1/dataset.pb.h"
#include "mlp/v1/model.pb.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

// All of them: lines that end with \n, a word and its value each.
std::string DescribeDataset(const v1::Dataset& dataset);
std::string DescribeJob(const v1::TrainingJob& job);
// `serving = 4, stable = 3`
std::string AliasesText(const v1::Model& model);

// Where a version came from, in one line.
std::string LineageText(const v1::ModelVersion& version);

std::string DescribeModelVersion(const v1::ModelVersion& version);

// What `train` and `jobs watch` end with: state, why it stopped, iterations, cost, model, accuracy.
std::string SummarizeJob(const v1::TrainingJob& job);

// "RUNNING", "CONVERGED"; "-" for unspecified.
std::string StateName(v1::JobState state);
std::string StopReasonName(v1::StopReason reason);

// "uint8", "float32".
std::string FeatureTypeName(v1::FeatureType type);

// "400-25-10".
std::string LayersText(const v1::NetworkConfig& network);

}  // namespace mlp
