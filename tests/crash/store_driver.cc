// A store in a process of its own, to be killed, starved and looked into: see crash_suite.py.
//   store_driver run FOLDER small|large [things]   the operations, a line for each
//   store_driver writers FOLDER ROUND              eight writers, until killed
//   store_driver reopen FOLDER                     opens and closes
//   store_driver check                             reads folders from stdin, a line each; answers
//                                                  each with a JSON object of what is there
//   store_driver flip FOLDER                       every bit of a stored artifact, one at a time
// Lines of run: `ok NAME`, `fail NAME CODE`, with `things` a JSON list of things after each ok.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>

#include <absl/functional/function_ref.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <nlohmann/json.hpp>

#include "core/base/status_macros.h"
#include "server/store/sqlite_store.h"
#include "tests/crash/flips.h"
#include "tests/crash/inspection.h"
#include "tests/crash/operations.h"
#include "tests/crash/report.h"
#include "tests/crash/writers.h"
#include "tests/testing/fake_clock.h"

namespace mlp::crash {
namespace {

// It stands still: what is stored is the same each time.
const Clock& StoppedClock() {
  static const FakeClock clock;
  return clock;
}

// Tries once more what failed, as a client does.
bool RunTwice(const std::string& name, absl::FunctionRef<absl::Status()> body) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    const absl::Status status = body();
    if (status.ok()) {
      Report(absl::StrCat("ok ", name));
      return true;
    }
    Report(absl::StrCat("fail ", name, " ", absl::StatusCodeToString(status.code())));
    std::cerr << name << ": " << status << "\n";
  }
  return false;
}

int RunOperations(const std::string& folder, Sizes sizes, bool things) {
  std::unique_ptr<Store> store;
  const auto open = [&]() -> absl::Status {
    MLP_ASSIGN_OR_RETURN(store, OpenSqliteStore(folder, StoppedClock()));
    return absl::OkStatus();
  };
  if (!RunTwice("open", open)) return 3;
  if (things) Report(nlohmann::json(ListThings(*store).value()).dump());
  for (const Operation& operation : MakeOperations(sizes)) {
    if (!RunTwice(operation.name, [&] { return operation.run(*store); })) return 3;
    if (things) Report(nlohmann::json(ListThings(*store).value()).dump());
  }
  store.reset();
  Report("closed");
  return 0;
}

absl::StatusOr<nlohmann::json> Check(const std::string& folder) {
  const auto start = std::chrono::steady_clock::now();
  MLP_ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenSqliteStore(folder, StoppedClock()));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  MLP_ASSIGN_OR_RETURN(const std::vector<std::string> things, ListThings(*store));
  MLP_ASSIGN_OR_RETURN(const int64_t orphans, CountOrphans(folder));
  MLP_ASSIGN_OR_RETURN(const std::string integrity, CheckIntegrity(folder));
  return nlohmann::json{{"open_seconds", seconds.count()},
                        {"things", things},
                        {"orphans", orphans},
                        {"integrity", integrity}};
}

int CheckFolders() {
  std::string folder;
  while (std::getline(std::cin, folder)) {
    const absl::StatusOr<nlohmann::json> found = Check(folder);
    Report(found.ok() ? found->dump()
                      : nlohmann::json{{"error", found.status().ToString()}}.dump());
  }
  return 0;
}

int Writers(const std::string& folder, const std::string& round_text) {
  int round = 0;
  if (!absl::SimpleAtoi(round_text, &round)) return 2;
  const absl::StatusOr<std::unique_ptr<Store>> store = OpenSqliteStore(folder, StoppedClock());
  if (!store.ok()) {
    Report(absl::StrCat("fail open ", store.status().ToString()));
    return 3;
  }
  Report("ok open");
  RunWriters(**store, round);
  return 3;
}

int Flip(const std::string& folder) {
  const absl::StatusOr<FlipCounts> counts = FlipEveryBit(folder, StoppedClock());
  if (!counts.ok()) {
    std::cerr << counts.status() << "\n";
    return 3;
  }
  Report(nlohmann::json{{"states", counts->states}, {"served", counts->served}}.dump());
  return 0;
}

int Main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "run" && argc >= 4) {
    const Sizes sizes = std::strcmp(argv[3], "large") == 0 ? Sizes::kLarge : Sizes::kSmall;
    return RunOperations(argv[2], sizes, argc > 4);
  }
  if (mode == "writers" && argc == 4) return Writers(argv[2], argv[3]);
  if (mode == "reopen" && argc == 3) {
    return OpenSqliteStore(argv[2], StoppedClock()).ok() ? 0 : 3;
  }
  if (mode == "check" && argc == 2) return CheckFolders();
  if (mode == "flip" && argc == 3) return Flip(argv[2]);
  std::cerr << "usage: store_driver run|writers|reopen|check|flip ...: see its first lines\n";
  return 2;
}

}  // namespace
}  // namespace mlp::crash

int main(int argc, char** argv) { return mlp::crash::Main(argc, argv); }
