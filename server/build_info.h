// What this program is: for --version, metrics, and the provenance of artifacts.
#pragma once

#include <string>

namespace mlp {

// "0.1.0".
std::string BuildVersion();

// Compiler and its version: "GNU 12.2.0".
std::string BuildCompiler();

// The kernel that OpenBLAS chose for this CPU: "Haswell", "SkylakeX", ...
std::string BlasKernel();

}  // namespace mlp
