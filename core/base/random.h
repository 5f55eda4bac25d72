// Seeded random numbers that are the same on every machine: std::mt19937_64's output is fixed by
// the C++ standard, the standard distributions' is not, so the few that we need are here.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <random>
#include <utility>
#include <vector>

namespace mlp {

// SplitMix64 (Steele, Lea and Flood 2014): 64 random bits at a time from any state; its first
// number spreads near states far apart, so it hashes integers and seeds other generators.
// Thread-compatible.
class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t state) : state_(state) {}

  uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15u;
    uint64_t x = state_;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
  }

 private:
  uint64_t state_;
};

// Thread-compatible.
class Random {
 public:
  // `stream` separates uses of one seed: a split and an initialization with the same seed are
  // unrelated.
  Random(int64_t seed, uint64_t stream)
      : engine_(SplitMix64(static_cast<uint64_t>(seed) ^ SplitMix64(stream).Next()).Next()) {}

  // Uniform in [0, 1), 53 bits.
  double Uniform() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }

  // Uniform in [low, high).
  double Uniform(double low, double high) { return low + (high - low) * Uniform(); }

  // Standard normal, by Box and Muller (1958).
  double Normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - Uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * Uniform());
  }

  // Uniform integer in [0, bound), bound >= 1, without modulo bias (rejection).
  uint64_t Below(uint64_t bound) {
    const uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    uint64_t value = engine_();
    while (value >= limit) value = engine_();
    return value % bound;
  }

  // Permutes `values` uniformly, by Fisher and Yates.
  template <typename T>
  void Shuffle(std::vector<T>& values) {
    for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[Below(i)]);
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace mlp
