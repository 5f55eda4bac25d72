#include "core/artifact/artifact.h"

#include <cassert>
#include <cmath>
#include <cstring>
#include <utility>

#include <absl/strings/str_cat.h>
#include <nlohmann/json.hpp>

#include "core/artifact/artifact_header.h"
#include "core/artifact/sections.h"
#include "core/base/status_macros.h"

namespace mlp {
namespace {

absl::string_view BytesOf(const float* values, size_t count) {
  return {reinterpret_cast<const char*>(values), count * sizeof(float)};
}

absl::Status Wrong(SectionKind kind, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("artifact: section ", SectionName(kind), ": ", what));
}

absl::Status CheckFloats(SectionKind kind, absl::string_view bytes, int64_t count) {
  // The count is bounded by the topology's limits, so it cannot overflow as bytes.
  const auto expected = static_cast<uint64_t>(count) * sizeof(float);
  if (bytes.size() == expected) return absl::OkStatus();
  return Wrong(
      kind, absl::StrCat("expected ", expected, " bytes (", count, " floats), got ", bytes.size()));
}

absl::StatusOr<VectorF> ReadWeights(absl::string_view bytes, const Topology& topology) {
  const int64_t count = ParameterCount(topology);
  MLP_RETURN_IF_ERROR(CheckFloats(SectionKind::kWeights, bytes, count));
  VectorF weights(count);
  std::memcpy(weights.data(), bytes.data(), bytes.size());
  if (!weights.allFinite()) {
    int64_t index = 0;
    while (std::isfinite(weights[index])) ++index;
    return Wrong(
        SectionKind::kWeights,
        absl::StrCat("parameter ", index, ": expected a finite number, got ", weights[index]));
  }
  return weights;
}

absl::StatusOr<FeatureScaler> ReadScaler(absl::string_view bytes, int features) {
  MLP_RETURN_IF_ERROR(CheckFloats(SectionKind::kScaler, bytes, int64_t{2} * features));
  const size_t half = bytes.size() / 2;
  std::vector<float> offsets(static_cast<size_t>(features));
  std::vector<float> scales(static_cast<size_t>(features));
  std::memcpy(offsets.data(), bytes.data(), half);
  std::memcpy(scales.data(), bytes.data() + half, half);
  absl::StatusOr<FeatureScaler> scaler =
      FeatureScaler::Create(std::move(offsets), std::move(scales));
  if (!scaler.ok()) return Wrong(SectionKind::kScaler, scaler.status().message());
  return scaler;
}

// accept() neither recurses nor builds anything, so the text may be hostile.
bool IsJsonObject(absl::string_view text) {
  return !text.empty() && text.front() == '{' && nlohmann::json::accept(text.begin(), text.end());
}

}  // namespace

std::string WriteArtifact(const Artifact& artifact) {
  const Topology& topology = artifact.network.topology;
  assert(ValidateTopology(topology).ok() && ValidateSchema(artifact.schema).ok());
  assert(artifact.network.parameters.size() == ParameterCount(topology));
  assert(artifact.scaler.features() == topology.inputs);
  assert(artifact.schema.features == topology.inputs);
  assert(artifact.schema.classes() == topology.outputs());
  assert(IsJsonObject(artifact.provenance_json));

  const std::string header = WriteArtifactHeader({topology, artifact.cost, artifact.schema});
  std::vector<float> scaler(artifact.scaler.offsets().begin(), artifact.scaler.offsets().end());
  scaler.insert(scaler.end(), artifact.scaler.scales().begin(), artifact.scaler.scales().end());

  Sections sections;
  sections[SectionIndex(SectionKind::kHeader)] = header;
  sections[SectionIndex(SectionKind::kWeights)] = BytesOf(
      artifact.network.parameters.data(), static_cast<size_t>(artifact.network.parameters.size()));
  sections[SectionIndex(SectionKind::kScaler)] = BytesOf(scaler.data(), scaler.size());
  sections[SectionIndex(SectionKind::kProvenance)] = artifact.provenance_json;
  return WriteSections(sections);
}

bool IsArtifact(absl::string_view bytes) { return HasSignature(bytes); }

absl::StatusOr<Artifact> ReadArtifact(absl::string_view bytes) {
  MLP_ASSIGN_OR_RETURN(const Sections sections, ReadSections(bytes));
  MLP_ASSIGN_OR_RETURN(ArtifactHeader header,
                       ReadArtifactHeader(sections[SectionIndex(SectionKind::kHeader)]));
  Artifact artifact;
  MLP_ASSIGN_OR_RETURN(artifact.network.parameters,
                       ReadWeights(sections[SectionIndex(SectionKind::kWeights)], header.topology));
  MLP_ASSIGN_OR_RETURN(artifact.scaler, ReadScaler(sections[SectionIndex(SectionKind::kScaler)],
                                                   header.schema.features));
  const absl::string_view provenance = sections[SectionIndex(SectionKind::kProvenance)];
  if (!IsJsonObject(provenance)) {
    return Wrong(SectionKind::kProvenance, "expected a JSON object, got something else");
  }
  artifact.provenance_json = std::string(provenance);
  artifact.network.topology = std::move(header.topology);
  artifact.schema = std::move(header.schema);
  artifact.cost = header.cost;
  return artifact;
}

}  // namespace mlp
