// A small mlpd in this process: real gRPC on a free loopback port, canned answers behind it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/status.h>

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
  // comes with a google.rpc.RetryInfo of `retry_seconds` where that is not negative.
  void FailNext(const std::string& rpc, int times, const absl::Status& status,
                int64_t retry_seconds = -1);
  // Calls of an RPC leave unanswered until their client gives up.
  void Hang(const std::string& rpc);
  // How often an RPC was called.
  int calls(const std::string& rpc) const;

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
