// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

#include <absl/time/time.h>

namespace mlp {

// 1234567 is "1,234,567".
std::string FormatCount(int64_t count);

// "812 B", "1.9 MiB".
std::string FormatBytes(int64_t bytes);

// Six significant digits: "0.412345", "1.2e-08".
std::string FormatValue(double value);

// 0.9231 is "92.31 %".
std::string FormatPercent(double share);

// "0.42 s", "12.3 s", "2:07", "1:02:07".
std::string FormatSeconds(double seconds);

// Three digits: "62 ns", "847 us", "1.24 ms", "12.4 s"; for latencies.
std::string FormatNanoseconds(double ns);

// UTC: "2024-03-01 12:00:00".
std::string FormatUtc(absl::Time time);

}  // namespace mlp
