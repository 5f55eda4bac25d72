#include "server/conversion/imported_version.h"

#include <string>

#include <google/protobuf/util/json_util.h>
#include <nlohmann/json.hpp>

#include "core/train/training_config.h"
#include "server/conversion/network_conversion.h"
#include "server/conversion/schema_conversion.h"

namespace mlp {
namespace {

// Of `object`; empty where there is no such text.
std::string TextAt(const nlohmann::json& object, const char* part, const char* key) {
  if (!object.contains(part) || !object[part].is_object()) return "";
  const nlohmann::json& inner = object[part];
  return inner.contains(key) && inner[key].is_string() ? inner[key].get<std::string>() : "";
}

// As ProvenanceJson wrote it; whatever else is there is left alone.
void ReadProvenance(const std::string& text, v1::ModelVersion& version) {
  const auto provenance = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!provenance.is_object()) return;
  version.set_dataset(TextAt(provenance, "dataset", "name"));
  version.set_dataset_sha256(TextAt(provenance, "dataset", "sha256"));
  if (!provenance.contains("config")) return;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  v1::TrainingConfig config;
  if (google::protobuf::util::JsonStringToMessage(provenance["config"].dump(), &config, options)
          .ok()) {
    *version.mutable_config() = config;
  }
}

}  // namespace

v1::ModelVersion VersionOf(const Artifact& artifact) {
  v1::ModelVersion version;
  ReadProvenance(artifact.provenance_json, version);
  TrainingConfig network;
  network.topology = artifact.network.topology;
  network.cost = artifact.cost;
  version.mutable_config()->clear_network();
  NetworkToApi(network, *version.mutable_config()->mutable_network());
  version.set_parameters(artifact.network.parameters.size());
  const DatasetSchema& schema = artifact.schema;
  version.set_feature_type(FeatureTypeToApi(schema.feature_type));
  for (const std::string& name : schema.class_names) version.add_class_names(name);
  if (schema.image) *version.mutable_image() = ImageToApi(*schema.image);
  return version;
}

}  // namespace mlp
