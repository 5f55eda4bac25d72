// The frame of a model file: numbered sections of bytes, each with its checksum, and a digest of
// the whole at the end. It knows nothing of what the sections mean; artifact.cc does.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

namespace mlp {

// The sections of format version 1, each there exactly once and in this order. Numbers are for
// ever: a new kind takes the next one, and a new format version with it.
enum class SectionKind : uint32_t { kHeader = 1, kWeights = 2, kScaler = 3, kProvenance = 4 };

inline constexpr size_t kSectionCount = 4;

// Contents by kind; index with SectionIndex.
using Sections = std::array<absl::string_view, kSectionCount>;

constexpr size_t SectionIndex(SectionKind kind) { return static_cast<size_t>(kind) - 1; }

// "header", "weights", ...
absl::string_view SectionName(SectionKind kind);

// The bytes of a file with these sections.
std::string WriteSections(const Sections& sections);

// Whether `bytes` begin as such a file does.
bool HasSignature(absl::string_view bytes);

// The sections of a file, as views into `bytes`; allocates nothing of their size. DATA_LOSS where a
// checksum, the size or the layout is not what was written (names the damaged section where only
// one is); FAILED_PRECONDITION, of an undamaged file, for a newer format version or an unknown kind
// of section.
absl::StatusOr<Sections> ReadSections(absl::string_view bytes);

}  // namespace mlp
