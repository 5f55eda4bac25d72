// What this program is: for --version, metrics, and the provenance of artifacts.
#pragma once

#include <string>

namespace mlp {

// "0.1.0".
std::string BuildVersion();

// The git commit that was built: "4f15b52d0c1e", or "4f15b52d0c1e-dirty" with changes on top of it;
// "unknown" where the source was no checkout.
std::string BuildCommit();

// Compiler and its version: "GNU 12.2.0".
std::string BuildCompiler();

// All of it: "0.1.0+4f15b52d0c1e (GNU 12.2.0)".
std::string BuildName();

// The kernel that OpenBLAS chose for this CPU: "Haswell", "SkylakeX", ...
std::string BlasKernel();

// All that networks are computed with on this CPU, the server's own first: "AVX-512; OpenBLAS
// SkylakeX", or "OpenBLAS Haswell" where it has none of its own.
std::string CpuKernels();

}  // namespace mlp
