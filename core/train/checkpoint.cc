#include "core/train/checkpoint.h"

#include <bit>
#include <cstring>
#include <type_traits>

#include <absl/strings/str_cat.h>

#include "core/base/hash.h"
#include "core/base/status_macros.h"

namespace mlp {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are stored as they lie");

constexpr absl::string_view kSignature("\x89MLPCKPT", 8);
constexpr uint32_t kFormatVersion = 1;

// Writer and Reader have the same calls, so that one function, Fields, states the format for both.
class Writer {
 public:
  template <typename T>
  void Number(const T& value) {
    static_assert(std::is_arithmetic_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }

  template <typename Container>
  void Array(const Container& values) {
    Number(static_cast<uint64_t>(values.size()));
    bytes_.append(reinterpret_cast<const char*>(values.data()),
                  static_cast<size_t>(values.size()) * sizeof(*values.data()));
  }

  void Arrays(const std::vector<VectorF>& arrays) {
    Number(static_cast<uint64_t>(arrays.size()));
    for (const VectorF& array : arrays) Array(array);
  }

  void Optional(const std::optional<double>& value) {
    Number(static_cast<uint8_t>(value.has_value()));
    Number(value.value_or(0.0));
  }

  std::string& bytes() { return bytes_; }

 private:
  std::string bytes_;
};

// Reads zeros once there are not enough bytes left: see complete().
class Reader {
 public:
  explicit Reader(absl::string_view bytes) : left_(bytes) {}

  template <typename T>
  void Number(T& value) {
    Take(&value, 1, sizeof(value));
  }

  template <typename Container>
  void Array(Container& values) {
    const uint64_t count = Count(sizeof(*values.data()));
    values.resize(static_cast<decltype(values.size())>(count));
    Take(values.data(), count, sizeof(*values.data()));
  }

  void Arrays(std::vector<VectorF>& arrays) {
    arrays.resize(Count(sizeof(uint64_t)));
    for (VectorF& array : arrays) Array(array);
  }

  void Optional(std::optional<double>& value) {
    uint8_t has_value = 0;
    double number = 0.0;
    Number(has_value);
    Number(number);
    if (has_value != 0) value = number;
  }

  // Every byte was read, and none was missing.
  bool complete() const { return !failed_ && left_.empty(); }

 private:
  // A count of things that take at least `bytes` each.
  uint64_t Count(size_t bytes) {
    uint64_t count = 0;
    Number(count);
    if (count <= left_.size() / bytes) return count;
    failed_ = true;
    return 0;
  }

  void Take(void* to, uint64_t count, size_t bytes_each) {
    const size_t bytes = count * bytes_each;
    if (failed_ || bytes > left_.size()) {
      failed_ = true;
      return;
    }
    if (bytes > 0) std::memcpy(to, left_.data(), bytes);
    left_.remove_prefix(bytes);
  }

  absl::string_view left_;
  bool failed_ = false;
};

// The fields of format version 1. `c` is const for a Writer.
template <typename Stream, typename Fields>
void Transfer(Stream& stream, Fields& c) {
  stream.Number(c.iterations);
  stream.Number(c.cost_evaluations);
  stream.Number(c.seconds);
  stream.Number(c.initial_cost);
  stream.Array(c.kept.theta);
  stream.Number(c.kept.iteration);
  stream.Number(c.kept.cost);
  stream.Optional(c.kept.validation_cost);
  stream.Array(c.recent_costs);
  stream.Number(c.early_stopping.lowest);
  stream.Number(c.early_stopping.iterations_since);
  stream.Array(c.theta);
  stream.Array(c.state.theta);
  stream.Array(c.state.velocity);
  stream.Array(c.state.mean_square);
  stream.Number(c.state.steps);
  stream.Number(c.epoch.cost);
  stream.Number(c.epoch.squared_gradient_norm);
  stream.Number(c.epoch.rows);
  stream.Number(c.epoch.steps);
  stream.Arrays(c.last_epochs);
}

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("checkpoint: ", what));
}

absl::Status Foreign(absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat("checkpoint: ", what));
}

absl::Status CheckSize(absl::string_view what, int64_t size, int64_t expected) {
  if (size == expected) return absl::OkStatus();
  return Foreign(absl::StrCat(what, ": expected ", expected, " weights, got ", size));
}

absl::Status CheckFits(const Checkpoint& checkpoint, const TrainingConfig& config) {
  const int64_t weights = ParameterCount(config.topology);
  const bool mini_batches = OnMiniBatches(config.optimizer.kind);
  const bool adam = mini_batches && config.optimizer.kind != OptimizerKind::kSgd;
  const MiniBatchState& state = checkpoint.state;
  MLP_RETURN_IF_ERROR(CheckSize("kept weights", checkpoint.kept.theta.size(), weights));
  MLP_RETURN_IF_ERROR(
      CheckSize("full-batch weights", checkpoint.theta.size(), mini_batches ? 0 : weights));
  MLP_RETURN_IF_ERROR(
      CheckSize("mini-batch weights", state.theta.size(), mini_batches ? weights : 0));
  MLP_RETURN_IF_ERROR(CheckSize("velocity", state.velocity.size(), mini_batches ? weights : 0));
  MLP_RETURN_IF_ERROR(CheckSize("mean square", state.mean_square.size(), adam ? weights : 0));
  for (const VectorF& epoch : checkpoint.last_epochs) {
    MLP_RETURN_IF_ERROR(CheckSize("weights of an epoch", epoch.size(), weights));
  }
  return absl::OkStatus();
}

}  // namespace

std::string WriteCheckpoint(const Checkpoint& checkpoint, absl::string_view fingerprint) {
  Writer writer;
  writer.bytes().append(kSignature.data(), kSignature.size());
  writer.Number(kFormatVersion);
  writer.Array(fingerprint);
  Transfer(writer, checkpoint);
  writer.Number(Crc32c(writer.bytes()));
  return std::move(writer.bytes());
}

absl::StatusOr<Checkpoint> ReadCheckpoint(absl::string_view bytes, absl::string_view fingerprint,
                                          const TrainingConfig& config) {
  uint32_t crc = 0;
  if (bytes.size() < kSignature.size() + sizeof(kFormatVersion) + sizeof(crc) ||
      bytes.substr(0, kSignature.size()) != kSignature) {
    return Damaged("expected the signature of a checkpoint, got something else");
  }
  const absl::string_view content = bytes.substr(0, bytes.size() - sizeof(crc));
  std::memcpy(&crc, bytes.data() + content.size(), sizeof(crc));
  if (Crc32c(content) != crc) {
    return Damaged(absl::StrCat("expected CRC-32C ", absl::Hex(crc, absl::kZeroPad8), ", got ",
                                absl::Hex(Crc32c(content), absl::kZeroPad8)));
  }

  Reader reader(content.substr(kSignature.size()));
  uint32_t version = 0;
  reader.Number(version);
  if (version != kFormatVersion) {
    return Foreign(
        absl::StrCat("expected format version ", kFormatVersion, ", got version ", version));
  }
  std::string written_for;
  reader.Array(written_for);
  if (written_for != fingerprint) {
    return Foreign("expected one of this training, got that of another one");
  }
  Checkpoint checkpoint;
  Transfer(reader, checkpoint);
  if (!reader.complete()) return Damaged("expected the fields of a checkpoint, got others");
  MLP_RETURN_IF_ERROR(CheckFits(checkpoint, config));
  return checkpoint;
}

}  // namespace mlp
