#include "client/readers/weighted_source.h"

#include <cmath>
#include <utility>
#include <vector>

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include "client/readers/quote.h"
#include "client/readers/text_lines.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

class WeightedSource final : public ExampleSource {
 public:
  WeightedSource(std::unique_ptr<ExampleSource> source, std::vector<float> weights)
      : source_(std::move(source)), weights_(std::move(weights)), header_(source_->header()) {
    header_.set_weighted(true);
  }

  const v1::DatasetHeader& header() const override { return header_; }

  absl::Status Read(int64_t max_rows, ExampleBlock& block) override {
    MLP_RETURN_IF_ERROR(source_->Read(max_rows, block));
    const auto begin = weights_.begin() + row_;
    row_ += static_cast<int64_t>(block.labels.size());
    block.weights.assign(begin, weights_.begin() + row_);
    return absl::OkStatus();
  }

  absl::Status Rewind() override {
    row_ = 0;
    return source_->Rewind();
  }

 private:
  const std::unique_ptr<ExampleSource> source_;
  const std::vector<float> weights_;
  v1::DatasetHeader header_;
  int64_t row_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ExampleSource>> WithWeights(std::unique_ptr<ExampleSource> source,
                                                           const std::string& path) {
  std::vector<float> weights;
  MLP_RETURN_IF_ERROR(ForEachLine(path, "a weight", [&](absl::string_view line) -> absl::Status {
    const absl::string_view text = absl::StripAsciiWhitespace(line);
    float weight = 0.0f;
    if (!absl::SimpleAtof(text, &weight) || !std::isfinite(weight) || weight < 0.0f) {
      return absl::InvalidArgumentError(
          absl::StrCat("expected a finite number of at least 0, got ", Quote(text)));
    }
    weights.push_back(weight);
    return absl::OkStatus();
  }));
  if (static_cast<int64_t>(weights.size()) != source->header().rows()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": expected ", source->header().rows(),
                                                   " weights, one a row, got ", weights.size()));
  }
  return std::make_unique<WeightedSource>(std::move(source), std::move(weights));
}

}  // namespace mlp
