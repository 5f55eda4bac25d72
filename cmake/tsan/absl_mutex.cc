// Makes absl::Mutex visible to ThreadSanitizer.
//
// Debian's libabsl is not built for it, so that TSan sees no order between two critical sections
// and reports races where there are none. In TSan builds the linker's --wrap turns each call of
// ours into the __wrap_ function below, which calls the real one (__real_) and tells TSan. Waiting
// is done by polling: the real Await would evaluate the condition where TSan does not know of the
// lock.
#include <absl/synchronization/mutex.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <sanitizer/tsan_interface.h>

namespace {

using absl::Condition;
using absl::Mutex;

constexpr absl::Duration kPollInterval = absl::Microseconds(200);

}  // namespace

extern "C" {

void __real__ZN4absl7debian35Mutex4LockEv(Mutex*);
void __real__ZN4absl7debian35Mutex6UnlockEv(Mutex*);

void __wrap__ZN4absl7debian35Mutex4LockEv(Mutex* mutex) {
  __real__ZN4absl7debian35Mutex4LockEv(mutex);
  __tsan_acquire(mutex);
}

void __wrap__ZN4absl7debian35Mutex6UnlockEv(Mutex* mutex) {
  __tsan_release(mutex);
  __real__ZN4absl7debian35Mutex6UnlockEv(mutex);
}

// bool Mutex::AwaitWithTimeout(const Condition&, Duration)
bool __wrap__ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE(
    Mutex* mutex, const Condition& condition, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (!condition.Eval()) {
    if (absl::Now() >= deadline) return false;
    __wrap__ZN4absl7debian35Mutex6UnlockEv(mutex);
    absl::SleepFor(kPollInterval);
    __wrap__ZN4absl7debian35Mutex4LockEv(mutex);
  }
  return true;
}

// void Mutex::Await(const Condition&)
void __wrap__ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE(Mutex* mutex,
                                                           const Condition& condition) {
  __wrap__ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE(
      mutex, condition, absl::InfiniteDuration());
}

// void Mutex::LockWhen(const Condition&)
void __wrap__ZN4absl7debian35Mutex8LockWhenERKNS0_9ConditionE(Mutex* mutex,
                                                              const Condition& condition) {
  __wrap__ZN4absl7debian35Mutex4LockEv(mutex);
  __wrap__ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE(mutex, condition);
}

}  // extern "C"
