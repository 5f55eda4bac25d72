// Files whose checksums are right and whose content is not: made by another build, by a bug or on
// purpose. Nothing of what they claim is believed before it is held against the bytes there are.
#include <cstring>
#include <limits>
#include <string>

#include <absl/strings/escaping.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/artifact/artifact.h"
#include "core/artifact/sections.h"
#include "core/base/hash.h"
#include "tests/core/artifact/example_artifact.h"

namespace mlp {
namespace {

using ::testing::HasSubstr;

constexpr size_t kTable = 16;
constexpr size_t kEntry = 24;

std::string Sealed(std::string bytes) {
  return bytes.append(absl::HexStringToBytes(Sha256::Hex(bytes)));
}

// The example without its digest, to be changed and sealed again.
std::string Unsealed() {
  std::string bytes = WriteArtifact(ExampleArtifact());
  bytes.resize(bytes.size() - 32);
  return bytes;
}

template <typename T>
void Put(size_t offset, T value, std::string& bytes) {
  std::memcpy(bytes.data() + offset, &value, sizeof(value));
}

// The example with another content of one section, and every checksum right.
std::string WithSection(SectionKind kind, absl::string_view content) {
  const std::string bytes = WriteArtifact(ExampleArtifact());
  Sections sections = *ReadSections(bytes);
  sections[SectionIndex(kind)] = content;
  return WriteSections(sections);
}

void ExpectRefused(const std::string& bytes, absl::StatusCode code, const std::string& message) {
  const absl::Status status = ReadArtifact(bytes).status();
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(message));
}

void ExpectDataLoss(const std::string& bytes, const std::string& message) {
  ExpectRefused(bytes, absl::StatusCode::kDataLoss, message);
}

TEST(ArtifactHostile, SealingAgainIsWhatWritingDoes) {
  EXPECT_EQ(Sealed(Unsealed()), WriteArtifact(ExampleArtifact()));
}

TEST(ArtifactHostile, ANewerFormatVersionNeedsANewerBuild) {
  for (const uint32_t version : {2u, 3u, 0xFFFFFFFFu}) {
    std::string bytes = Unsealed();
    Put(8, version, bytes);
    ExpectRefused(Sealed(bytes), absl::StatusCode::kFailedPrecondition,
                  "artifact: format version: expected at most 1, which this build reads, got " +
                      std::to_string(version));
  }
}

TEST(ArtifactHostile, ANewerVersionMayLookQuiteDifferent) {
  std::string bytes = Unsealed();
  Put(8, uint32_t{2}, bytes);
  bytes.resize(17);
  ExpectRefused(Sealed(bytes), absl::StatusCode::kFailedPrecondition, "format version");
}

TEST(ArtifactHostile, VersionZeroIsNone) {
  std::string bytes = Unsealed();
  Put(8, uint32_t{0}, bytes);
  ExpectDataLoss(Sealed(bytes), "format version: expected 1 or more, got 0");
}

TEST(ArtifactHostile, AnUnknownKindOfSectionIsRefused) {
  for (const uint32_t kind : {0u, 5u, 0xFFFFFFFFu}) {
    std::string bytes = Unsealed();
    Put(kTable + 2 * kEntry, kind, bytes);
    ExpectRefused(Sealed(bytes), absl::StatusCode::kFailedPrecondition,
                  "section table, entry 2: expected kinds 1 to 4, got the unknown kind " +
                      std::to_string(kind));
  }
}

TEST(ArtifactHostile, SectionsInAnotherOrderOrTwiceAreRefused) {
  for (const uint32_t kind : {1u, 3u, 4u}) {
    std::string bytes = Unsealed();
    Put(kTable + kEntry, kind, bytes);
    ExpectDataLoss(Sealed(bytes), "section table, entry 1: expected kind 2 (weights)");
  }
}

TEST(ArtifactHostile, ACountOfSectionsThatIsNotThereIsRefused) {
  for (const uint32_t count : {0u, 1u, 3u}) {
    std::string bytes = Unsealed();
    Put(12, count, bytes);
    ExpectDataLoss(Sealed(bytes), "expected 4 sections, got " + std::to_string(count));
  }
  for (const uint32_t count : {5u, 1000u, 0xFFFFFFFFu}) {
    std::string bytes = Unsealed();
    Put(12, count, bytes);
    EXPECT_FALSE(ReadArtifact(Sealed(bytes)).ok());
  }
  std::string bytes = Unsealed();
  bytes.resize(kTable);
  ExpectDataLoss(Sealed(bytes), "expected 4 sections, got 4 in 48 bytes");
  bytes.resize(kTable + 3 * kEntry);
  EXPECT_FALSE(ReadArtifact(Sealed(bytes)).ok());
}

TEST(ArtifactHostile, OffsetsAndLengthsBeyondTheFileAreRefused) {
  for (size_t entry = 0; entry < 4; ++entry) {
    for (const uint64_t value : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 31, uint64_t{1} << 32,
                                 uint64_t{1} << 62, (uint64_t{1} << 62) - 1, uint64_t{1} << 63,
                                 ~uint64_t{0}, ~uint64_t{0} - 127, ~uint64_t{0} - 63}) {
      for (const size_t field : {8, 16}) {
        std::string bytes = Unsealed();
        Put(kTable + entry * kEntry + field, value, bytes);
        EXPECT_EQ(ReadArtifact(Sealed(bytes)).status().code(), absl::StatusCode::kDataLoss)
            << "entry " << entry << " field " << field << " value " << value;
      }
    }
  }
}

TEST(ArtifactHostile, AWrongSectionChecksumIsRefusedUnderARightDigest) {
  for (size_t entry = 0; entry < 4; ++entry) {
    std::string bytes = Unsealed();
    bytes[kTable + entry * kEntry + 4] ^= 1;
    ExpectDataLoss(Sealed(bytes), "expected CRC-32C");
  }
}

TEST(ArtifactHostile, WeightsOfTheWrongNumberAreRefused) {
  for (const size_t size : {0, 4, 67, 69, 72, 10'000}) {
    ExpectDataLoss(WithSection(SectionKind::kWeights, std::string(size, '\0')),
                   "section weights: expected 68 bytes (17 floats), got " + std::to_string(size));
  }
}

TEST(ArtifactHostile, WeightsThatAreNotFiniteAreRefused) {
  Artifact artifact = ExampleArtifact();
  artifact.network.parameters[13] = std::numeric_limits<float>::quiet_NaN();
  ExpectDataLoss(WriteArtifact(artifact),
                 "section weights: parameter 13: expected a finite number, got nan");
  artifact.network.parameters[0] = -std::numeric_limits<float>::infinity();
  ExpectDataLoss(WriteArtifact(artifact),
                 "section weights: parameter 0: expected a finite number, got -inf");
}

TEST(ArtifactHostile, AScalerThatDoesNotFitIsRefused) {
  for (const size_t size : {0, 8, 15, 17, 24}) {
    ExpectDataLoss(WithSection(SectionKind::kScaler, std::string(size, '\0')),
                   "section scaler: expected 16 bytes (4 floats), got " + std::to_string(size));
  }
}

TEST(ArtifactHostile, AScalerOfZerosIsRefused) {
  ExpectDataLoss(WithSection(SectionKind::kScaler, std::string(16, '\0')),
                 "section scaler: scaler: feature 0: expected a finite scale other than 0, got 0");
}

TEST(ArtifactHostile, ProvenanceThatIsNoJsonObjectIsRefused) {
  for (const char* text : {"", "null", "[]", "{", "{}x", "{\"a\":}", "{\"\xFF\":1}", "7"}) {
    ExpectDataLoss(WithSection(SectionKind::kProvenance, text),
                   "section provenance: expected a JSON object, got something else");
  }
}

TEST(ArtifactHostile, DeeplyNestedProvenanceDoesNoHarm) {
  std::string deep = "{\"a\":";
  deep += std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}";
  const absl::StatusOr<Artifact> artifact =
      ReadArtifact(WithSection(SectionKind::kProvenance, deep));
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  EXPECT_EQ(artifact->provenance_json, deep);
}

}  // namespace
}  // namespace mlp
