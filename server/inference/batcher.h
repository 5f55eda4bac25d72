// Natural batching: the requests that are ready together are answered together, one forward
// propagation for all that ask the same model version. No timer on the default path.
//
// A request comes in through Submit, on the thread that polls for calls. RunReady, called by that
// thread once nothing more is ready to be taken in, runs small batches where it stands and hands
// large ones to a thread of their own, the lane, which shares each with all cores.
//
// Turns are short everywhere: a model has one batch a turn, a batch is bounded by its cost, and a
// request larger than that goes back to the end of its model's queue. While the lane is taken, a
// backlog of a small model is answered in small batches by the polling threads instead. So a large
// model does not hold up small ones, nor a large request the small ones of its model.
//
//   Submit -> waiting for its model -> queued <-> in a batch -> Finish
//                  (loaded elsewhere)     |  refused: queue full
//                                         |  dropped: deadline passed, caller gone
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include "core/base/clock.h"
#include "server/inference/batch_runner.h"
#include "server/inference/inference_request.h"
#include "server/inference/request_queue.h"
#include "server/inference/resident_models.h"
#include "server/telemetry/metrics.h"

namespace mlp {

struct BatcherOptions {
  // Threads that share a large batch.
  int threads = 1;
  // Multiplications and additions of a batch up to which it is run at once: a tenth of a
  // millisecond, about what it takes to wake another thread twice.
  int64_t max_inline_flops = 4'000'000;
  // The same of any batch, however many rows a model allows: 20 ms of one core at 10^11 a second,
  // less of several, so that other models' turns come soon. Enough for 64 rows of a model of 15
  // million weights; with fewer rows a batch, reading the weights would begin to tell.
  int64_t max_batch_flops = 2'000'000'000;
  // Of the rows of all requests that wait. One request alone may have more.
  int64_t max_queued_bytes = int64_t{256} << 20;
  // Requests that wait for models to be loaded.
  int max_loading_requests = 4096;
};

// What a batcher needs of its surroundings.
struct BatcherHooks {
  // Runs a task on another thread, one that may wait; false where none can be had.
  std::function<bool(std::function<void()>)> run_elsewhere;
  // Has RunReady called soon. Any thread.
  std::function<void()> wake;
};

// Thread-safe. Of one model at most one batch is under way at a time, so those of its requests that
// fit into a batch are answered in the order in which they came.
class Batcher {
 public:
  // What a thread that runs batches keeps between them. Thread-compatible: one a thread.
  class Worker {
   public:
    // See BatchRunner.
    explicit Worker(ThreadPool* pool = nullptr) : runner_(pool) {}

   private:
    friend class Batcher;
    BatchRunner runner_;
    std::vector<BatchPiece> pieces_;
    std::vector<QueuedRequest> requests_;  // of each piece
    std::vector<QueuedRequest> ended_;
  };

  // All outlive it. Destroying it stops it.
  Batcher(const BatcherOptions& options, ResidentModels& models, Metrics& metrics,
          const Clock& clock, BatcherHooks hooks);
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // Takes `request` in, or finishes it at once: with Fit's or ResidentModels::Load's error, or with
  // RESOURCE_EXHAUSTED where its model's queue is full of requests that somebody waits for, and a
  // retry delay: how long those will take. `request` stays alive until its Finish.
  void Submit(InferenceRequest& request);

  // Runs one batch of every model that has requests and is not busy, in turn. Returns how long to
  // wait until it is to be called again if nothing is submitted: zero where more is ready,
  // infinitely where nothing waits. `worker` is the calling thread's.
  absl::Duration RunReady(Worker& worker);

  // No more Submit: ends the batches under way and finishes what waits with UNAVAILABLE.
  // Idempotent.
  void Stop();

 private:
  // A queue is swept no more often, so that a refusal does not cost the more the longer it is.
  static constexpr absl::Duration kSweepInterval = absl::Milliseconds(5);

  // The requests for one model version. Exists while there are any.
  struct Queue {
    RequestQueue waiting;
    bool busy = false;       // a batch is under way, or on its way to the lane
    int64_t batch_rows = 0;  // what that has at most
    int64_t lane_flops = 0;  // and costs, where it is the lane's
    absl::Duration busy_since;
    int64_t rows_under_way = 0;
    absl::Duration swept = -absl::InfiniteDuration();
  };

  // After a batch of the lane: callers who wait for answers call again when they have them, in less
  // time than a batch takes. A batch begun at once would be of the others alone, and a large
  // model's takes nearly as long with few rows as with many. See docs/adr/0009.
  struct Echo {
    const ServableModel* model = nullptr;  // not looked into: it may be gone
    int64_t rows = 0;                      // that the batch had, and that waited beside it
    absl::Duration until;                  // how long those rows are waited for
  };

  struct Swept {
    std::shared_ptr<const ServableModel> model;
    std::vector<QueuedRequest> requests;
  };

  struct Parked {
    InferenceRequest* request;
    absl::Duration arrival;
  };

  // batcher_loading.cc
  void Park(InferenceRequest& request, absl::Duration arrival);
  void LoadFor(const std::string& reference);
  // Moves what nobody waits for any more out of loading_, unless it has just been to it.
  std::vector<InferenceRequest*> SweepLoading() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void Enqueue(InferenceRequest& request, std::shared_ptr<const ServableModel> model,
               absl::Duration arrival);
  // OK where the bounds leave room for `rows` more of `model`; otherwise without a retry delay.
  absl::Status Admit(const ServableModel& model, int64_t rows) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Until all that is queued for `model` will have been answered.
  absl::Duration UntilAnswered(const ServableModel& model) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Moves what nobody waits for any more out of all queues, but for those it has just been to.
  std::vector<Swept> Sweep() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Queue& QueueOf(const std::shared_ptr<const ServableModel>& model)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Rows of a batch in the lane, at most.
  int64_t LaneRows(const ServableModel& model) const;
  // When the queue's next batch is due.
  absl::Duration Due(const Queue& queue) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Decides where the queue's next batch is run, and sets its size: true for the calling thread.
  bool RunsInline(Queue& queue) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The next queue, made busy, whose batch is run inline; others go to the lane. Null where up to
  // `turns` have been looked at. `wait` becomes the time until the first one that is not yet due.
  Queue* NextInline(size_t& turns, absl::Duration& wait) ABSL_LOCKS_EXCLUDED(mutex_);
  // Takes, runs and ends one batch of a busy queue.
  void RunBatch(Queue& queue, Worker& worker) ABSL_LOCKS_EXCLUDED(mutex_);
  void Credit(const ExecutedBatch& executed, absl::Duration started, Worker& worker);
  void Release(Queue& queue, Worker& worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of a queue that is empty and not busy.
  void Retire(Queue& queue) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FinishAll(const ServableModel& model, std::vector<QueuedRequest>& ended);
  void RunLane();

  const BatcherOptions options_;
  ResidentModels& models_;
  Metrics& metrics_;
  const Clock& clock_;
  const BatcherHooks hooks_;

  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<const ServableModel*, std::unique_ptr<Queue>> queues_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Queue>> unused_ ABSL_GUARDED_BY(mutex_);  // to be used again
  std::deque<Queue*> ready_ ABSL_GUARDED_BY(mutex_);  // with entries and not busy, in turn
  std::deque<Queue*> lane_ ABSL_GUARDED_BY(mutex_);   // busy, in turn
  // Of the batches in the lane, the one that it runs included.
  int64_t lane_flops_ ABSL_GUARDED_BY(mutex_) = 0;
  Echo echo_ ABSL_GUARDED_BY(mutex_);
  int64_t queued_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  // Requests by the reference whose model is being loaded for them.
  absl::flat_hash_map<std::string, std::vector<Parked>> loading_ ABSL_GUARDED_BY(mutex_);
  int loading_requests_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Duration loading_swept_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  int loads_ ABSL_GUARDED_BY(mutex_) = 0;    // under way
  int batches_ ABSL_GUARDED_BY(mutex_) = 0;  // the same; as many as queues are busy
  // Of lane_ and stopping_, for the lane. Not an absl::Condition on the mutex: every unlocking, of
  // which a request has several, would evaluate that.
  absl::CondVar lane_news_;

  ThreadPool pool_;  // the lane's
  std::thread lane_thread_;
};

}  // namespace mlp
