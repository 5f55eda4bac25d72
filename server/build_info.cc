#include "server/build_info.h"

#include <absl/strings/str_cat.h>
#include <cblas.h>

#include "build_commit.h"
#include "core/nn/tile_product.h"
#include "core/nn/weighted_sums.h"

namespace mlp {

std::string BuildVersion() { return MLPD_VERSION; }
std::string BuildCommit() { return MLPD_COMMIT; }
std::string BuildCompiler() { return MLPD_COMPILER; }
std::string BuildName() {
  return absl::StrCat(BuildVersion(), "+", BuildCommit(), " (", BuildCompiler(), ")");
}

std::string BlasKernel() { return openblas_get_corename(); }
std::string CpuKernels() {
  const bool own = &BestTileKernel() != &BlasTileKernel() || WeightedSumsKeepTheirBits();
  return absl::StrCat(own ? "AVX-512; " : "", "OpenBLAS ", BlasKernel());
}

}  // namespace mlp
