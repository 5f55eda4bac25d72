#include "core/onnx/model_metadata.h"

#include <string>
#include <utility>

#include <absl/strings/str_cat.h>
#include <nlohmann/json.hpp>

#include "core/artifact/artifact_header.h"
#include "core/base/status_macros.h"

namespace mlp {
namespace {

constexpr const char* kHeaderKey = "mlpd.header";
constexpr const char* kProvenanceKey = "mlpd.provenance";

void AddEntry(const char* key, std::string value, onnx::ModelProto& model) {
  onnx::StringStringEntryProto& entry = *model.add_metadata_props();
  entry.set_key(key);
  entry.set_value(std::move(value));
}

absl::Status Wrong(const char* key, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("metadata ", key, ": ", what));
}

// Null where there is none.
absl::StatusOr<const std::string*> FindEntry(const onnx::ModelProto& model, const char* key) {
  const std::string* value = nullptr;
  for (const onnx::StringStringEntryProto& entry : model.metadata_props()) {
    if (entry.key() != key) continue;
    if (value != nullptr) return Wrong(key, "expected one entry, got two");
    value = &entry.value();
  }
  return value;
}

// A graph has no threshold but of step units.
Topology WithoutIdleThresholds(Topology topology) {
  for (LayerSpec& layer : topology.layers) {
    if (layer.activation != Activation::kStep) layer.threshold = 0.0f;
  }
  return topology;
}

absl::Status ReadHeader(absl::string_view json, Artifact& artifact) {
  absl::StatusOr<ArtifactHeader> header = ReadArtifactHeader(json);
  if (!header.ok()) return Wrong(kHeaderKey, header.status().message());
  if (WithoutIdleThresholds(header->topology) != artifact.network.topology) {
    return Wrong(kHeaderKey, absl::StrCat("expected the graph's network, ",
                                          TopologyName(artifact.network.topology), ", got ",
                                          TopologyName(header->topology),
                                          " or other activations; a graph that was changed must "
                                          "leave this entry out"));
  }
  artifact.network.topology = std::move(header->topology);
  artifact.schema = std::move(header->schema);
  artifact.cost = header->cost;
  return absl::OkStatus();
}

// accept() neither recurses nor builds anything, so the text may be hostile.
bool IsJsonObject(absl::string_view text) {
  return !text.empty() && text.front() == '{' && nlohmann::json::accept(text.begin(), text.end());
}

}  // namespace

void WriteMetadata(const Artifact& artifact, onnx::ModelProto& model) {
  AddEntry(kHeaderKey,
           WriteArtifactHeader({artifact.network.topology, artifact.cost, artifact.schema}), model);
  AddEntry(kProvenanceKey, artifact.provenance_json, model);
}

absl::Status ReadMetadata(const onnx::ModelProto& model, Artifact& artifact) {
  MLP_ASSIGN_OR_RETURN(const std::string* header, FindEntry(model, kHeaderKey));
  if (header != nullptr) MLP_RETURN_IF_ERROR(ReadHeader(*header, artifact));
  MLP_ASSIGN_OR_RETURN(const std::string* provenance, FindEntry(model, kProvenanceKey));
  if (provenance == nullptr) return absl::OkStatus();
  if (!IsJsonObject(*provenance)) {
    return Wrong(kProvenanceKey, "expected a JSON object, got something else");
  }
  artifact.provenance_json = *provenance;
  return absl::OkStatus();
}

}  // namespace mlp
