// Makes absl::Mutex, CondVar, Notification and BlockingCounter visible to ThreadSanitizer.
//
// Debian's libabsl is not built for it, so that TSan sees no order between two critical sections
// and reports races where there are none. In TSan builds the linker's --wrap turns each call of
// ours into the __wrap_ function below, which calls the real one (__real_) and tells TSan. Waiting
// is done by polling: the real Await would evaluate the condition where TSan does not know of the
// lock.
#include <absl/synchronization/blocking_counter.h>
#include <absl/synchronization/mutex.h>
#include <absl/synchronization/notification.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <sanitizer/tsan_interface.h>

namespace {

using absl::BlockingCounter;
using absl::Condition;
using absl::CondVar;
using absl::Mutex;
using absl::Notification;

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

// Waiting for a CondVar lets go of the mutex and takes it again, inside the library. There is
// nothing to tell of Signal: what a signal says, its mutex guards.
void __real__ZN4absl7debian37CondVar4WaitEPNS0_5MutexE(CondVar*, Mutex*);
bool __real__ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE(CondVar*, Mutex*,
                                                                                 absl::Duration);

// void CondVar::Wait(Mutex*)
void __wrap__ZN4absl7debian37CondVar4WaitEPNS0_5MutexE(CondVar* news, Mutex* mutex) {
  __tsan_release(mutex);
  __real__ZN4absl7debian37CondVar4WaitEPNS0_5MutexE(news, mutex);
  __tsan_acquire(mutex);
}

// bool CondVar::WaitWithTimeout(Mutex*, Duration)
bool __wrap__ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE(
    CondVar* news, Mutex* mutex, absl::Duration timeout) {
  __tsan_release(mutex);
  const bool timed_out =
      __real__ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE(news, mutex,
                                                                                  timeout);
  __tsan_acquire(mutex);
  return timed_out;
}

void __real__ZN4absl7debian312Notification6NotifyEv(Notification*);
void __real__ZNK4absl7debian312Notification19WaitForNotificationEv(const Notification*);
bool __real__ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE(
    const Notification*, absl::Duration);
bool __real__ZN4absl7debian315BlockingCounter14DecrementCountEv(BlockingCounter*);
void __real__ZN4absl7debian315BlockingCounter4WaitEv(BlockingCounter*);

void __wrap__ZN4absl7debian312Notification6NotifyEv(Notification* notification) {
  __tsan_release(notification);
  __real__ZN4absl7debian312Notification6NotifyEv(notification);
}

void __wrap__ZNK4absl7debian312Notification19WaitForNotificationEv(
    const Notification* notification) {
  __real__ZNK4absl7debian312Notification19WaitForNotificationEv(notification);
  __tsan_acquire(const_cast<Notification*>(notification));
}

// bool Notification::WaitForNotificationWithTimeout(Duration) const
bool __wrap__ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE(
    const Notification* notification, absl::Duration timeout) {
  const bool notified =
      __real__ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE(
          notification, timeout);
  if (notified) __tsan_acquire(const_cast<Notification*>(notification));
  return notified;
}

bool __wrap__ZN4absl7debian315BlockingCounter14DecrementCountEv(BlockingCounter* counter) {
  __tsan_release(counter);
  return __real__ZN4absl7debian315BlockingCounter14DecrementCountEv(counter);
}

void __wrap__ZN4absl7debian315BlockingCounter4WaitEv(BlockingCounter* counter) {
  __real__ZN4absl7debian315BlockingCounter4WaitEv(counter);
  __tsan_acquire(counter);
}

}  // extern "C"
