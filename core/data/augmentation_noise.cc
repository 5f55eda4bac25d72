#include "core/data/augmentation_noise.h"

#include "core/base/random.h"

namespace mlp {
namespace {

// What separates these random numbers from every other use of the same seed: "augment" in ASCII.
constexpr uint64_t kAugmentationStream = 0x6175676D656E74;

uint64_t Hash(uint64_t so_far, int64_t next) {
  return SplitMix64(so_far ^ static_cast<uint64_t>(next)).Next();
}

}  // namespace

AugmentationNoise::AugmentationNoise(int64_t seed, int64_t epoch, int64_t row) {
  SplitMix64 states(Hash(Hash(Hash(SplitMix64(kAugmentationStream).Next(), seed), epoch), row));
  for (int i = 0; i < kGroup; ++i) {
    for (int word = 0; word < 4; word += 2) {
      const uint64_t bits = states.Next();
      state_.words[word][i] = static_cast<uint32_t>(bits);
      state_.words[word + 1][i] = static_cast<uint32_t>(bits >> 32);
    }
  }
}

}  // namespace mlp
