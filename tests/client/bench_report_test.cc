#include "client/commands/bench_report.h"

#include <cmath>

#include <absl/strings/str_split.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "client/commands/bench_flags.h"
#include "client/commands/error_line.h"
#include "client/terminal/table.h"

namespace mlp {
namespace {

using testing::HasSubstr;

constexpr TerminalStyle kPipe = {};
constexpr TerminalStyle kUtf8 = {.terminal = true, .utf8 = true, .width = 80};

BenchFlags Flags() {
  BenchFlags flags;
  flags.model = "digits";
  return flags;
}

std::string Error(void (*spoil)(BenchFlags&)) {
  BenchFlags flags = Flags();
  spoil(flags);
  const auto options = MakeLoadOptions(flags);
  EXPECT_TRUE(IsUsageError(options.status())) << options.status();
  return std::string(options.status().message());
}

TEST(BenchFlags, DefaultsAreAClosedLoopOfTenSeconds) {
  const auto options = MakeLoadOptions(Flags());
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_FALSE(options->open_loop);
  EXPECT_FALSE(options->stream);
  EXPECT_EQ(options->concurrency, 16);
  EXPECT_EQ(options->connections, 1);
  EXPECT_EQ(options->warmup, absl::Seconds(1));
  EXPECT_EQ(options->duration, absl::Seconds(10));
  EXPECT_EQ(options->max_calls, 0);
  EXPECT_EQ(options->deadline, absl::InfiniteDuration());
}

TEST(BenchFlags, EveryFlagReachesTheLoad) {
  BenchFlags flags = Flags();
  flags.mode = "open";
  flags.api = "stream";
  flags.arrivals = "constant";
  flags.rate = 5000;
  flags.connections = 3;
  flags.duration = 2.5;
  flags.warmup = 0;
  flags.requests = 77;
  flags.deadline_ms = 20;
  flags.seed = 9;
  auto options = MakeLoadOptions(flags);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_TRUE(options->open_loop);
  EXPECT_TRUE(options->stream);
  EXPECT_EQ(options->arrivals, Arrivals::kConstant);
  EXPECT_EQ(options->rate, 5000);
  EXPECT_EQ(options->concurrency, 256);
  EXPECT_EQ(options->connections, 3);
  EXPECT_EQ(options->duration, absl::Seconds(2.5));
  EXPECT_EQ(options->warmup, absl::ZeroDuration());
  EXPECT_EQ(options->max_calls, 77);
  EXPECT_EQ(options->deadline, absl::Milliseconds(20));
  EXPECT_EQ(options->seed, 9u);
  flags.duration.reset();
  flags.concurrency = 3;
  options = MakeLoadOptions(flags);
  EXPECT_EQ(options->duration, absl::InfiniteDuration());
  EXPECT_EQ(options->concurrency, 3);
}

TEST(BenchFlags, WrongOnesAreNamed) {
  EXPECT_EQ(Error([](BenchFlags& f) { f.mode = "ajar"; }),
            "--mode: expected closed or open, got \"ajar\"");
  EXPECT_THAT(Error([](BenchFlags& f) { f.api = "rest"; }), HasSubstr("--api"));
  EXPECT_THAT(Error([](BenchFlags& f) { f.arrivals = "late"; }), HasSubstr("--arrivals"));
  EXPECT_THAT(Error([](BenchFlags& f) { f.mode = "open"; }), HasSubstr("needs --rate"));
  EXPECT_THAT(Error([](BenchFlags& f) { f.rate = 5; }), HasSubstr("needs --mode open"));
  EXPECT_THAT(Error([](BenchFlags& f) { f.rate = -5; }), HasSubstr("--rate"));
  EXPECT_THAT(Error([](BenchFlags& f) { f.rate = std::nan(""); }), HasSubstr("--rate"));
  EXPECT_EQ(Error([](BenchFlags& f) { f.rows = 0; }), "--rows: expected 1 to 65536, got 0");
  EXPECT_THAT(Error([](BenchFlags& f) { f.rows = 65'537; }), HasSubstr("--rows"));
  EXPECT_EQ(Error([](BenchFlags& f) { f.duration = 0; }),
            "--duration: expected 0.001 to 86400, got 0");
  EXPECT_EQ(Error([](BenchFlags& f) { f.concurrency = 0; }),
            "--concurrency: expected 1 to 65536, got 0");
  EXPECT_THAT(Error([](BenchFlags& f) { f.requests = 0; }), HasSubstr("--requests"));
  EXPECT_THAT(Error([](BenchFlags& f) { f.warmup = 1e9; }), HasSubstr("--warmup"));
  EXPECT_THAT(Error([](BenchFlags& f) { f.requests = -1; }), HasSubstr("--requests"));
  EXPECT_THAT(Error([](BenchFlags& f) { f.deadline_ms = -1; }), HasSubstr("--deadline-ms"));
  EXPECT_THAT(Error([](BenchFlags& f) { f.concurrency = -1; }), HasSubstr("--concurrency"));
  EXPECT_THAT(Error([](BenchFlags& f) { f.connections = 0; }), HasSubstr("--connections"));
  EXPECT_EQ(Error([](BenchFlags& f) { f.connections = 17; }),
            "--connections: expected at most --concurrency, 16, got 17");
}

// 97 calls of 100 us, two of 200 us, one of 900 us.
LoadResult Result() {
  LoadResult result;
  for (int i = 0; i < 97; ++i) result.record.latency.Record(100'000);
  for (int i = 0; i < 2; ++i) result.record.latency.Record(200'000);
  result.record.latency.Record(900'000);
  result.record.completed = 100;
  result.record.sent_bytes = 1'600'000;
  result.record.received_bytes = 60'000;
  result.seconds = 0.5;
  return result;
}

TEST(BenchReport, ReadsWell) {
  LoadOptions options;
  const LoadResult result = Result();
  const BenchReport report = {
      .model = "digits@1", .rows = 8, .pixels = true, .options = options, .result = result};
  EXPECT_EQ(BenchText(report, kPipe), R"(model       digits@1, 8 rows of bytes a call, Predict
load        closed loop, 16 calls outstanding, 1 connection
throughput  200 requests/s, 1,600 rows/s, 3.2 MB/s out, 0.1 MB/s in
answered    100 requests in 0.50 s
errors      none

     mean        p50        p90        p99      p99.9        max
   110 us     100 us     100 us     200 us     900 us     900 us

latency                                                      requests    so far
 100 us to  120 us  #######################################        97   97.00 %
 120 us to  150 us                                                  0   97.00 %
 150 us to  180 us                                                  0   97.00 %
 180 us to  220 us  #                                               2   99.00 %
 220 us to  270 us                                                  0   99.00 %
 270 us to  330 us                                                  0   99.00 %
 330 us to  390 us                                                  0   99.00 %
 390 us to  470 us                                                  0   99.00 %
 470 us to  560 us                                                  0   99.00 %
 560 us to  680 us                                                  0   99.00 %
 680 us to  820 us                                                  0   99.00 %
 820 us to 1.00 ms  .                                               1  100.00 %
)");
}

TEST(BenchReport, SaysWhatFailedAndWhatWasLate) {
  LoadOptions options;
  options.open_loop = true;
  options.rate = 5000;
  options.concurrency = 64;
  options.connections = 2;
  LoadResult result = Result();
  result.record.errors = {{absl::StatusCode::kDeadlineExceeded, 1'200},
                          {absl::StatusCode::kResourceExhausted, 4}};
  result.record.late = 12;
  result.record.unsent = 3;
  result.record.unanswered = 2;
  const BenchReport report = {.model = "digits@1", .options = options, .result = result};
  const std::string text = BenchText(report, kPipe);
  EXPECT_THAT(text, HasSubstr("load        open loop, 5000 requests/s (poisson)\n"
                              "            at most 64 calls outstanding, 2 connections\n"));
  EXPECT_THAT(text, HasSubstr("errors      1,206: DEADLINE_EXCEEDED 1,200, RESOURCE_EXHAUSTED 4, "
                              "not answered 2\n"));
  EXPECT_THAT(text, HasSubstr("not in time 15 of 1,309: sent late 12, not sent 3\n"));
  EXPECT_TRUE(report.kept_up());
  EXPECT_EQ(report.failed(), 1'206);
}

TEST(BenchReport, SaysThatTheRateWasTooHighAndForWhom) {
  LoadOptions options;
  options.open_loop = true;
  options.rate = 60'000;
  LoadResult result = Result();
  result.record.late = 90;
  result.record.tardy = 4;
  result.record.unsent = 29'900;
  const BenchReport report = {.model = "digits@1", .options = options, .result = result};
  EXPECT_THAT(BenchText(report, kPipe),
              HasSubstr("throughput  200 requests/s, 200 rows/s, 3.2 MB/s out, 0.1 MB/s in\n"
                        "answered    100 requests in 0.50 s\n"
                        "errors      none\n"
                        "not in time 29,994 of 30,000: sent late 94, not sent 29,900\n"
                        "overload    200 of 60,000 requests/s were answered\n"
                        "            the server could not keep up: latencies grow with the "
                        "measured time\n"));
  auto json = BenchJson(report);
  EXPECT_EQ(json["kept_up"], false);
  EXPECT_EQ(json["held_up_by"], "server");
  EXPECT_EQ(json["offered_requests_per_second"], 60'000.0);
  EXPECT_EQ(json["requests_per_second"], 200.0);
  result.record.tardy = 91;
  EXPECT_THAT(BenchText(report, kPipe),
              HasSubstr("this side could not send them in time: try more --connections\n"));
  EXPECT_EQ(BenchJson(report)["held_up_by"], "client");
}

TEST(BenchReport, AFewCallsThatWereLateAreNoOverload) {
  LoadOptions options;
  options.open_loop = true;
  options.rate = 211;
  LoadResult result = Result();
  result.record.late = 5;
  const BenchReport report = {.model = "digits@1", .options = options, .result = result};
  EXPECT_TRUE(report.kept_up());
  result.record.late = 6;
  EXPECT_FALSE(report.kept_up());
  options.rate = 210;  // of which 200 were answered: they came back late, but they did
  EXPECT_TRUE(report.kept_up());
}

TEST(BenchReport, AnInterruptedOneHasNoCallsThatFailedByIt) {
  LoadOptions options;
  LoadResult result = Result();
  result.interrupted = true;
  result.record.unanswered = 16;
  const BenchReport report = {.model = "digits@1", .options = options, .result = result};
  EXPECT_EQ(report.failed(), 0);
  EXPECT_THAT(
      BenchText(report, kPipe),
      HasSubstr("answered    100 requests in 0.50 s, then interrupted\nerrors      none\n"));
}

TEST(BenchReport, SaysWhyALoadEndedEarly) {
  LoadOptions options;
  LoadResult result = Result();
  result.record.lost = absl::StatusCode::kUnimplemented;
  const BenchReport report = {.model = "digits@1", .options = options, .result = result};
  EXPECT_THAT(BenchText(report, kPipe),
              HasSubstr("the load ended early: the connection was lost (UNIMPLEMENTED)\n"));
  EXPECT_EQ(BenchJson(report)["lost"], "UNIMPLEMENTED");
}

TEST(BenchReport, WithoutAnAnswerThereIsNoLatency) {
  LoadOptions options;
  const LoadResult result;
  const BenchReport report = {.model = "digits@1", .options = options, .result = result};
  EXPECT_THAT(BenchText(report, kPipe), HasSubstr("throughput  0 requests/s, 0 rows/s"));
  EXPECT_EQ(BenchJson(report)["latency_us"]["p50"], 0);
}

TEST(BenchReport, FitsTheScreen) {
  LoadOptions options;
  LoadResult result;
  for (int64_t ns = 1; ns < int64_t{1} << 40; ns += ns / 3 + 1) {
    for (int i = 0; i < 2000; ++i) result.record.latency.Record(ns);
  }
  result.seconds = 0.1;
  result.record.completed = result.record.latency.count();
  result.record.sent_bytes = int64_t{1} << 28;
  result.record.unsent = int64_t{1} << 33;
  options.open_loop = true;
  options.rate = 1e9;
  const BenchReport report = {.model = "digits@1", .options = options, .result = result};
  for (const TerminalStyle& style : {kPipe, kUtf8}) {
    const std::string text = BenchText(report, style);
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      EXPECT_LE(DisplayWidth(line), 80u) << line;
    }
  }
}

TEST(BenchReport, JsonHasTheFiguresInFull) {
  LoadOptions options;
  options.open_loop = true;
  options.rate = 250;
  LoadResult result = Result();
  result.record.errors = {{absl::StatusCode::kUnavailable, 5}};
  const BenchReport report = {.model = "digits@1", .rows = 8, .options = options, .result = result};
  const auto json = BenchJson(report);
  EXPECT_EQ(json["mode"], "open");
  EXPECT_EQ(json["rate"], 250.0);
  EXPECT_EQ(json["arrivals"], "poisson");
  EXPECT_EQ(json["answered"], 100);
  EXPECT_EQ(json["failed"], 5);
  EXPECT_EQ(json["errors"]["UNAVAILABLE"], 5);
  EXPECT_EQ(json["requests_per_second"], 200.0);
  EXPECT_EQ(json["rows_per_second"], 1600.0);
  EXPECT_EQ(json["sent_bytes_per_second"], 3.2e6);
  EXPECT_EQ(json["latency_us"]["max"], 900.0);
  EXPECT_EQ(json["latency_us"]["mean"], 110.0);
  EXPECT_EQ(json["histogram"].size(), 3u);
  EXPECT_EQ(json["histogram"][0]["count"], 97);
  EXPECT_LE(json["histogram"][0]["from_us"], 100.0);
  EXPECT_GT(json["histogram"][0]["to_us"], 100.0);
}

TEST(BenchProgress, ShowsTimeAndRate) {
  LoadOptions options;
  EXPECT_EQ(BenchProgress({.warming_up = true, .elapsed_seconds = 0.5}, options, kPipe),
            "warming up  [############            ]  0.5/1.0 s");
  EXPECT_EQ(BenchProgress({.elapsed_seconds = 2.5, .answered = 100'000}, options, kPipe),
            "measuring  [######                  ]  2.5/10.0 s  100,000 requests  40,000/s");
  options.duration = absl::InfiniteDuration();
  options.max_calls = 400'000;
  EXPECT_EQ(BenchProgress({.elapsed_seconds = 2.5, .answered = 100'000}, options, kPipe),
            "measuring  [######                  ]  2.5 s  100,000 requests  40,000/s");
  EXPECT_LE(BenchProgress({.elapsed_seconds = 2.5}, options, {.width = 20}).size(), 19u);
}

}  // namespace
}  // namespace mlp
