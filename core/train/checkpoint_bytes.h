// How checkpoints become bytes and come out again: a signature, a format version, a fingerprint,
// fields, and the CRC-32C of it all, little-endian. A vector or text stands behind its length.
//
// Writer and Reader have the same calls, so that one function states a format for both.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include "core/base/matrix.h"

namespace mlp {

struct CheckpointFormat {
  absl::string_view signature;
  uint32_t version = 1;
};

class CheckpointWriter {
 public:
  CheckpointWriter(const CheckpointFormat& format, absl::string_view fingerprint);

  template <typename T>
  void Number(const T& value) {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }

  template <typename Container>
  void Array(const Container& values) {
    Number(static_cast<uint64_t>(values.size()));
    bytes_.append(reinterpret_cast<const char*>(values.data()),
                  static_cast<size_t>(values.size()) * sizeof(*values.data()));
  }

  void Arrays(const std::vector<VectorF>& arrays) {
    List(arrays, [this](const VectorF& array) { Array(array); });
  }

  void Optional(const std::optional<double>& value) {
    Number(static_cast<uint8_t>(value.has_value()));
    Number(value.value_or(0.0));
  }

  // `transfer` writes one item, which takes 8 bytes at least.
  template <typename T, typename Transfer>
  void List(const std::vector<T>& items, const Transfer& transfer) {
    Number(static_cast<uint64_t>(items.size()));
    for (const T& item : items) transfer(item);
  }

  // `transfer` writes the value, where there is one.
  template <typename T, typename Transfer>
  void Maybe(const std::optional<T>& value, const Transfer& transfer) {
    Number(static_cast<uint8_t>(value.has_value()));
    if (value) transfer(*value);
  }

  // Adds the checksum.
  std::string Finish() &&;

 private:
  std::string bytes_;
};

// Reads zeros once there are not enough bytes left: see complete(). Never allocates more than a
// small multiple of the bytes.
class CheckpointReader {
 public:
  // Reads up to the fields. `bytes` outlive the reader. DATA_LOSS where they are not what was
  // written; FAILED_PRECONDITION where they are of another format version or fingerprint.
  static absl::StatusOr<CheckpointReader> Open(absl::string_view bytes,
                                               const CheckpointFormat& format,
                                               absl::string_view fingerprint);

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
    List(arrays, [this](VectorF& array) { Array(array); });
  }

  void Optional(std::optional<double>& value) {
    uint8_t has_value = 0;
    double number = 0.0;
    Number(has_value);
    Number(number);
    if (has_value != 0) value = number;
  }

  template <typename T, typename Transfer>
  void List(std::vector<T>& items, const Transfer& transfer) {
    items.resize(Count(sizeof(uint64_t)));
    for (T& item : items) transfer(item);
  }

  template <typename T, typename Transfer>
  void Maybe(std::optional<T>& value, const Transfer& transfer) {
    uint8_t has_value = 0;
    Number(has_value);
    if (has_value != 0) transfer(value.emplace());
  }

  // Every byte was read, and none was missing.
  bool complete() const { return !failed_ && left_.empty(); }

 private:
  explicit CheckpointReader(absl::string_view bytes) : left_(bytes) {}

  // A count of things that take at least `bytes` each.
  uint64_t Count(size_t bytes);
  void Take(void* to, uint64_t count, size_t bytes_each);

  absl::string_view left_;
  bool failed_ = false;
};

// The errors of a checkpoint that cannot be used.
absl::Status DamagedCheckpoint(absl::string_view what);  // DATA_LOSS
absl::Status ForeignCheckpoint(absl::string_view what);  // FAILED_PRECONDITION

}  // namespace mlp
