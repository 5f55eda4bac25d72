#include <cstring>
#include <string>
#include <vector>

#include <absl/strings/str_cat.h>

#include "client/commands/predict_sources.h"
#include "client/commands/predictions.h"
#include "client/readers/grey_image.h"
#include "client/status_macros.h"
#include "client/terminal/numbers.h"
#include "client/terminal/picture.h"
#include "client/terminal/table.h"

namespace mlp {
namespace {

absl::Status CheckTakesImages(const v1::ModelVersion& version) {
  const std::string name = absl::StrCat(version.model(), "@", version.version());
  if (!version.has_image()) {
    return absl::FailedPreconditionError(
        absl::StrCat("--image: ", name, " was not trained on images"));
  }
  const v1::ImageShape& image = version.image();
  if (image.channels() != 1 || image.width() < 1 || image.height() < 1 ||
      int64_t{image.width()} * image.height() > (1 << 20)) {
    return absl::FailedPreconditionError(
        absl::StrCat("--image: expected a model of grey images, but ", name, " takes ",
                     image.height(), " x ", image.width(), " x ", image.channels()));
  }
  return absl::OkStatus();
}

// Bytes for a model of bytes; 0 to 1 for one of float32 features.
std::string ValuesFor(const v1::ModelVersion& version, const GreyImage& image) {
  if (version.feature_type() == v1::FEATURE_TYPE_UINT8) {
    return std::string(image.pixels.begin(), image.pixels.end());
  }
  std::vector<float> floats;
  for (const uint8_t pixel : image.pixels) floats.push_back(static_cast<float>(pixel) / 255.0f);
  std::string values(floats.size() * sizeof(float), '\0');
  std::memcpy(values.data(), floats.data(), values.size());
  return values;
}

}  // namespace

absl::StatusOr<int> PredictImage(CommandContext& context, const PredictFlags& flags) {
  MLP_ASSIGN_OR_RETURN(const Polarity polarity, ParsePolarity(flags.invert));
  MLP_ASSIGN_OR_RETURN(GreyImage image, ReadPng(flags.image));
  MLP_ASSIGN_OR_RETURN(const v1::ModelVersion version, ResolveModel(context.client(), flags.model));
  MLP_RETURN_IF_ERROR(CheckTakesImages(version));
  const bool invert =
      polarity == Polarity::kInvert || (polarity == Polarity::kAuto && HasLightGround(image));
  if (invert) image = Invert(image);
  image = Fit(image, version.image().width(), version.image().height());

  MLP_ASSIGN_OR_RETURN(const std::vector<Prediction> predictions,
                       PredictRows(context.client(), version, version.feature_type(),
                                   image.width * image.height, ValuesFor(version, image)));
  const Prediction& prediction = predictions.front();
  if (context.json()) {
    PrintPredictionJson(context, version, prediction);
    return kExitSuccess;
  }
  context.out() << version.model() << "@" << version.version() << ": " << prediction.class_name
                << " (" << FormatPercent(prediction.probability()) << "); what it saw, "
                << image.width << " x " << image.height << (invert ? ", inverted" : "") << ":\n\n";
  const auto lines =
      SideBySide({DrawPicture(image.pixels, image.width, image.height, context.style()),
                  ClassBars(version, prediction, context.style())},
                 3);
  for (const std::string& line : lines) context.out() << line << "\n";
  return kExitSuccess;
}

}  // namespace mlp
