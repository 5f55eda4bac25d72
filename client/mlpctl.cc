// mlpctl: the command line of mlpd.

#include <iostream>
#include <string>
#include <vector>

#include <unistd.h>

#include "client/commands/mlpctl_app.h"
#include "client/terminal/style.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return mlp::RunMlpctl(arguments, std::cout, std::cerr, mlp::DetectTerminal(STDOUT_FILENO));
}
