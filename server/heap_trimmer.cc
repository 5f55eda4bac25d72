#include "server/heap_trimmer.h"

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <mutex>

#include <malloc.h>
#include <unistd.h>

namespace mlp {
namespace {

constexpr std::chrono::seconds kInterval(5);
constexpr int64_t kMaxUnusedBytes = int64_t{128} << 20;
constexpr int64_t kQuietBytes = int64_t{1} << 20;

HeapState LookAtHeap() {
  HeapState state;
  const struct mallinfo2 heap = mallinfo2();
  state.used_bytes = static_cast<int64_t>(heap.uordblks + heap.hblkhd);
  // Pages: of the program, resident, shared with files (proc(5)).
  int64_t size = 0;
  int64_t resident = 0;
  int64_t shared = 0;
  std::ifstream("/proc/self/statm") >> size >> resident >> shared;
  state.resident_bytes = (resident - shared) * sysconf(_SC_PAGESIZE);
  return state;
}

}  // namespace

bool IsWorthTrimming(const HeapState& last, const HeapState& now) {
  return now.resident_bytes - now.used_bytes > kMaxUnusedBytes &&
         std::abs(now.used_bytes - last.used_bytes) < kQuietBytes;
}

HeapTrimmer::HeapTrimmer()
    : thread_([](const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any stopped;
        std::unique_lock lock(mutex);
        HeapState last = LookAtHeap();
        while (
            !stopped.wait_for(lock, stop, kInterval, [&stop] { return stop.stop_requested(); })) {
          const HeapState now = LookAtHeap();
          if (IsWorthTrimming(last, now)) malloc_trim(0);
          last = now;
        }
      }) {}

}  // namespace mlp
