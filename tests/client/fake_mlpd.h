// A small mlpd in this process: real gRPC on a free loopback port, canned answers behind it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include "mlp/v1/dataset.pb.h"
#include "mlp/v1/training.pb.h"

namespace mlp {

// Knows no model but `digits`, whose only version 3 takes grey images of 2 x 2 bytes and answers
// the class "a", "b" or "c" that its first value, modulo 3, is the index of, with 0.75 as output.
// Jobs train `iterations` steps at a cost of 8 / (iteration + 1). Thread-safe.
class FakeMlpd {
 public:
  FakeMlpd();
  ~FakeMlpd();

  // HOST:PORT.
  const std::string& address() const;

  // The next `times` calls of an RPC, such as "GetDataset", fail with `status`; RESOURCE_EXHAUSTED
  // comes with a google.rpc.RetryInfo of `retry_delay` where that is not negative. The requests of
  // a stream are "StreamPredict/request".
  void FailNext(const std::string& rpc, int times, const absl::Status& status,
                absl::Duration retry_delay = absl::Seconds(-1));
  // Calls of an RPC leave unanswered until their client gives up.
  void Hang(const std::string& rpc);
  // How often an RPC was called.
  int calls(const std::string& rpc) const;

  struct StreamScript {
    // So many requests are gathered, then answered the last one first.
    int reverse = 1;
    // After so many answers the stream breaks with UNAVAILABLE; -1: never.
    int break_after = -1;
    // Answers carry wrong ids.
    int64_t add_to_ids = 0;
  };
  // Of the streams that begin from now on.
  void ScriptStream(const StreamScript& script);
  // The timeout of every request of a stream, in the order of their arrival.
  std::vector<int64_t> timeouts_us() const;

  // Calls of Predict are answered once so many are outstanding.
  void Gather(int calls);
  // The most calls of Predict that were outstanding at a time.
  int most_at_once() const;

  // Datasets by upload or by hand.
  struct StoredDataset {
    v1::Dataset dataset;
    std::string features;
    std::vector<int32_t> labels;
  };
  void Store(StoredDataset dataset);
  std::vector<StoredDataset> datasets() const;
  // Bytes of the largest message of any upload.
  size_t largest_upload_message() const;

  // Of the jobs' watches: the number of points; after how many points of each stream in turn it
  // breaks with UNAVAILABLE; how the job ends.
  void ScriptJob(int iterations, std::vector<int> breaks, v1::JobState end);
  // Watches never end, but tell one iteration after another.
  static constexpr int kEndless = -1;

  // The last request of CreateTrainingJob.
  v1::CreateTrainingJobRequest created() const;
  // What was deleted, such as "dataset d" or "version digits@3".
  std::vector<std::string> deleted() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace mlp
