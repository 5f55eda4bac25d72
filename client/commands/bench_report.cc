#include "client/commands/bench_report.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>
#include <nlohmann/json.hpp>

#include "client/load/latency_bins.h"
#include "client/terminal/bar.h"
#include "client/terminal/numbers.h"
#include "client/terminal/table.h"

namespace mlp {
namespace {

constexpr size_t kWordColumns = 12;
constexpr int kMaxBins = 20;
constexpr int kColumns = 80;
constexpr double kMostMissing = 0.05;

void AddLine(std::string& text, absl::string_view word, absl::string_view value) {
  absl::StrAppend(&text, PadRight(word, kWordColumns), value, "\n");
}

std::string Plural(int64_t count, absl::string_view word) {
  return absl::StrCat(FormatCount(count), " ", word, count == 1 ? "" : "s");
}

double PerSecond(int64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

void AddLoad(std::string& text, const BenchReport& report) {
  const LoadOptions& options = report.options;
  const std::string bound = absl::StrCat(Plural(options.concurrency, "call"), " outstanding, ",
                                         Plural(options.connections, "connection"));
  if (!options.open_loop) {
    AddLine(text, "load", absl::StrCat("closed loop, ", bound));
    return;
  }
  AddLine(text, "load",
          absl::StrCat("open loop, ", FormatValue(options.rate), " requests/s (",
                       options.arrivals == Arrivals::kPoisson ? "poisson" : "constant", ")"));
  AddLine(text, "", absl::StrCat("at most ", bound));
}

std::string ErrorsText(const BenchReport& report) {
  const LoadRecord& record = report.result.record;
  if (report.failed() == 0) return "none";
  std::vector<std::string> parts;
  for (const auto& [code, count] : record.errors) {
    parts.push_back(absl::StrCat(absl::StatusCodeToString(code), " ", FormatCount(count)));
  }
  if (!report.result.interrupted && record.unanswered > 0) {
    parts.push_back(absl::StrCat("not answered ", FormatCount(record.unanswered)));
  }
  return absl::StrCat(FormatCount(report.failed()), ": ", absl::StrJoin(parts, ", "));
}

void AddTimeliness(std::string& text, const BenchReport& report) {
  const LoadRecord& record = report.result.record;
  if (report.not_in_time() == 0) {
    AddLine(text, "not in time", "none");
    return;
  }
  std::vector<std::string> parts;
  if (record.late + record.tardy > 0) {
    parts.push_back(absl::StrCat("sent late ", FormatCount(record.late + record.tardy)));
  }
  if (record.unsent > 0) parts.push_back(absl::StrCat("not sent ", FormatCount(record.unsent)));
  AddLine(text, "not in time",
          absl::StrCat(FormatCount(report.not_in_time()), " of ", FormatCount(record.due()), ": ",
                       absl::StrJoin(parts, ", ")));
  if (report.kept_up()) return;
  const double answered = PerSecond(record.completed, report.result.seconds);
  AddLine(
      text, "overload",
      absl::StrCat(FormatCount(std::llround(answered)), " of ",
                   FormatCount(std::llround(report.options.rate)), " requests/s were answered"));
  AddLine(text, "",
          report.held_up_by_server()
              ? "the server could not keep up: latencies grow with the measured time"
              : "this side could not send them in time: try more --connections");
}

std::string HistogramText(const LatencyHistogram& latency, const TerminalStyle& style) {
  const auto bins = LogBins(latency, kMaxBins);
  int64_t most = 0;
  for (const auto& bin : bins) most = std::max(most, bin.count);
  const size_t end = 7;  // "100 us"
  const size_t counts = std::max<size_t>(8, FormatCount(most).size());
  const size_t bar = static_cast<size_t>(kColumns) - 1 - (end + 4 + end + 2) - (2 + counts) - 10;
  std::string text = absl::StrCat(PadRight("latency", end + 4 + end + 2 + bar + 2),
                                  PadLeft("requests", counts), PadLeft("so far", 10), "\n");
  int64_t so_far = 0;
  for (const auto& bin : bins) {
    so_far += bin.count;
    std::string drawn = RenderBar(static_cast<double>(bin.count) / static_cast<double>(most),
                                  static_cast<int>(bar), style);
    if (drawn.empty() && bin.count > 0) drawn = style.utf8 ? "▏" : ".";
    // Only all of them are 100 %.
    const double share = static_cast<double>(so_far) / static_cast<double>(latency.count());
    absl::StrAppend(
        &text, PadLeft(FormatNanoseconds(static_cast<double>(bin.from_ns)), end), " to ",
        PadLeft(FormatNanoseconds(static_cast<double>(bin.to_ns)), end), "  ", PadRight(drawn, bar),
        "  ", PadLeft(FormatCount(bin.count), counts),
        PadLeft(FormatPercent(so_far < latency.count() ? std::min(share, 0.9999) : 1), 10), "\n");
  }
  return text;
}

std::string QuantilesText(const LatencyHistogram& latency) {
  using Align = Table::Align;
  Table table({{"mean", Align::kRight},
               {"p50", Align::kRight},
               {"p90", Align::kRight},
               {"p99", Align::kRight},
               {"p99.9", Align::kRight},
               {"max", Align::kRight}});
  std::vector<std::string> cells = {PadLeft(FormatNanoseconds(latency.mean_ns()), 9)};
  for (const double q : {0.5, 0.9, 0.99, 0.999, 1.0}) {
    cells.push_back(PadLeft(FormatNanoseconds(static_cast<double>(latency.QuantileNs(q))), 9));
  }
  table.AddRow(cells);
  return table.Render();
}

}  // namespace

int64_t BenchReport::failed() const {
  int64_t failed = result.interrupted ? 0 : result.record.unanswered;
  for (const auto& [code, count] : result.record.errors) failed += count;
  return failed;
}

int64_t BenchReport::not_in_time() const {
  const LoadRecord& record = result.record;
  return record.late + record.tardy + record.unsent;
}

bool BenchReport::kept_up() const {
  const double late = static_cast<double>(not_in_time());
  return late <= kMostMissing * static_cast<double>(result.record.due()) ||
         PerSecond(result.record.completed, result.seconds) >= (1 - kMostMissing) * options.rate;
}

bool BenchReport::held_up_by_server() const { return result.record.late >= result.record.tardy; }

std::string BenchText(const BenchReport& report, const TerminalStyle& style) {
  const LoadRecord& record = report.result.record;
  const LatencyHistogram& latency = record.latency;
  const double seconds = report.result.seconds;
  std::string text;
  AddLine(text, "model",
          absl::StrCat(report.model, ", ", Plural(report.rows, "row"), " of ",
                       report.pixels ? "bytes" : "floats", " a call, ",
                       report.options.stream ? "StreamPredict" : "Predict"));
  AddLoad(text, report);
  const double rate = PerSecond(record.completed, seconds);
  AddLine(text, "throughput",
          absl::StrCat(FormatCount(std::llround(rate)), " requests/s, ",
                       FormatCount(std::llround(rate * report.rows)), " rows/s, ",
                       absl::StrFormat("%.1f MB/s out, %.1f MB/s in",
                                       1e-6 * PerSecond(record.sent_bytes, seconds),
                                       1e-6 * PerSecond(record.received_bytes, seconds))));
  AddLine(text, "answered",
          absl::StrCat(Plural(latency.count(), "request"), " in ", FormatSeconds(seconds),
                       report.result.interrupted ? ", then interrupted" : ""));
  AddLine(text, "errors", ErrorsText(report));
  if (record.lost != absl::StatusCode::kOk) {
    AddLine(text, "",
            absl::StrCat("the load ended early: the connection was lost (",
                         absl::StatusCodeToString(record.lost), ")"));
  }
  if (report.options.open_loop) AddTimeliness(text, report);
  if (latency.count() == 0) return text;
  absl::StrAppend(&text, "\n", QuantilesText(latency), "\n", HistogramText(latency, style));
  return text;
}

nlohmann::ordered_json BenchJson(const BenchReport& report) {
  const LoadOptions& options = report.options;
  const LoadRecord& record = report.result.record;
  const LatencyHistogram& latency = record.latency;
  const double seconds = report.result.seconds;
  const auto us = [](auto ns) { return static_cast<double>(ns) / 1000; };
  nlohmann::ordered_json json;
  json["model"] = report.model;
  json["api"] = options.stream ? "stream" : "unary";
  json["mode"] = options.open_loop ? "open" : "closed";
  json["rows"] = report.rows;
  json["pixels"] = report.pixels;
  json["connections"] = options.connections;
  json["concurrency"] = options.concurrency;
  if (options.open_loop) {
    json["rate"] = options.rate;
    json["arrivals"] = options.arrivals == Arrivals::kPoisson ? "poisson" : "constant";
  }
  json["seed"] = options.seed;
  json["seconds"] = seconds;
  json["interrupted"] = report.result.interrupted;
  json["lost"] = record.lost == absl::StatusCode::kOk ? "" : absl::StatusCodeToString(record.lost);
  json["answered"] = latency.count();
  json["failed"] = report.failed();
  auto& errors = json["errors"] = nlohmann::ordered_json::object();
  for (const auto& [code, count] : record.errors) errors[absl::StatusCodeToString(code)] = count;
  json["unanswered"] = record.unanswered;
  json["sent_late"] = record.late + record.tardy;
  json["not_sent"] = record.unsent;
  if (options.open_loop) {
    json["kept_up"] = report.kept_up();
    json["held_up_by"] = report.kept_up() ? "" : report.held_up_by_server() ? "server" : "client";
    json["offered_requests_per_second"] = options.rate;
  }
  json["requests_per_second"] = PerSecond(record.completed, seconds);
  json["rows_per_second"] = PerSecond(record.completed * report.rows, seconds);
  json["sent_bytes_per_second"] = PerSecond(record.sent_bytes, seconds);
  json["received_bytes_per_second"] = PerSecond(record.received_bytes, seconds);
  json["latency_us"] = {
      {"mean", us(latency.mean_ns())},       {"min", us(latency.min_ns())},
      {"p50", us(latency.QuantileNs(0.5))},  {"p90", us(latency.QuantileNs(0.9))},
      {"p99", us(latency.QuantileNs(0.99))}, {"p99.9", us(latency.QuantileNs(0.999))},
      {"max", us(latency.max_ns())}};
  auto& histogram = json["histogram"] = nlohmann::ordered_json::array();
  for (const auto& bucket : latency.buckets()) {
    histogram.push_back(
        {{"from_us", us(bucket.from_ns)}, {"to_us", us(bucket.to_ns)}, {"count", bucket.count}});
  }
  return json;
}

std::string BenchProgress(const LoadProgress& progress, const LoadOptions& options,
                          const TerminalStyle& style) {
  const absl::Duration span = progress.warming_up ? options.warmup : options.duration;
  const bool timed = span != absl::InfiniteDuration();
  const double total = timed ? absl::ToDoubleSeconds(span) : 0;
  double share = timed ? progress.elapsed_seconds / total : 0;
  if (!progress.warming_up && options.max_calls > 0) {
    share = std::max(
        share, static_cast<double>(progress.answered) / static_cast<double>(options.max_calls));
  }
  std::string tail = timed ? absl::StrFormat("%.1f/%.1f s", progress.elapsed_seconds, total)
                           : absl::StrFormat("%.1f s", progress.elapsed_seconds);
  if (!progress.warming_up) {
    absl::StrAppend(
        &tail, "  ", FormatCount(progress.answered), " requests  ",
        FormatCount(std::llround(PerSecond(progress.answered, progress.elapsed_seconds))), "/s");
  }
  const absl::string_view name = progress.warming_up ? "warming up" : "measuring";
  const int bar = std::min(24, style.width - 1 - static_cast<int>(name.size() + tail.size()) - 6);
  if (bar < 6) return tail.substr(0, static_cast<size_t>(std::max(0, style.width - 1)));
  return absl::StrCat(name, "  [", PadRight(RenderBar(share, bar, style), static_cast<size_t>(bar)),
                      "]  ", tail);
}

}  // namespace mlp
