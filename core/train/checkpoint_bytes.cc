#include "core/train/checkpoint_bytes.h"

#include <bit>
#include <utility>

#include <absl/strings/str_cat.h>

#include "core/base/hash.h"

namespace mlp {

static_assert(std::endian::native == std::endian::little, "numbers are stored as they lie");

CheckpointWriter::CheckpointWriter(const CheckpointFormat& format, absl::string_view fingerprint)
    : bytes_(format.signature) {
  Number(format.version);
  Array(fingerprint);
}

std::string CheckpointWriter::Finish() && {
  Number(Crc32c(bytes_));
  return std::move(bytes_);
}

absl::StatusOr<CheckpointReader> CheckpointReader::Open(absl::string_view bytes,
                                                        const CheckpointFormat& format,
                                                        absl::string_view fingerprint) {
  uint32_t crc = 0;
  if (bytes.size() < format.signature.size() + sizeof(format.version) + sizeof(crc) ||
      bytes.substr(0, format.signature.size()) != format.signature) {
    return DamagedCheckpoint("expected the signature of a checkpoint, got something else");
  }
  const absl::string_view content = bytes.substr(0, bytes.size() - sizeof(crc));
  std::memcpy(&crc, bytes.data() + content.size(), sizeof(crc));
  if (Crc32c(content) != crc) {
    return DamagedCheckpoint(absl::StrCat("expected CRC-32C ", absl::Hex(crc, absl::kZeroPad8),
                                          ", got ", absl::Hex(Crc32c(content), absl::kZeroPad8)));
  }

  CheckpointReader reader(content.substr(format.signature.size()));
  uint32_t version = 0;
  reader.Number(version);
  if (version != format.version) {
    return ForeignCheckpoint(
        absl::StrCat("expected format version ", format.version, ", got version ", version));
  }
  std::string written_for;
  reader.Array(written_for);
  if (written_for != fingerprint) {
    return ForeignCheckpoint("expected one of this training, got that of another one");
  }
  return reader;
}

uint64_t CheckpointReader::Count(size_t bytes) {
  uint64_t count = 0;
  Number(count);
  if (count <= left_.size() / bytes) return count;
  failed_ = true;
  return 0;
}

void CheckpointReader::Take(void* to, uint64_t count, size_t bytes_each) {
  const size_t bytes = count * bytes_each;
  if (failed_ || bytes > left_.size()) {
    failed_ = true;
    return;
  }
  if (bytes > 0) std::memcpy(to, left_.data(), bytes);
  left_.remove_prefix(bytes);
}

absl::Status DamagedCheckpoint(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("checkpoint: ", what));
}

absl::Status ForeignCheckpoint(absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat("checkpoint: ", what));
}

}  // namespace mlp
