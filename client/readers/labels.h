// From what files call the right answer (numbers, words) to class names and class indices.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/types/span.h>

namespace mlp {

// As many as a dataset may have.
inline constexpr size_t kMaxClasses = 10'000;

// class_names[labels[i]] is the class of row i.
struct ClassLabels {
  std::vector<std::string> class_names;
  std::vector<int32_t> labels;
};

// "0..9" is the ten names 0 to 9; otherwise names separated by commas. INVALID_ARGUMENT: fewer than
// 2 or more than kMaxClasses names, an empty one, one twice.
absl::StatusOr<std::vector<std::string>> ParseClasses(absl::string_view text);

// Labels as words, one at a time. The classes are `classes` where any are given; otherwise the
// distinct words, sorted as numbers where all are integers and by bytes where not.
// Thread-compatible.
class WordLabels {
 public:
  explicit WordLabels(std::vector<std::string> classes);

  // INVALID_ARGUMENT: an empty word, one that is not among the given classes, too many distinct
  // ones.
  absl::Status Add(absl::string_view word);
  size_t size() const { return labels_.size(); }
  ClassLabels Finish() &&;

 private:
  const bool fixed_;
  std::vector<std::string> names_;
  absl::flat_hash_map<std::string, int32_t> index_;
  std::vector<int32_t> labels_;
};

// Labels as integers: k is the class classes[k] where classes are given (INVALID_ARGUMENT where it
// is outside); otherwise the classes are the distinct values in rising order. `file` names the
// source.
absl::StatusOr<ClassLabels> LabelsFromIntegers(absl::string_view file,
                                               absl::Span<const int64_t> values,
                                               const std::vector<std::string>& classes);

// A text file with one label a line; spaces around it and empty lines at the end do not count.
absl::StatusOr<ClassLabels> ReadLabelLines(const std::string& path,
                                           const std::vector<std::string>& classes);

// INVALID_ARGUMENT with both numbers where a file does not have one label a row.
absl::Status CheckLabelCount(absl::string_view labels_file, int64_t labels, absl::string_view file,
                             int64_t rows, absl::string_view rows_word);

}  // namespace mlp
