#include "client/readers/npy_reader.h"

#include <array>
#include <utility>

#include "client/readers/array_source.h"
#include "client/readers/npy_header.h"
#include "client/status_macros.h"

namespace mlp {
namespace {

absl::StatusOr<bool> IsNpy(const std::string& path) {
  MLP_ASSIGN_OR_RETURN(ByteStream stream, ByteStream::Open(path));
  std::array<char, 6> start;
  MLP_ASSIGN_OR_RETURN(const size_t got, stream.ReadSome(start.size(), start.data()));
  return absl::string_view(start.data(), got) == kNpyMagic;
}

absl::StatusOr<ClassLabels> ReadLabels(const NpyOptions& options, int64_t rows) {
  MLP_ASSIGN_OR_RETURN(const bool npy, IsNpy(options.labels));
  if (npy) {
    MLP_ASSIGN_OR_RETURN(ByteStream stream, ByteStream::Open(options.labels));
    MLP_ASSIGN_OR_RETURN(const ArrayHeader header, ReadNpyHeader(stream));
    return ReadLabelArray(header, stream, rows, options.features, options.classes);
  }
  MLP_ASSIGN_OR_RETURN(ClassLabels labels, ReadLabelLines(options.labels, options.classes));
  MLP_RETURN_IF_ERROR(CheckLabelCount(options.labels, static_cast<int64_t>(labels.labels.size()),
                                      options.features, rows, "rows"));
  return labels;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ExampleSource>> OpenNpy(const NpyOptions& options) {
  MLP_ASSIGN_OR_RETURN(ByteStream features, ByteStream::Open(options.features));
  MLP_ASSIGN_OR_RETURN(const ArrayHeader header, ReadNpyHeader(features));
  MLP_RETURN_IF_ERROR(CheckExampleArray(header, features));
  MLP_ASSIGN_OR_RETURN(ClassLabels labels, ReadLabels(options, header.shape[0]));
  return MakeArraySource(header, std::move(features), std::move(labels));
}

}  // namespace mlp
