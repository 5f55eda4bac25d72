// MLP_FOR_EACH_CPU before a function compiles it once for every x86-64, once more for AVX2 and once
// for AVX-512; the loader picks by the CPU at hand. For loops whose speed is that of their vectors.
#pragma once

// Sanitizers start before the loader's choice can be made; clang 14 cannot clone by feature.
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define MLP_FOR_EACH_CPU __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define MLP_FOR_EACH_CPU
#endif
