#include "tests/client/temp_folder.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <stdlib.h>

namespace mlp {

TempFolder::TempFolder() : path_(testing::TempDir() + "mlp_client_XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "cannot make " << path_;
}

TempFolder::~TempFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::string TempFolder::Write(const std::string& name, const std::string& bytes) const {
  std::ofstream file(Path(name), std::ios::binary | std::ios::trunc);
  file << bytes;
  return Path(name);
}

std::string TempFolder::Read(const std::string& name) const {
  std::ifstream file(Path(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

size_t TempFolder::entries() const {
  const std::filesystem::directory_iterator folder(path_);
  return static_cast<size_t>(std::distance(begin(folder), end(folder)));
}

}  // namespace mlp
