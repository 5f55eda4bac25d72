#include "server/inference/batcher.h"

#include <algorithm>
#include <new>
#include <utility>

#include <absl/strings/str_cat.h>

#include "server/end_of_call.h"
#include "server/inference/serving_limits.h"
#include "server/retry_delay.h"

namespace mlp {
namespace {

// A queue has room again long before all that is in it was answered.
constexpr absl::Duration kLongestRetryDelay = absl::Seconds(1);

// A core, until a model's first batch has shown how long its rows take.
constexpr int64_t kExpectedFlopsPerNs = 50;

// Multiplications and additions of one row.
int64_t FlopsPerRow(const ServableModel& model) { return model.propagation().flops_per_row(); }

int64_t RowBytes(const ServableModel& model) {
  return model.features() * static_cast<int64_t>(sizeof(float));
}

// Of the time that a batch took.
constexpr double kEchoShare = 0.25;

// A backlog is answered in batches of at least so many rows: with fewer, their number tells.
constexpr int64_t kFewestInlineRows = 16;

// By the model's own limit, and by the cost of a batch.
int64_t MaxBatchRows(const ServableModel& model, int64_t max_flops) {
  const int64_t most = model.limits().max_batch_rows.load(std::memory_order_relaxed);
  return std::min(most, max_flops / FlopsPerRow(model));
}

absl::StatusOr<int64_t> FitOrRefuse(InferenceRequest& request,
                                    const std::shared_ptr<const ServableModel>& model) {
  try {
    return request.Fit(model);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("not enough memory for this request");
  }
}

}  // namespace

Batcher::Batcher(const BatcherOptions& options, ResidentModels& models, Metrics& metrics,
                 const Clock& clock, BatcherHooks hooks)
    : options_(options),
      models_(models),
      metrics_(metrics),
      clock_(clock),
      hooks_(std::move(hooks)),
      pool_({.threads = options.threads, .idle_priority = false}),
      lane_thread_([this] { RunLane(); }) {}

Batcher::~Batcher() { Stop(); }

void Batcher::Submit(InferenceRequest& request) {
  const absl::Duration arrival = clock_.Elapsed();
  if (std::shared_ptr<const ServableModel> model = models_.Find(request.model_reference())) {
    Enqueue(request, std::move(model), arrival);
  } else {
    Park(request, arrival);
  }
}

// --- Queues ---

void Batcher::Enqueue(InferenceRequest& request, std::shared_ptr<const ServableModel> model,
                      absl::Duration arrival) {
  const absl::StatusOr<int64_t> rows = FitOrRefuse(request, model);
  absl::Status refused = rows.status();
  std::vector<Swept> swept;
  if (rows.ok()) {
    absl::MutexLock lock(&mutex_);
    refused = Admit(*model, *rows);
    if (absl::IsResourceExhausted(refused)) {
      swept = Sweep();
      refused = Admit(*model, *rows);
    }
    if (refused.ok()) {
      Queue& queue = QueueOf(model);
      if (queue.waiting.empty() && !queue.busy) ready_.push_back(&queue);
      queue.waiting.Push({.request = &request,
                          .rows = *rows,
                          .arrival = arrival,
                          .taken = 0,
                          .answered = {.rows = *rows},
                          .status = {}});
      queued_bytes_ += *rows * RowBytes(*model);
    } else if (absl::IsResourceExhausted(refused)) {
      refused = WithRetryDelay(refused, UntilAnswered(*model));
    }
  }
  for (Swept& of_model : swept) FinishAll(*of_model.model, of_model.requests);
  if (refused.ok()) return;
  model->statistics().Failed(absl::ToInt64Nanoseconds(clock_.Elapsed() - arrival));
  request.Finish(refused);
}

absl::Status Batcher::Admit(const ServableModel& model, int64_t rows) const {
  if (stopping_) return ServerStopping();
  const auto found = queues_.find(&model);
  if (found == queues_.end()) return absl::OkStatus();  // nothing waits for it: always one may
  const int64_t most = model.limits().max_queued_requests.load(std::memory_order_relaxed);
  if (found->second->waiting.requests() >= most) {
    return absl::ResourceExhaustedError(
        absl::StrCat("model ", model.name(), ": expected at most ", most, " requests to wait"));
  }
  if (queued_bytes_ + rows * RowBytes(model) > options_.max_queued_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat("model ", model.name(), ": expected at most ",
                                                     options_.max_queued_bytes >> 20,
                                                     " MiB of rows to wait"));
  }
  return absl::OkStatus();
}

absl::Duration Batcher::UntilAnswered(const ServableModel& model) const {
  const auto found = queues_.find(&model);
  if (found == queues_.end()) return absl::ZeroDuration();
  const Queue& queue = *found->second;
  int64_t ns_per_row = model.statistics().ns_per_row();
  if (ns_per_row == 0) ns_per_row = FlopsPerRow(model) / kExpectedFlopsPerNs + 1;
  const int64_t delay_us = model.limits().queue_delay_us.load(std::memory_order_relaxed);
  const absl::Duration until_answered =
      absl::Microseconds(delay_us) +
      absl::Nanoseconds(ns_per_row * (queue.waiting.rows() + queue.rows_under_way));
  return std::min(until_answered, kLongestRetryDelay);
}

std::vector<Batcher::Swept> Batcher::Sweep() {
  const absl::Duration now = clock_.Elapsed();
  std::vector<Swept> swept;
  std::vector<Queue*> empty;
  for (const auto& [model, queue] : queues_) {
    if (now - queue->swept < kSweepInterval) continue;
    queue->swept = now;
    std::vector<QueuedRequest> ended;
    queue->waiting.Sweep(ended);
    if (ended.empty()) continue;
    for (const QueuedRequest& request : ended) queued_bytes_ -= request.rows * RowBytes(*model);
    swept.push_back({queue->waiting.model(), std::move(ended)});
    if (queue->waiting.empty() && !queue->busy) empty.push_back(queue.get());
  }
  for (Queue* queue : empty) {
    std::erase(ready_, queue);
    Retire(*queue);
  }
  return swept;
}

Batcher::Queue& Batcher::QueueOf(const std::shared_ptr<const ServableModel>& model) {
  std::unique_ptr<Queue>& queue = queues_[model.get()];
  if (queue == nullptr) {
    if (unused_.empty()) {
      queue = std::make_unique<Queue>();
    } else {
      queue = std::move(unused_.back());
      unused_.pop_back();
    }
    queue->waiting.Reset(model);
  }
  return *queue;
}

// --- Batches ---

absl::Duration Batcher::RunReady(Worker& worker) {
  absl::Duration wait = absl::InfiniteDuration();
  size_t turns = 0;
  {
    absl::MutexLock lock(&mutex_);
    turns = ready_.size();
  }
  while (Queue* queue = NextInline(turns, wait)) RunBatch(*queue, worker);
  // Also what a batch of this call left behind, which had its turn.
  absl::MutexLock lock(&mutex_);
  for (const Queue* queue : ready_) {
    const absl::Duration due = Due(*queue);
    if (due == -absl::InfiniteDuration()) return absl::ZeroDuration();
    wait = std::min(wait, std::max(due - clock_.Elapsed(), absl::ZeroDuration()));
  }
  return wait;
}

int64_t Batcher::LaneRows(const ServableModel& model) const {
  const int64_t rows = std::max<int64_t>(MaxBatchRows(model, options_.max_batch_flops), 1);
  // Whole blocks, as many for each thread; of fewer than that, one, which all threads share.
  const int64_t block = model.propagation().block_rows();
  const int64_t round = block * options_.threads;
  if (rows >= round) return rows - rows % round;
  return std::min(rows, block);
}

absl::Duration Batcher::Due(const Queue& queue) const {
  const ServableModel& model = *queue.waiting.model();
  const bool more_will_come = &model == echo_.model && queue.waiting.rows() < echo_.rows;
  return queue.waiting.Due(LaneRows(model),
                           more_will_come ? echo_.until : -absl::InfiniteDuration());
}

bool Batcher::RunsInline(Queue& queue) const {
  const ServableModel& model = *queue.waiting.model();
  const int64_t inline_rows = MaxBatchRows(model, options_.max_inline_flops);
  const int64_t lane_rows = LaneRows(model);
  const int64_t rows = std::min(queue.waiting.rows(), lane_rows);
  queue.lane_flops = rows * FlopsPerRow(model);
  // In the lane it would wait for longer than it takes.
  const bool lane_is_slower = inline_rows >= kFewestInlineRows && queue.lane_flops <= lane_flops_;
  if (rows > inline_rows && !lane_is_slower) {
    queue.batch_rows = lane_rows;
    return false;
  }
  queue.batch_rows = inline_rows;
  queue.lane_flops = 0;
  return true;
}

Batcher::Queue* Batcher::NextInline(size_t& turns, absl::Duration& wait) {
  absl::MutexLock lock(&mutex_);
  if (stopping_) return nullptr;
  for (; turns > 0 && !ready_.empty(); --turns) {
    Queue& queue = *ready_.front();
    ready_.pop_front();
    const absl::Duration due = Due(queue);
    if (due > -absl::InfiniteDuration()) {
      const absl::Duration until_due = due - clock_.Elapsed();
      if (until_due > absl::ZeroDuration()) {
        wait = std::min(wait, until_due);
        ready_.push_back(&queue);
        continue;
      }
    }
    queue.busy = true;
    queue.busy_since = clock_.Elapsed();
    ++batches_;
    if (RunsInline(queue)) {
      --turns;
      return &queue;
    }
    lane_flops_ += queue.lane_flops;
    lane_.push_back(&queue);
    lane_news_.Signal();
  }
  return nullptr;
}

void Batcher::RunBatch(Queue& queue, Worker& worker) {
  const absl::Duration started = clock_.Elapsed();
  const std::shared_ptr<const ServableModel> model = queue.waiting.model();
  worker.pieces_.clear();
  worker.requests_.clear();
  worker.ended_.clear();
  {
    absl::MutexLock lock(&mutex_);
    queue.waiting.Take(queue.batch_rows, worker.requests_, worker.pieces_, worker.ended_);
    for (const BatchPiece& piece : worker.pieces_) queue.rows_under_way += piece.count;
  }
  ExecutedBatch executed;
  if (!worker.pieces_.empty()) {
    executed = worker.runner_.Run(*model, absl::MakeSpan(worker.pieces_));
    model->statistics().Executed(executed);
    Credit(executed, started, worker);
  }
  {
    absl::MutexLock lock(&mutex_);
    if (executed.rows > 0) {
      const absl::Duration busy = clock_.Elapsed() - queue.busy_since;
      model->statistics().SetPace(absl::ToInt64Nanoseconds(busy) / executed.rows);
    }
    Release(queue, worker);
  }
  FinishAll(*model, worker.ended_);
}

void Batcher::Credit(const ExecutedBatch& executed, absl::Duration started, Worker& worker) {
  for (size_t i = 0; i < worker.pieces_.size(); ++i) {
    QueuedRequest& request = worker.requests_[i];
    request.status = worker.pieces_[i].status;
    if (worker.pieces_[i].first == 0) {
      request.answered.queue_ns = absl::ToInt64Nanoseconds(started - request.arrival);
    }
    request.answered.input_ns += executed.input_ns;
    request.answered.infer_ns += executed.infer_ns;
    request.answered.output_ns += executed.output_ns;
  }
}

void Batcher::Release(Queue& queue, Worker& worker) {
  for (QueuedRequest& request : worker.requests_) {
    if (request.status.ok() && request.taken < request.rows) {
      queue.waiting.Push(std::move(request));
    } else {
      worker.ended_.push_back(std::move(request));
    }
  }
  const int64_t row_bytes = RowBytes(*queue.waiting.model());
  for (const QueuedRequest& ended : worker.ended_) queued_bytes_ -= ended.rows * row_bytes;
  if (queue.lane_flops > 0) {
    echo_ = {.model = queue.waiting.model().get(),
             .rows = queue.rows_under_way + queue.waiting.rows(),
             .until = absl::InfiniteDuration()};
  }
  lane_flops_ -= queue.lane_flops;
  queue.lane_flops = 0;
  queue.rows_under_way = 0;
  queue.busy = false;
  --batches_;
  if (queue.waiting.empty()) {
    Retire(queue);
  } else {
    ready_.push_back(&queue);
  }
}

void Batcher::Retire(Queue& queue) {
  const auto found = queues_.find(queue.waiting.model().get());
  queue.waiting.Reset(nullptr);
  queue.swept = -absl::InfiniteDuration();
  unused_.push_back(std::move(found->second));
  queues_.erase(found);
}

void Batcher::FinishAll(const ServableModel& model, std::vector<QueuedRequest>& ended) {
  const absl::Duration now = clock_.Elapsed();
  const int64_t now_ms = absl::ToUnixMillis(clock_.Now());
  int64_t rows = 0;
  for (QueuedRequest& request : ended) {
    request.answered.total_ns = absl::ToInt64Nanoseconds(now - request.arrival);
    if (request.status.ok()) {
      model.statistics().Answered(request.answered, now_ms);
      rows += request.rows;
    } else {
      model.statistics().Failed(request.answered.total_ns);
    }
    request.request->Finish(request.status);
  }
  if (rows > 0) metrics_.RowsPredicted(model.name(), rows);
}

// --- The lane ---

void Batcher::RunLane() {
  Worker worker(&pool_);
  while (true) {
    Queue* queue = nullptr;
    {
      absl::MutexLock lock(&mutex_);
      while (!stopping_ && lane_.empty()) lane_news_.Wait(&mutex_);
      if (lane_.empty()) return;
      queue = lane_.front();
      lane_.pop_front();
    }
    const absl::Duration started = clock_.Elapsed();
    RunBatch(*queue, worker);
    {
      absl::MutexLock lock(&mutex_);
      const absl::Duration now = clock_.Elapsed();
      echo_.until = now + kEchoShare * (now - started);
    }
    hooks_.wake();  // it may have more, which nobody was told of
  }
}

void Batcher::Stop() {
  std::vector<QueuedRequest> left;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    lane_news_.Signal();
    const auto ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return loads_ == 0 && batches_ == 0;
    };
    mutex_.Await(absl::Condition(&ended));
  }
  if (lane_thread_.joinable()) lane_thread_.join();
  {
    absl::MutexLock lock(&mutex_);
    ready_.clear();
    for (auto& [model, queue] : queues_) queue->waiting.Clear(left);
    queues_.clear();
  }
  for (const QueuedRequest& waiting : left) waiting.request->Finish(ServerStopping());
}

}  // namespace mlp
