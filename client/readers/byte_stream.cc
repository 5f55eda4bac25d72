#include "client/readers/byte_stream.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <absl/strings/str_cat.h>
#include <zlib.h>

#include "client/status_macros.h"

namespace mlp {
namespace {

constexpr unsigned kBufferBytes = 1u << 18;
constexpr size_t kMaxRead = size_t{1} << 26;  // gzread counts in int

}  // namespace

void ByteStream::Closer::operator()(gzFile_s* file) const { gzclose_r(file); }

absl::StatusOr<ByteStream> ByteStream::Open(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": expected a file, got a folder"));
  }
  errno = 0;
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) {
    return absl::ErrnoToStatus(errno == 0 ? ENOMEM : errno, absl::StrCat("cannot open ", path));
  }
  ByteStream stream(path, file);
  gzbuffer(file, kBufferBytes);
  const bool plain = gzdirect(file) == 1;
  if (plain && std::filesystem::is_regular_file(path, error)) {
    stream.size_ = static_cast<int64_t>(std::filesystem::file_size(path, error));
    if (error) stream.size_.reset();
  }
  return stream;
}

absl::StatusOr<size_t> ByteStream::ReadSome(size_t bytes, char* out) {
  const auto wanted = static_cast<unsigned>(std::min(bytes, kMaxRead));
  const int got = gzread(file_.get(), out, wanted);
  int code = Z_OK;
  const char* message = gzerror(file_.get(), &code);
  if (code == Z_BUF_ERROR && got <= 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(path_, ": the gzip data is cut off after ", position_, " unzipped bytes"));
  }
  if (code == Z_ERRNO) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path_));
  }
  if (code != Z_OK && code != Z_BUF_ERROR) {
    // zlib repeats the path before its reason.
    const char* colon = std::strrchr(message, ':');
    return absl::InvalidArgumentError(absl::StrCat(path_, ": the gzip data is damaged after ",
                                                   position_, " unzipped bytes (",
                                                   colon ? colon + 2 : message, ")"));
  }
  position_ += std::max(got, 0);
  return static_cast<size_t>(std::max(got, 0));
}

absl::Status ByteStream::SizeError(absl::string_view got) const {
  return absl::InvalidArgumentError(
      absl::StrCat(path_, ": expected ", *expected_size_, " bytes as its header says, got ", got));
}

absl::Status ByteStream::ReadExactly(size_t bytes, char* out) {
  size_t done = 0;
  while (done < bytes) {
    MLP_ASSIGN_OR_RETURN(const size_t got, ReadSome(bytes - done, out + done));
    if (got == 0) {
      if (expected_size_) return SizeError(absl::StrCat(position_));
      const int64_t expected = position_ + static_cast<int64_t>(bytes - done);
      return absl::InvalidArgumentError(
          absl::StrCat(path_, ": expected at least ", expected, " bytes, got ", position_));
    }
    done += got;
  }
  return absl::OkStatus();
}

absl::Status ByteStream::ExpectEnd() {
  char byte = 0;
  MLP_ASSIGN_OR_RETURN(const size_t got, ReadSome(1, &byte));
  if (got == 0) return absl::OkStatus();
  if (expected_size_) return SizeError("more");
  return absl::InvalidArgumentError(
      absl::StrCat(path_, ": expected ", position_ - 1, " bytes, got more"));
}

absl::Status ByteStream::ExpectSize(int64_t bytes) {
  expected_size_ = bytes;
  if (size_ && *size_ != bytes) return SizeError(absl::StrCat(*size_));
  return absl::OkStatus();
}

absl::Status ByteStream::SeekTo(int64_t offset) {
  if (gzseek(file_.get(), static_cast<z_off_t>(offset), SEEK_SET) != offset) {
    return absl::InvalidArgumentError(absl::StrCat(path_, ": cannot go back to byte ", offset));
  }
  position_ = offset;
  return absl::OkStatus();
}

}  // namespace mlp
