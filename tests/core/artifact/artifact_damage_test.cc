// Accidents: whatever happens to a file's bytes, it is noticed.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/artifact/artifact.h"
#include "core/artifact/sections.h"
#include "tests/core/artifact/example_artifact.h"

namespace mlp {
namespace {

using ::testing::HasSubstr;

std::string MessageOf(const std::string& bytes) {
  return std::string(ReadArtifact(bytes).status().message());
}

TEST(ArtifactDamage, EverySingleFlippedBitIsDataLoss) {
  std::string bytes = WriteArtifact(ExampleArtifact());
  ASSERT_TRUE(ReadArtifact(bytes).ok());
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
      const absl::Status status = ReadArtifact(bytes).status();
      ASSERT_EQ(status.code(), absl::StatusCode::kDataLoss)
          << "byte " << i << " bit " << bit << ": " << status;
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
    }
  }
  EXPECT_TRUE(ReadArtifact(bytes).ok());
}

TEST(ArtifactDamage, EveryTruncationIsDataLoss) {
  const std::string bytes = WriteArtifact(ExampleArtifact());
  for (size_t size = 0; size < bytes.size(); ++size) {
    const absl::Status status = ReadArtifact(absl::string_view(bytes).substr(0, size)).status();
    ASSERT_EQ(status.code(), absl::StatusCode::kDataLoss) << size << " bytes: " << status;
  }
}

TEST(ArtifactDamage, BytesAtTheFrontOrEndAreDataLoss) {
  const std::string bytes = WriteArtifact(ExampleArtifact());
  for (const std::string& added : {std::string(1, '\0'), std::string("x"), std::string(64, '\0'),
                                   std::string(5000, 'y'), bytes}) {
    EXPECT_EQ(ReadArtifact(bytes + added).status().code(), absl::StatusCode::kDataLoss);
    if (added != bytes) {
      EXPECT_EQ(ReadArtifact(added + bytes).status().code(), absl::StatusCode::kDataLoss);
    }
  }
}

TEST(ArtifactDamage, ARemovedOrRepeatedByteIsDataLoss) {
  const std::string bytes = WriteArtifact(ExampleArtifact());
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed.erase(i, 1);
    ASSERT_EQ(ReadArtifact(changed).status().code(), absl::StatusCode::kDataLoss) << i;
    changed = bytes;
    changed.insert(i, 1, bytes[i]);
    ASSERT_EQ(ReadArtifact(changed).status().code(), absl::StatusCode::kDataLoss) << i;
  }
}

TEST(ArtifactDamage, NamesTheDamagedSection) {
  const std::string bytes = WriteArtifact(ExampleArtifact());
  const absl::StatusOr<Sections> sections = ReadSections(bytes);
  ASSERT_TRUE(sections.ok()) << sections.status();
  for (const SectionKind kind : {SectionKind::kHeader, SectionKind::kWeights, SectionKind::kScaler,
                                 SectionKind::kProvenance}) {
    const absl::string_view section = (*sections)[SectionIndex(kind)];
    for (const size_t at : {size_t{0}, section.size() - 1}) {
      std::string damaged = bytes;
      damaged[static_cast<size_t>(section.data() - bytes.data()) + at] ^= 4;
      const std::string message = MessageOf(damaged);
      EXPECT_THAT(message, HasSubstr("artifact: section " + std::string(SectionName(kind)) +
                                     ": expected CRC-32C "));
    }
  }
}

TEST(ArtifactDamage, SaysWhatElseIsWrong) {
  const std::string bytes = WriteArtifact(ExampleArtifact());
  const std::string size = std::to_string(bytes.size());
  EXPECT_EQ(MessageOf(bytes.substr(0, bytes.size() - 1)),
            "artifact: expected " + size + " bytes, got " + std::to_string(bytes.size() - 1) +
                ": cut short");
  EXPECT_EQ(MessageOf(bytes + "xy"), "artifact: expected " + size + " bytes, got " +
                                         std::to_string(bytes.size() + 2) + ": bytes were added");
  EXPECT_EQ(MessageOf(""), "artifact: expected 48 bytes or more, got 0");
  EXPECT_EQ(MessageOf(std::string(1000, '\0')),
            "artifact: file signature: expected that of a model artifact, got another");
  std::string damaged = bytes;
  damaged[16] = 7;
  EXPECT_EQ(MessageOf(damaged),
            "artifact: section table, entry 0: expected kind 1 (header) at offset 128, got kind 7 "
            "at offset 128");
  damaged = bytes;
  damaged.back() ^= 1;
  EXPECT_THAT(MessageOf(damaged), HasSubstr("format version, padding or digest"));
}

}  // namespace
}  // namespace mlp
