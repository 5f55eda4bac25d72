// Gives memory back to the system that a peak has left free in the heap.
#pragma once

#include <cstdint>
#include <stop_token>
#include <thread>

namespace mlp {

struct HeapState {
  // Allocated, of all kinds.
  int64_t used_bytes = 0;
  // Of the process, without what is mapped from files.
  int64_t resident_bytes = 0;
};

// Whether the heap is to be trimmed: much of it is resident and not in use, and nothing large came
// or went since the last look. Under a load of large messages it would only be fetched again.
bool IsWorthTrimming(const HeapState& last, const HeapState& now);

// main.cc has the C library keep tens of megabytes that are freed, and a peak of received messages
// leaves far more: this looks every few seconds, on a thread of its own, and trims where it is
// worth it. Thread-safe.
class HeapTrimmer {
 public:
  HeapTrimmer();

 private:
  std::jthread thread_;
};

}  // namespace mlp
