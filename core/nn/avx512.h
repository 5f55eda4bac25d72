// What the .cc files with AVX-512 kernels share. Only functions marked MLP_AVX512 are compiled for
// it, and are called where HasAvx512(): the program runs on every x86-64, and without
// MLP_HAS_AVX512 on other CPUs too.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#define MLP_HAS_AVX512

// g++ 12's intrinsics leave registers undefined on purpose, and it then warns of it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop

#define MLP_AVX512 __attribute__((target("avx512f")))
#define MLP_AVX512_INLINE inline __attribute__((always_inline, target("avx512f")))

namespace mlp {

// Floats of a register.
constexpr int64_t kLanes = 16;

}  // namespace mlp
#endif

namespace mlp {

// True where this CPU and system have AVX-512.
inline bool HasAvx512() {
#if defined(MLP_HAS_AVX512)
  static const bool has = __builtin_cpu_supports("avx512f") != 0;
  return has;
#else
  return false;
#endif
}

}  // namespace mlp
