#include "core/artifact/sections.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include "core/base/hash.h"
#include "core/base/status_macros.h"

namespace mlp {
namespace {

static_assert(std::endian::native == std::endian::little, "the file's numbers are little-endian");

// Like PNG's: not text, and changed by every transfer that rewrites line ends or drops bit 7.
constexpr absl::string_view kMagic("\x89MLPD\r\n\x1A", 8);
constexpr uint32_t kFormatVersion = 1;
constexpr size_t kVersionOffset = 8;
constexpr size_t kCountOffset = 12;
constexpr size_t kTableOffset = 16;
constexpr size_t kEntryBytes = 24;
constexpr size_t kDigestBytes = 32;
constexpr size_t kSmallestFile = kTableOffset + kDigestBytes;
// Sections start at multiples of a cache line, so that a mapped file's weights could be used in
// place.
constexpr size_t kAlignment = 64;

constexpr std::array<absl::string_view, kSectionCount> kNames = {"header", "weights", "scaler",
                                                                 "provenance"};

// One line of the section table.
struct Entry {
  uint32_t kind = 0;
  uint32_t crc32c = 0;
  uint64_t offset = 0;
  uint64_t length = 0;
};
static_assert(sizeof(Entry) == kEntryBytes, "entries are stored as they lie in memory");

constexpr uint64_t Align(uint64_t offset) {
  return (offset + kAlignment - 1) / kAlignment * kAlignment;
}

void AppendUint32(uint32_t value, std::string& bytes) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

uint32_t ReadUint32(absl::string_view bytes, size_t offset) {
  uint32_t value;
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

Entry ReadEntry(absl::string_view bytes, size_t index) {
  Entry entry;
  std::memcpy(&entry, bytes.data() + kTableOffset + index * kEntryBytes, kEntryBytes);
  return entry;
}

std::string Digest(absl::string_view bytes) { return absl::HexStringToBytes(Sha256::Hex(bytes)); }

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("artifact: ", what));
}

// The table of a file of format version 1. The layout has no freedom: each section starts at the
// first aligned offset after the one before it, so there are no overlaps, gaps or second orders.
absl::StatusOr<std::array<Entry, kSectionCount>> ReadTable(absl::string_view bytes) {
  const uint32_t count = ReadUint32(bytes, kCountOffset);
  constexpr size_t kTableEnd = kTableOffset + kSectionCount * kEntryBytes;
  if (count != kSectionCount || bytes.size() < kTableEnd + kDigestBytes) {
    return Damaged(absl::StrCat("section table: expected ", kSectionCount, " sections, got ", count,
                                " in ", bytes.size(), " bytes"));
  }
  std::array<Entry, kSectionCount> table;
  uint64_t end = kTableEnd;
  for (size_t i = 0; i < kSectionCount; ++i) {
    table[i] = ReadEntry(bytes, i);
    const uint64_t expected = Align(end);
    if (table[i].kind != i + 1 || table[i].offset != expected) {
      return Damaged(absl::StrCat("section table, entry ", i, ": expected kind ", i + 1, " (",
                                  kNames[i], ") at offset ", expected, ", got kind ", table[i].kind,
                                  " at offset ", table[i].offset));
    }
    // No file has 2^62 bytes; below that, offset + length and its alignment cannot overflow.
    if (table[i].length >= uint64_t{1} << 62) {
      return Damaged(absl::StrCat("section ", kNames[i],
                                  ": expected a length that memory holds, got ", table[i].length));
    }
    end = table[i].offset + table[i].length;
    if (end >= uint64_t{1} << 62) return Damaged("section table: the lengths overflow");
  }
  return table;
}

absl::Status CheckSize(const std::array<Entry, kSectionCount>& table, absl::string_view bytes) {
  const uint64_t expected = table.back().offset + table.back().length + kDigestBytes;
  if (bytes.size() == expected) return absl::OkStatus();
  return Damaged(absl::StrCat("expected ", expected, " bytes, got ", bytes.size(),
                              bytes.size() < expected ? ": cut short" : ": bytes were added"));
}

// Requires a table that fits `bytes`.
absl::Status CheckSections(const std::array<Entry, kSectionCount>& table, absl::string_view bytes) {
  for (size_t i = 0; i < kSectionCount; ++i) {
    const uint32_t crc = Crc32c(bytes.substr(table[i].offset, table[i].length));
    if (crc != table[i].crc32c) {
      return Damaged(absl::StrCat("section ", kNames[i], ": expected CRC-32C ",
                                  absl::Hex(table[i].crc32c, absl::kZeroPad8), ", got ",
                                  absl::Hex(crc, absl::kZeroPad8)));
    }
  }
  return absl::OkStatus();
}

// What can be said of a file whose digest is wrong: never OK.
absl::Status FindDamage(absl::string_view bytes) {
  MLP_ASSIGN_OR_RETURN(const auto table, ReadTable(bytes));
  MLP_RETURN_IF_ERROR(CheckSize(table, bytes));
  MLP_RETURN_IF_ERROR(CheckSections(table, bytes));
  return Damaged(
      "format version, padding or digest: expected the SHA-256 at the end of the file to "
      "be that of the bytes before it, got another");
}

// An undamaged file of another build may have sections that this one has never heard of.
absl::Status CheckKinds(absl::string_view bytes) {
  const size_t count = ReadUint32(bytes, kCountOffset);
  const size_t room = (bytes.size() - kSmallestFile) / kEntryBytes;
  for (size_t i = 0; i < std::min(count, room); ++i) {
    const uint32_t kind = ReadEntry(bytes, i).kind;
    if (kind < 1 || kind > kSectionCount) {
      return absl::FailedPreconditionError(absl::StrCat("artifact: section table, entry ", i,
                                                        ": expected kinds 1 to ", kSectionCount,
                                                        ", got the unknown kind ", kind));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::string_view SectionName(SectionKind kind) { return kNames[SectionIndex(kind)]; }

std::string WriteSections(const Sections& sections) {
  std::array<Entry, kSectionCount> table;
  uint64_t end = kTableOffset + kSectionCount * kEntryBytes;
  for (size_t i = 0; i < kSectionCount; ++i) {
    table[i] = {static_cast<uint32_t>(i + 1), Crc32c(sections[i]), Align(end), sections[i].size()};
    end = table[i].offset + table[i].length;
  }
  std::string bytes;
  bytes.reserve(end + kDigestBytes);
  bytes.append(kMagic.data(), kMagic.size());
  AppendUint32(kFormatVersion, bytes);
  AppendUint32(kSectionCount, bytes);
  bytes.append(reinterpret_cast<const char*>(table.data()), sizeof(table));
  for (size_t i = 0; i < kSectionCount; ++i) {
    bytes.resize(table[i].offset, '\0');
    bytes.append(sections[i].data(), sections[i].size());
  }
  return bytes.append(Digest(bytes));
}

bool HasSignature(absl::string_view bytes) { return bytes.substr(0, kMagic.size()) == kMagic; }

absl::StatusOr<Sections> ReadSections(absl::string_view bytes) {
  if (bytes.size() < kSmallestFile) {
    return Damaged(absl::StrCat("expected ", kSmallestFile, " bytes or more, got ", bytes.size()));
  }
  if (!HasSignature(bytes)) {
    return Damaged("file signature: expected that of a model artifact, got another");
  }
  // The digest comes first: only what it vouches for may tell of another format version.
  const size_t digest_offset = bytes.size() - kDigestBytes;
  if (bytes.substr(digest_offset) != Digest(bytes.substr(0, digest_offset)))
    return FindDamage(bytes);

  const uint32_t version = ReadUint32(bytes, kVersionOffset);
  if (version > kFormatVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("artifact: format version: expected at most ", kFormatVersion,
                     ", which this build reads, got ", version, ": it needs a newer build"));
  }
  if (version < 1) return Damaged("format version: expected 1 or more, got 0");
  MLP_RETURN_IF_ERROR(CheckKinds(bytes));
  MLP_ASSIGN_OR_RETURN(const auto table, ReadTable(bytes));
  MLP_RETURN_IF_ERROR(CheckSize(table, bytes));
  MLP_RETURN_IF_ERROR(CheckSections(table, bytes));
  Sections sections;
  for (size_t i = 0; i < kSectionCount; ++i) {
    sections[i] = bytes.substr(table[i].offset, table[i].length);
  }
  return sections;
}

}  // namespace mlp
