#include "server/build_info.h"

#include <cblas.h>

namespace mlp {

std::string BuildVersion() { return MLPD_VERSION; }
std::string BuildCompiler() { return MLPD_COMPILER; }
std::string BlasKernel() { return openblas_get_corename(); }

}  // namespace mlp
