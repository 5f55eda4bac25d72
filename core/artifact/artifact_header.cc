#include "core/artifact/artifact_header.h"

#include <cmath>
#include <limits>
#include <utility>

#include <absl/strings/str_cat.h>
#include <nlohmann/json.hpp>

#include "core/base/status_macros.h"

namespace mlp {
namespace {

using Json = nlohmann::ordered_json;

// Room for 10,000 class names of 128 bytes, each byte escaped as \u00XX; and what bounds the memory
// that parsing takes.
constexpr size_t kMaxHeaderBytes = size_t{8} << 20;
constexpr int kMaxDepth = 8;

constexpr absl::string_view kSigmoidCost = "sigmoid_cross_entropy";
constexpr absl::string_view kSoftmaxCost = "softmax_cross_entropy";

std::string Text(absl::string_view text) { return std::string(text); }

absl::Status Wrong(absl::string_view member, absl::string_view expected) {
  return absl::DataLossError(
      absl::StrCat("artifact: section header: ", member, ": expected ", expected));
}

// Status of a check of the decoded content; its message names the field already.
absl::Status AsDataLoss(const absl::Status& status) {
  if (status.ok()) return status;
  return absl::DataLossError(absl::StrCat("artifact: section header: ", status.message()));
}

// `object[name]` if it is there and is of the type; null otherwise.
const Json* Find(const Json& object, const char* name, bool (Json::*is_type)() const noexcept) {
  if (!object.is_object()) return nullptr;
  const auto member = object.find(name);
  return member != object.end() && ((*member).*is_type)() ? &*member : nullptr;
}

absl::StatusOr<int> ReadInt(const Json& object, const char* name) {
  const Json* value = Find(object, name, &Json::is_number_integer);
  // Of an unsigned number over 2^63 the signed value is negative, and is refused as that.
  if (value != nullptr) {
    const auto number = value->get<int64_t>();
    if (number >= 0 && number <= std::numeric_limits<int>::max()) return static_cast<int>(number);
  }
  return Wrong(name, "a whole number from 0 to 2147483647");
}

absl::StatusOr<std::string> ReadString(const Json& object, const char* name) {
  const Json* value = Find(object, name, &Json::is_string);
  if (value == nullptr) return Wrong(name, "a string");
  return value->get<std::string>();
}

Json TopologyToJson(const Topology& topology) {
  Json layers = Json::array();
  for (const LayerSpec& layer : topology.layers) {
    layers.push_back({{"units", layer.units},
                      {"activation", Text(ActivationName(layer.activation))},
                      {"threshold", layer.threshold}});
  }
  return {{"inputs", topology.inputs}, {"layers", std::move(layers)}};
}

absl::StatusOr<LayerSpec> LayerFromJson(const Json& json) {
  LayerSpec layer;
  MLP_ASSIGN_OR_RETURN(layer.units, ReadInt(json, "units"));
  MLP_ASSIGN_OR_RETURN(const std::string activation, ReadString(json, "activation"));
  if (!ParseActivation(activation, &layer.activation)) {
    return Wrong("activation", absl::StrCat("the name of an activation, got \"", activation, "\""));
  }
  const Json* threshold = Find(json, "threshold", &Json::is_number);
  if (threshold == nullptr ||
      std::abs(threshold->get<double>()) > double{std::numeric_limits<float>::max()}) {
    return Wrong("threshold", "a number in the range of float");
  }
  layer.threshold = threshold->get<float>();
  return layer;
}

absl::StatusOr<Topology> TopologyFromJson(const Json& json) {
  Topology topology;
  MLP_ASSIGN_OR_RETURN(topology.inputs, ReadInt(json, "inputs"));
  const Json* layers = Find(json, "layers", &Json::is_array);
  if (layers == nullptr) return Wrong("layers", "an array");
  for (const Json& layer : *layers) {
    MLP_ASSIGN_OR_RETURN(LayerSpec spec, LayerFromJson(layer));
    topology.layers.push_back(spec);
  }
  MLP_RETURN_IF_ERROR(AsDataLoss(ValidateTopology(topology)));
  return topology;
}

Json SchemaToJson(const DatasetSchema& schema) {
  Json json = {{"features", schema.features},
               {"feature_type", schema.feature_type == FeatureType::kUint8 ? "uint8" : "float32"},
               {"class_names", schema.class_names}};
  if (schema.image.has_value()) {
    json["image"] = {{"height", schema.image->height},
                     {"width", schema.image->width},
                     {"channels", schema.image->channels}};
  }
  return json;
}

absl::StatusOr<FeatureType> FeatureTypeFromJson(const Json& json) {
  MLP_ASSIGN_OR_RETURN(const std::string name, ReadString(json, "feature_type"));
  if (name == "uint8") return FeatureType::kUint8;
  if (name == "float32") return FeatureType::kFloat32;
  return Wrong("feature_type", absl::StrCat("uint8 or float32, got \"", name, "\""));
}

absl::StatusOr<DatasetSchema> SchemaFromJson(const Json& json) {
  DatasetSchema schema;
  MLP_ASSIGN_OR_RETURN(schema.features, ReadInt(json, "features"));
  MLP_ASSIGN_OR_RETURN(schema.feature_type, FeatureTypeFromJson(json));
  const Json* names = Find(json, "class_names", &Json::is_array);
  if (names == nullptr) return Wrong("class_names", "an array");
  for (const Json& name : *names) {
    if (!name.is_string()) return Wrong("class_names", "strings");
    schema.class_names.push_back(name.get<std::string>());
  }
  if (json.contains("image")) {
    ImageShape image;
    MLP_ASSIGN_OR_RETURN(image.height, ReadInt(json["image"], "height"));
    MLP_ASSIGN_OR_RETURN(image.width, ReadInt(json["image"], "width"));
    MLP_ASSIGN_OR_RETURN(image.channels, ReadInt(json["image"], "channels"));
    schema.image = image;
  }
  MLP_RETURN_IF_ERROR(AsDataLoss(ValidateSchema(schema)));
  return schema;
}

absl::StatusOr<CostKind> CostFromJson(const Json& json) {
  MLP_ASSIGN_OR_RETURN(const std::string name, ReadString(json, "cost"));
  if (name == kSigmoidCost) return CostKind::kSigmoidCrossEntropy;
  if (name == kSoftmaxCost) return CostKind::kSoftmaxCrossEntropy;
  return Wrong("cost", absl::StrCat(kSigmoidCost, " or ", kSoftmaxCost, ", got \"", name, "\""));
}

}  // namespace

std::string WriteArtifactHeader(const ArtifactHeader& header) {
  const bool softmax = header.cost == CostKind::kSoftmaxCrossEntropy;
  const Json json = {{"topology", TopologyToJson(header.topology)},
                     {"cost", Text(softmax ? kSoftmaxCost : kSigmoidCost)},
                     {"schema", SchemaToJson(header.schema)}};
  return json.dump();
}

absl::StatusOr<ArtifactHeader> ReadArtifactHeader(absl::string_view text) {
  if (text.size() > kMaxHeaderBytes) {
    return Wrong("its length",
                 absl::StrCat("at most ", kMaxHeaderBytes, " bytes, got ", text.size()));
  }
  // Drops what is nested deeper than any header is, so that nothing recurses without bound.
  const auto shallow = [](int depth, Json::parse_event_t, Json&) { return depth <= kMaxDepth; };
  const Json json = Json::parse(text.begin(), text.end(), shallow, /*allow_exceptions=*/false);
  const Json* topology = Find(json, "topology", &Json::is_object);
  const Json* schema = Find(json, "schema", &Json::is_object);
  if (topology == nullptr || schema == nullptr) {
    return Wrong("its text", "JSON with the objects topology and schema");
  }
  ArtifactHeader header;
  MLP_ASSIGN_OR_RETURN(header.topology, TopologyFromJson(*topology));
  MLP_ASSIGN_OR_RETURN(header.cost, CostFromJson(json));
  MLP_ASSIGN_OR_RETURN(header.schema, SchemaFromJson(*schema));
  if (header.topology.inputs != header.schema.features) {
    return Wrong("inputs",
                 absl::StrCat(header.schema.features, " (features), got ", header.topology.inputs));
  }
  if (header.topology.outputs() != header.schema.classes()) {
    return Wrong("layers", absl::StrCat("an output layer of ", header.schema.classes(),
                                        " units (class_names), got ", header.topology.outputs()));
  }
  return header;
}

}  // namespace mlp
