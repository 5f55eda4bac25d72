// Bytes of a message that lie in several pieces, as the socket's buffers hold them: read where they
// are, copied once. Filled while a message is parsed, read by its ReadRows.
#pragma once

#include <cstdint>
#include <vector>

#include <absl/strings/string_view.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream.h>

namespace mlp {

// Points into memory that outlives its use. Keeps the memory of its list. Thread-compatible.
class SplitBytes {
 public:
  struct Piece {
    int64_t offset;  // of its first byte in the whole
    absl::string_view bytes;
  };

  int64_t size() const { return size_; }
  const std::vector<Piece>& pieces() const { return pieces_; }

  // After what is there. One piece with the last one where that ends where `bytes` begin.
  void Append(absl::string_view bytes);
  // Bytes [begin, begin + count) of `other`, which has them.
  void AppendRange(const SplitBytes& other, int64_t begin, int64_t count);
  // Takes the next `bytes` bytes out of `in`; false where there are fewer.
  bool Take(google::protobuf::io::CodedInputStream& in, int bytes);
  // Takes all that is in `in`.
  void TakeAll(google::protobuf::io::ZeroCopyInputStream& in);

  // Calls use(string_view) for bytes [begin, begin + count), which there are, piece by piece.
  template <typename Use>
  void ForEachPiece(int64_t begin, int64_t count, const Use& use) const;
  // Copies the same to `out`.
  void Copy(int64_t begin, int64_t count, char* out) const;

  // Forgets the bytes, and gives back a list that only large messages need.
  void Clear();

 private:
  // Which holds byte `position`.
  std::vector<Piece>::const_iterator Find(int64_t position) const;

  std::vector<Piece> pieces_;  // none is empty
  int64_t size_ = 0;
};

// Reads the pieces one after the other. `bytes` outlives it unchanged. Thread-compatible.
class SplitBytesStream final : public google::protobuf::io::ZeroCopyInputStream {
 public:
  explicit SplitBytesStream(const SplitBytes& bytes) : pieces_(bytes.pieces()) {}

  bool Next(const void** data, int* size) override;
  void BackUp(int count) override { left_ = static_cast<size_t>(count); }
  bool Skip(int count) override;
  int64_t ByteCount() const override;

 private:
  const std::vector<SplitBytes::Piece>& pieces_;
  size_t begun_ = 0;  // pieces that were given out
  size_t left_ = 0;   // bytes of the last one that were given back
};

template <typename Use>
void SplitBytes::ForEachPiece(int64_t begin, int64_t count, const Use& use) const {
  if (count == 0) return;
  for (auto piece = Find(begin); count > 0; ++piece) {
    const absl::string_view bytes =
        piece->bytes.substr(static_cast<size_t>(begin - piece->offset), static_cast<size_t>(count));
    use(bytes);
    begin += static_cast<int64_t>(bytes.size());
    count -= static_cast<int64_t>(bytes.size());
  }
}

}  // namespace mlp
