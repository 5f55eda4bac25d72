#include "core/base/hash.h"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace mlp {
namespace {

// FIPS 180-4's examples, as published by NIST.
constexpr char kEmptySha256[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr char kAbcSha256[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr char kMillionASha256[] =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256, MatchesPublishedDigests) {
  EXPECT_EQ(Sha256::Hex(""), kEmptySha256);
  EXPECT_EQ(Sha256::Hex("abc"), kAbcSha256);
  EXPECT_EQ(Sha256::Hex(std::string(1'000'000, 'a')), kMillionASha256);
}

TEST(Sha256, TakesBytesInPieces) {
  Sha256 hash;
  hash.Update("a");
  hash.Update("");
  hash.Update("bc");
  EXPECT_EQ(hash.FinishHex(), kAbcSha256);
}

TEST(Sha256, GoesOnAfterBeingMoved) {
  Sha256 first;
  first.Update("ab");
  Sha256 second = std::move(first);
  second.Update("c");
  EXPECT_EQ(second.FinishHex(), kAbcSha256);
}

TEST(Sha256, SeesEveryByteZeroIncluded) {
  EXPECT_NE(Sha256::Hex(absl::string_view("a\0b", 3)), Sha256::Hex(absl::string_view("a\0c", 3)));
}

// RFC 3720, B.4, and the check value of the CRC catalogue.
TEST(Crc32c, MatchesPublishedValues) {
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(Crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  std::string rising;
  for (char c = 0; c < 32; ++c) rising.push_back(c);
  EXPECT_EQ(Crc32c(rising), 0x46DD794Eu);
}

TEST(Crc32c, OfNothingIsZero) { EXPECT_EQ(Crc32c(""), 0u); }

TEST(Crc32c, ChangesWithEveryBit) {
  std::string bytes = "model artifact";
  const uint32_t crc = Crc32c(bytes);
  for (char& byte : bytes) {
    for (int bit = 0; bit < 8; ++bit) {
      byte = static_cast<char>(byte ^ (1 << bit));
      EXPECT_NE(Crc32c(bytes), crc);
      byte = static_cast<char>(byte ^ (1 << bit));
    }
  }
}

}  // namespace
}  // namespace mlp
