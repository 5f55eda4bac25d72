// The hot case, one raw row of FP32, allocates nothing once its memory is warm. A program of its
// own, for it counts what operator new is asked for.
#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include "tests/server/oip/oip_fixture.h"

namespace {
std::atomic<int64_t> allocations{0};
}  // namespace

void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* const memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }

namespace mlp {
namespace {

// Allocations of the 1,000 calls after the first; each parses the same bytes.
int64_t AllocationsOf(const std::string& version) {
  inference::ModelInferRequest message = testing::RawRequest<float>("FP32", {1, 2, 3, 4});
  message.set_model_version(version);
  message.set_id("an id that is longer than what a string holds in itself");
  const std::string bytes = message.SerializeAsString();
  const auto model = testing::MakeModel();
  const float outputs[] = {0.1f, 0.7f, 0.2f};
  OipMessage call;
  float row[4];
  std::string answer;
  const int64_t cold = allocations.load();
  int64_t before = 0;
  for (int i = 0; i <= 1000; ++i) {
    if (i == 1) before = allocations.load();
    google::protobuf::io::ArrayInputStream in(bytes.data(), static_cast<int>(bytes.size()));
    EXPECT_TRUE(call.Parse(in).ok());
    EXPECT_TRUE(call.Check().ok());
    EXPECT_TRUE(call.Fit(model).ok());
    call.ReadRows(0, 1, row);
    call.WriteOutputs(0, 1, outputs);
    answer.clear();
    call.AppendResponse(absl::OkStatus(), answer);
    call.Clear();
  }
  EXPECT_GT(before, cold);  // counts at all
  return allocations.load() - before;
}

TEST(OipAllocation, ARawRowTakesNone) {
  EXPECT_EQ(AllocationsOf(""), 0);
  EXPECT_EQ(AllocationsOf("7"), 0);
}

}  // namespace
}  // namespace mlp
