#include "server/inference/preload.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include <absl/base/thread_annotations.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/synchronization/mutex.h>

#include "core/base/status_macros.h"
#include "core/base/thread_pool.h"
#include "server/retry_delay.h"

namespace mlp {
namespace {

constexpr char kAll[] = "all";
// Loading is reading, hashing and copying: more threads would wait for the disk.
constexpr int kThreads = 4;

std::vector<std::string> References(absl::string_view list) {
  return absl::StrSplit(list, ',', absl::SkipWhitespace());
}

// Of all models that have versions.
absl::StatusOr<std::vector<std::string>> AllReferences(Store& store) {
  std::vector<std::string> references;
  PageRequest request{.size = 1000, .after = ""};
  do {
    MLP_ASSIGN_OR_RETURN(Page<v1::Model> page, store.ListModels(request));
    for (v1::Model& model : page.items) {
      if (model.version_count() > 0) references.push_back(std::move(*model.mutable_name()));
    }
    request.after = std::move(page.next);
  } while (!request.after.empty());
  return references;
}

bool IsNoRoom(const absl::Status& status) {
  return absl::IsResourceExhausted(status) && RetryDelay(status) > absl::ZeroDuration();
}

}  // namespace

PreloadResult Preload(absl::string_view list, Store& store, ResidentModels& models) {
  PreloadResult result;
  const bool is_all = list == kAll;
  absl::StatusOr<std::vector<std::string>> references =
      is_all ? AllReferences(store) : References(list);
  if (!references.ok()) {
    result.failures.push_back(references.status());
    return result;
  }

  const int count = static_cast<int>(references->size());
  std::vector<absl::Status> statuses(references->size());
  std::atomic<bool> is_full = false;
  ThreadPool pool({.threads = std::min(kThreads, count), .idle_priority = false});
  pool.ParallelFor(count, [&](int index, int) {
    const auto i = static_cast<size_t>(index);
    if (is_full) {
      statuses[i] = absl::ResourceExhaustedError("not tried");
      return;
    }
    statuses[i] = models.LoadIfRoom((*references)[i]).status();
    if (is_all && IsNoRoom(statuses[i])) is_full = true;
  });
  for (absl::Status& status : statuses) {
    if (status.ok()) {
      ++result.loaded;
    } else if (!is_full || !absl::IsResourceExhausted(status)) {
      result.failures.push_back(std::move(status));
    }
  }
  if (is_full) {
    result.failures.push_back(absl::ResourceExhaustedError(
        absl::StrCat("the memory for models is full: loaded ", result.loaded, " of ", count)));
  }
  return result;
}

}  // namespace mlp
