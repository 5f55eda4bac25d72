#include "server/inference/split_bytes.h"

#include <algorithm>
#include <cstring>

namespace mlp {
namespace {

constexpr size_t kKeptPieces = 64;

}  // namespace

void SplitBytes::Append(absl::string_view bytes) {
  if (bytes.empty()) return;
  if (!pieces_.empty() && pieces_.back().bytes.end() == bytes.begin()) {
    absl::string_view& last = pieces_.back().bytes;
    last = absl::string_view(last.data(), last.size() + bytes.size());
  } else {
    pieces_.push_back({size_, bytes});
  }
  size_ += static_cast<int64_t>(bytes.size());
}

void SplitBytes::AppendRange(const SplitBytes& other, int64_t begin, int64_t count) {
  other.ForEachPiece(begin, count, [this](absl::string_view bytes) { Append(bytes); });
}

bool SplitBytes::Take(google::protobuf::io::CodedInputStream& in, int bytes) {
  while (bytes > 0) {
    const void* data = nullptr;
    int size = 0;
    if (!in.GetDirectBufferPointer(&data, &size)) return false;
    const int taken = std::min(bytes, size);
    Append(absl::string_view(static_cast<const char*>(data), static_cast<size_t>(taken)));
    bytes -= taken;
    in.Skip(taken);
  }
  return true;
}

void SplitBytes::TakeAll(google::protobuf::io::ZeroCopyInputStream& in) {
  const void* data = nullptr;
  int size = 0;
  while (in.Next(&data, &size)) {
    Append(absl::string_view(static_cast<const char*>(data), static_cast<size_t>(size)));
  }
}

std::vector<SplitBytes::Piece>::const_iterator SplitBytes::Find(int64_t position) const {
  const auto after =
      std::upper_bound(pieces_.begin(), pieces_.end(), position,
                       [](int64_t at, const Piece& piece) { return at < piece.offset; });
  return after - 1;
}

void SplitBytes::Copy(int64_t begin, int64_t count, char* out) const {
  ForEachPiece(begin, count, [&out](absl::string_view bytes) {
    std::memcpy(out, bytes.data(), bytes.size());
    out += bytes.size();
  });
}

void SplitBytes::Clear() {
  pieces_.clear();
  if (pieces_.capacity() > kKeptPieces) pieces_.shrink_to_fit();
  size_ = 0;
}

// --- SplitBytesStream ---

bool SplitBytesStream::Next(const void** data, int* size) {
  if (left_ == 0) {
    if (begun_ == pieces_.size()) return false;
    left_ = pieces_[begun_++].bytes.size();
  }
  const absl::string_view piece = pieces_[begun_ - 1].bytes;
  *data = piece.end() - left_;
  *size = static_cast<int>(left_);
  left_ = 0;
  return true;
}

bool SplitBytesStream::Skip(int count) {
  const void* data = nullptr;
  int size = 0;
  while (count > 0 && Next(&data, &size)) {
    if (size > count) BackUp(size - count);
    count -= size;
  }
  return count <= 0;
}

int64_t SplitBytesStream::ByteCount() const {
  if (begun_ == 0) return 0;
  const SplitBytes::Piece& last = pieces_[begun_ - 1];
  return last.offset + static_cast<int64_t>(last.bytes.size() - left_);
}

}  // namespace mlp
