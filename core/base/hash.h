// Checksums of stored bytes: SHA-256 names content, CRC32C finds damage.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <absl/strings/string_view.h>
#include <absl/types/span.h>

namespace mlp {

// SHA-256 over bytes that come in pieces. Thread-compatible.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(absl::string_view bytes);

  // The digest of all bytes so far as 64 lower-case hexadecimal characters. Ends this object's use.
  std::string FinishHex();

  // The digest of `bytes` alone.
  static std::string Hex(absl::string_view bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// CRC-32C (Castagnoli, as in RFC 3720) of `bytes`; Crc32c("123456789") is 0xE3069283.
uint32_t Crc32c(absl::string_view bytes);

}  // namespace mlp
