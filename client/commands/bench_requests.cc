#include "client/commands/bench_requests.h"

#include <algorithm>
#include <cstring>
#include <random>

#include <absl/strings/str_cat.h>

#include "client/commands/error_line.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

constexpr int64_t kMaxRequests = 16;
constexpr int64_t kMaxRequestBytes = int64_t{64} << 20;
constexpr int64_t kMaxAllBytes = int64_t{128} << 20;
constexpr int64_t kMaxReadRows = 1024;
constexpr int64_t kMaxReadBytes = int64_t{3} << 20;

// Rows as they go into requests: values [rows x features], all of them 0 to 255 where `bytes`.
struct RowPool {
  int64_t features = 0;
  bool bytes = false;
  std::vector<float> values;

  int64_t rows() const { return static_cast<int64_t>(values.size()) / features; }
};

RowPool MakeUpRows(int64_t rows, int64_t features, bool bytes, uint64_t seed) {
  RowPool pool = {.features = features, .bytes = bytes, .values = {}};
  pool.values.reserve(static_cast<size_t>(rows * features));
  std::mt19937_64 generator(seed);
  for (int64_t i = 0; i < rows * features; ++i) {
    const uint64_t bits = generator();
    pool.values.push_back(bytes ? static_cast<float>(bits >> 56)
                                : static_cast<float>(bits >> 40) * 0x1p-24f);
  }
  return pool;
}

void Append(const std::string& page, RowPool& pool) {
  if (pool.bytes) {
    for (const char byte : page) pool.values.push_back(static_cast<unsigned char>(byte));
    return;
  }
  const size_t before = pool.values.size();
  pool.values.resize(before + page.size() / sizeof(float));
  std::memcpy(pool.values.data() + before, page.data(),
              (pool.values.size() - before) * sizeof(float));
}

absl::StatusOr<RowPool> ReadRows(Client& client, const v1::ModelVersion& version,
                                 const std::string& name, int64_t rows, int64_t features) {
  v1::GetDatasetRequest get;
  get.set_name(name);
  MLP_ASSIGN_OR_RETURN(const v1::Dataset dataset, client.GetDataset(get));
  if (dataset.features() != features) {
    return absl::InvalidArgumentError(absl::StrCat("features: expected ", features, " a row for ",
                                                   version.model(), "@", version.version(),
                                                   ", got ", dataset.features()));
  }
  RowPool pool = {.features = features,
                  .bytes = dataset.feature_type() == v1::FEATURE_TYPE_UINT8,
                  .values = {}};
  const int64_t row_bytes = features * (pool.bytes ? 1 : 4);
  rows = std::min(rows, dataset.rows());
  const int64_t page_rows = std::clamp<int64_t>(kMaxReadBytes / row_bytes, 1, kMaxReadRows);
  v1::ReadExamplesRequest read;
  read.set_name(name);
  for (int64_t row = 0; row < rows; row += page_rows) {
    const int64_t wanted = std::min(page_rows, rows - row);
    read.set_start_row(row);
    read.set_row_count(static_cast<int32_t>(wanted));
    MLP_ASSIGN_OR_RETURN(const v1::ReadExamplesResponse page, client.ReadExamples(read));
    if (static_cast<int64_t>(page.features().size()) != wanted * row_bytes) {
      return absl::InternalError(absl::StrCat("ReadExamples: expected ", wanted * row_bytes,
                                              " bytes, got ", page.features().size()));
    }
    Append(page.features(), pool);
  }
  if (pool.values.empty()) {
    return absl::FailedPreconditionError(absl::StrCat("dataset ", name, " has no rows"));
  }
  return pool;
}

void AddRow(const RowPool& pool, int64_t row, bool pixels, v1::PredictRequest& request) {
  const float* values = pool.values.data() + (row % pool.rows()) * pool.features;
  for (int64_t j = 0; j < pool.features; ++j) {
    if (pixels) {
      request.mutable_pixels()->push_back(static_cast<char>(static_cast<unsigned char>(values[j])));
    } else {
      request.add_features(values[j]);
    }
  }
}

}  // namespace

absl::StatusOr<std::vector<std::string>> MakeBenchRequests(Client& client,
                                                           const v1::ModelVersion& version,
                                                           const BenchFlags& flags) {
  const std::string reference = absl::StrCat(version.model(), "@", version.version());
  const v1::NetworkConfig& network = version.config().network();
  const int64_t features = network.layers_size() > 0 ? network.layers(0) : 0;
  if (features < 1) return absl::InternalError(absl::StrCat(reference, " has no layers"));
  const bool takes_bytes = version.feature_type() == v1::FEATURE_TYPE_UINT8;
  if (flags.pixels && !takes_bytes) {
    return UsageError("--pixels", absl::StrCat("expected a model of uint8 features, ", reference,
                                               " takes float32 ones"));
  }
  const int64_t request_bytes = flags.rows * features * (flags.pixels ? 1 : 4);
  if (request_bytes > kMaxRequestBytes) {
    return UsageError("--rows", absl::StrCat("expected requests of at most 64 MiB, got ",
                                             flags.rows, " rows of ", features, " features"));
  }
  const int64_t count = std::clamp<int64_t>(kMaxAllBytes / request_bytes, 1, kMaxRequests);
  RowPool pool;
  if (flags.dataset.empty()) {
    pool =
        MakeUpRows(std::min<int64_t>(count * flags.rows, 4096), features, takes_bytes, flags.seed);
  } else {
    MLP_ASSIGN_OR_RETURN(pool,
                         ReadRows(client, version, flags.dataset, count * flags.rows, features));
  }
  if (flags.pixels && !pool.bytes) {
    return UsageError("--pixels", "expected a dataset of uint8 features");
  }
  std::vector<std::string> requests;
  for (int64_t i = 0; i < count; ++i) {
    v1::PredictRequest request;
    request.set_model(reference);
    request.set_rows(flags.rows);
    for (int64_t row = 0; row < flags.rows; ++row) {
      AddRow(pool, i * flags.rows + row, flags.pixels, request);
    }
    requests.push_back(request.SerializeAsString());
  }
  return requests;
}

}  // namespace mlp
