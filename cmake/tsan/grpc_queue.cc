// Makes gRPC's completion queues visible to ThreadSanitizer.
//
// Debian's libgrpc is not built for it, so that TSan sees no order between a thread that starts an
// operation and the one that takes its tag from the queue, and reports races where there are none.
// In TSan builds these functions take the place of gRPC's own, for libgrpc++ too: they tell TSan of
// that order, which is all that a queue promises, and call the real ones. What a program does with
// an operation before its tag comes back is still seen as the race that it is.
#include <dlfcn.h>
#include <grpc/grpc.h>
#include <sanitizer/tsan_interface.h>

namespace {

template <typename Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

#define MLPD_REAL(function) static const auto real = Real<decltype(function)>(#function)

extern "C" {

grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops, size_t count, void* tag,
                                      void* reserved) {
  MLPD_REAL(grpc_call_start_batch);
  __tsan_release(tag);
  return real(call, ops, count, tag, reserved);
}

grpc_call_error grpc_server_request_call(grpc_server* server, grpc_call** call,
                                         grpc_call_details* details, grpc_metadata_array* metadata,
                                         grpc_completion_queue* bound, grpc_completion_queue* queue,
                                         void* tag) {
  MLPD_REAL(grpc_server_request_call);
  __tsan_release(tag);
  return real(server, call, details, metadata, bound, queue, tag);
}

grpc_call_error grpc_server_request_registered_call(grpc_server* server, void* method,
                                                    grpc_call** call, gpr_timespec* deadline,
                                                    grpc_metadata_array* metadata,
                                                    grpc_byte_buffer** payload,
                                                    grpc_completion_queue* bound,
                                                    grpc_completion_queue* queue, void* tag) {
  MLPD_REAL(grpc_server_request_registered_call);
  __tsan_release(tag);
  return real(server, method, call, deadline, metadata, payload, bound, queue, tag);
}

void grpc_completion_queue_shutdown(grpc_completion_queue* queue) {
  MLPD_REAL(grpc_completion_queue_shutdown);
  __tsan_release(queue);
  real(queue);
}

grpc_event grpc_completion_queue_next(grpc_completion_queue* queue, gpr_timespec deadline,
                                      void* reserved) {
  MLPD_REAL(grpc_completion_queue_next);
  const grpc_event event = real(queue, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  if (event.type == GRPC_QUEUE_SHUTDOWN) __tsan_acquire(queue);
  return event;
}

grpc_event grpc_completion_queue_pluck(grpc_completion_queue* queue, void* tag,
                                       gpr_timespec deadline, void* reserved) {
  MLPD_REAL(grpc_completion_queue_pluck);
  const grpc_event event = real(queue, tag, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}

// bool grpc_cq_begin_op(grpc_completion_queue*, void* tag): what an alarm starts with.
bool _Z16grpc_cq_begin_opP21grpc_completion_queuePv(grpc_completion_queue* queue, void* tag) {
  static const auto real =
      Real<bool(grpc_completion_queue*, void*)>("_Z16grpc_cq_begin_opP21grpc_completion_queuePv");
  __tsan_release(tag);
  return real(queue, tag);
}

}  // extern "C"
