// A file read from front to back, gunzipped on the way where it is gzip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <absl/status/statusor.h>

struct gzFile_s;

namespace mlp {

// Every error names the file. Nothing is read ahead of what is asked for but a fixed buffer, so a
// small gzip file that expands to terabytes costs no memory. Thread-compatible.
class ByteStream {
 public:
  // NOT_FOUND, PERMISSION_DENIED or INVALID_ARGUMENT (a folder) where it cannot be read.
  static absl::StatusOr<ByteStream> Open(const std::string& path);

  const std::string& path() const { return path_; }

  // Bytes of the file; nothing where that cannot be known before the end: gzip, pipes.
  std::optional<int64_t> size() const { return size_; }

  // Up to `bytes` bytes; 0 at the end. INVALID_ARGUMENT where the gzip data is damaged or cut off.
  absl::StatusOr<size_t> ReadSome(size_t bytes, char* out);

  // Exactly `bytes` bytes. INVALID_ARGUMENT as ReadSome, and where the file is too short: then the
  // message gives expect_size, if set, against the bytes there were.
  absl::Status ReadExactly(size_t bytes, char* out);

  // INVALID_ARGUMENT where bytes follow, or where the checksum of the gzip data is wrong.
  absl::Status ExpectEnd();

  // What the file's own header says its size should be, (unzipped) bytes: checked at once where
  // size() is known, otherwise as the bytes come. INVALID_ARGUMENT with both numbers.
  absl::Status ExpectSize(int64_t bytes);

  // Continues at the given (unzipped) byte.
  absl::Status SeekTo(int64_t offset);

 private:
  struct Closer {
    void operator()(gzFile_s* file) const;
  };

  ByteStream(std::string path, gzFile_s* file) : path_(std::move(path)), file_(file) {}

  absl::Status SizeError(absl::string_view got) const;

  std::string path_;
  std::unique_ptr<gzFile_s, Closer> file_;
  std::optional<int64_t> size_;
  std::optional<int64_t> expected_size_;
  int64_t position_ = 0;
};

}  // namespace mlp
