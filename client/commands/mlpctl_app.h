// mlpctl from its arguments to its exit status, apart from main so that tests can run it.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "client/terminal/style.h"

namespace mlp {

// `arguments` without the program's name. 0 only on success; see ExitStatus. Errors are one line on
// `err`.
int RunMlpctl(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err,
              const TerminalStyle& style);

}  // namespace mlp
