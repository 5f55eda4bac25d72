// The whole server in this process with three random networks, and the answer to each row of a pool
// asked for alone: what any batch of those rows must give.
#pragma once

#include <chrono>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/server/server_fixture.h"

namespace mlp {

constexpr uint32_t kSeed = 424242;
constexpr int kPool = 40;  // rows of each model that requests are made of
constexpr auto kLong = std::chrono::seconds(30);

struct Shape {
  const char* name;
  int features;
  int hidden;
  int classes;
};
// The last one is wide enough for the lane from 10 rows on.
constexpr Shape kShapes[] = {{"small", 3, 4, 2}, {"middle", 40, 30, 10}, {"wide", 200, 1000, 5}};

// Whether two answers to the same row agree as docs/numerics.md says: in their bits on a CPU with
// AVX-512, otherwise closely.
bool SameOutput(float expected, float got);

class InferenceFixture : public ServerTest {
 public:
  // A request, and the rows of its model's pool that it is made of.
  struct Asked {
    size_t model = 0;  // index into kShapes
    std::vector<size_t> rows;
    v1::PredictRequest request;
  };

 protected:
  InferenceFixture();

  // `count` rows, as pixels or as features. Thread-safe.
  Asked Ask(size_t model, int count, std::mt19937& random) const;

  // Empty where `response` is the answer to exactly these rows: SameOutput, the same labels and
  // class names, the version. Thread-safe.
  std::string Mistake(const Asked& asked, const v1::PredictResponse& response) const;

  // Every model answers.
  void ExpectHealthy();

  // How many requests may wait for model `name`.
  void SetQueue(const std::string& name, int max_queued_requests);

 private:
  void PublishAll();
  // Asks for every row of the model's pool alone.
  void LearnRows(size_t model);

  std::vector<std::string> rows_[std::size(kShapes)];  // as pixels
  std::vector<v1::PredictResponse> alone_[std::size(kShapes)];
};

}  // namespace mlp
