// Configurations written as text, for the tests of conversions.
#pragma once

#include <string>

#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "server/conversion/config_conversion.h"

namespace mlp {

inline v1::TrainingConfig Parse(const std::string& text) {
  v1::TrainingConfig config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config)) << text;
  return config;
}

inline absl::StatusOr<TrainingConfig> Convert(const std::string& text,
                                              v1::FeatureType type = v1::FEATURE_TYPE_UINT8) {
  return TrainingConfigFromApi(Parse(text), type);
}

// Empty where both are the same.
inline std::string Difference(const v1::TrainingConfig& a, const v1::TrainingConfig& b) {
  google::protobuf::util::MessageDifferencer differencer;
  std::string difference;
  differencer.ReportDifferencesToString(&difference);
  differencer.Compare(a, b);
  return difference;
}

}  // namespace mlp
