// MLP_FOR_EACH_CPU before a function compiles it once more for AVX2 and for AVX-512, and the loader
// picks what the CPU at hand has; the program itself is built for every x86-64. The function has
// external linkage, and what it calls in its loops is inlined into it.
#pragma once

// Sanitizers start before the loader's choice can be made; clang 14 cannot clone by feature.
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define MLP_FOR_EACH_CPU __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define MLP_FOR_EACH_CPU
#endif
