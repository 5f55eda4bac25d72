#include "tests/client/fake_prediction.h"

#include <algorithm>
#include <utility>

#include <absl/strings/str_cat.h>

#include "client/retry.h"
#include "client/rpc_status.h"

namespace mlp {
namespace {

using grpc::Status;

Status Answer(const v1::PredictRequest& request, v1::PredictResponse* response) {
  if (request.model() != "digits@3") {
    return Status(grpc::StatusCode::NOT_FOUND,
                  absl::StrCat("model ", request.model(), " does not exist"));
  }
  response->set_version(3);
  for (int i = 0; i < request.rows(); ++i) {
    const int first =
        request.pixels().empty()
            ? static_cast<int>(request.features(4 * i))
            : static_cast<unsigned char>(request.pixels()[4 * static_cast<size_t>(i)]);
    response->add_labels(first % 3);
    response->add_class_names(std::string(1, static_cast<char>('a' + first % 3)));
    for (int k = 0; k < 3; ++k) response->add_outputs(k == first % 3 ? 0.75f : 0.125f);
  }
  return Status::OK;
}

}  // namespace

void FakePrediction::ScriptStream(const FakeMlpd::StreamScript& script) {
  absl::MutexLock lock(&mutex_);
  stream_ = script;
}

void FakePrediction::Gather(int calls) {
  absl::MutexLock lock(&mutex_);
  gather_ = calls;
}

int FakePrediction::most_at_once() const {
  absl::MutexLock lock(&mutex_);
  return most_at_once_;
}

std::vector<int64_t> FakePrediction::timeouts_us() const {
  absl::MutexLock lock(&mutex_);
  return timeouts_us_;
}

Status FakePrediction::Predict(grpc::ServerContext* context, const v1::PredictRequest* request,
                               v1::PredictResponse* response) {
  const Status begun = script_.Begin("Predict", context);
  if (!begun.ok()) return begun;
  {
    absl::MutexLock lock(&mutex_);
    most_at_once_ = std::max(most_at_once_, ++inside_);
    const int mine = generation_;
    // Those that were let go may still be inside when the next ones come: they are not counted.
    if (++gathered_ >= gather_) {
      gathered_ = 0;
      ++generation_;
    } else {
      const auto together = [this, mine]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return generation_ != mine;
      };
      AwaitWhileWanted(mutex_, absl::Condition(&together), context);
    }
    --inside_;
  }
  return Answer(*request, response);
}

Status FakePrediction::StreamPredict(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<v1::StreamPredictResponse, v1::StreamPredictRequest>* stream) {
  const Status begun = script_.Begin("StreamPredict", context);
  if (!begun.ok()) return begun;
  FakeMlpd::StreamScript script;
  {
    absl::MutexLock lock(&mutex_);
    script = stream_;
  }
  int answers = 0;
  std::vector<v1::StreamPredictResponse> held;
  v1::StreamPredictRequest request;
  while (answers != script.break_after && stream->Read(&request)) {
    {
      absl::MutexLock lock(&mutex_);
      timeouts_us_.push_back(request.timeout_us());
    }
    v1::StreamPredictResponse& response = held.emplace_back();
    response.set_id(request.id() + script.add_to_ids);
    Status status = script_.Begin("StreamPredict/request", context);
    if (status.ok()) status = Answer(request.request(), response.mutable_response());
    if (!status.ok()) {
      v1::PredictError& error = *response.mutable_error();
      error.set_code(status.error_code());
      error.set_message(status.error_message());
      const auto delay = ServerRetryDelay(FromGrpcStatus(status));
      if (delay) error.set_retry_delay_us(absl::ToInt64Microseconds(*delay));
    }
    if (static_cast<int>(held.size()) < script.reverse) continue;
    for (; !held.empty() && answers != script.break_after; held.pop_back(), ++answers) {
      stream->Write(held.back());
    }
  }
  return answers == script.break_after ? Status(grpc::StatusCode::UNAVAILABLE, "the server stops")
                                       : Status::OK;
}

}  // namespace mlp
