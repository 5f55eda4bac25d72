// settings_doc FILE: fails where the table of settings in FILE is not what the code says.
// settings_doc --write FILE: puts it in.
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include <absl/strings/str_cat.h>

#include "server/config/configuration_text.h"

namespace {

constexpr char kBegin[] = "<!-- settings: written by settings_doc -->\n";
constexpr char kEnd[] = "<!-- end of settings -->\n";

int Run(const std::string& path, bool write) {
  std::ifstream in(path);
  std::stringstream content;
  content << in.rdbuf();
  std::string text = content.str();
  const size_t begin = text.find(kBegin);
  const size_t end = text.find(kEnd);
  if (!in || begin == std::string::npos || end == std::string::npos || end < begin) {
    std::cerr << path << ": expected a file with the lines\n" << kBegin << kEnd;
    return 1;
  }
  const size_t start = begin + std::string(kBegin).size();
  const std::string table = absl::StrCat("\n", mlp::SettingsMarkdown(), "\n");
  if (text.compare(start, end - start, table) == 0) return 0;
  if (!write) {
    std::cerr << path << ": the table of settings is not what the code says; renew it by\n"
              << "  build/dev/tests/server/config/settings_doc --write docs/configuration.md\n";
    return 1;
  }
  text.replace(start, end - start, table);
  std::ofstream out(path, std::ios::trunc);
  out << text << std::flush;
  return out ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const bool write = argc == 3 && std::string(argv[1]) == "--write";
  if (argc != 2 && !write) {
    std::cerr << "settings_doc [--write] FILE\n";
    return 2;
  }
  return Run(argv[argc - 1], write);
}
