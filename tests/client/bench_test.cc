// mlpctl bench and models settings, from arguments to output, against a real gRPC server.

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/client.h"
#include "client/commands/bench_requests.h"
#include "client/commands/error_line.h"
#include "mlp/v1/prediction.pb.h"
#include "tests/client/canned_answers.h"
#include "tests/client/mlpctl_fixture.h"

namespace mlp {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class MlpctlBench : public MlpctlFixture {
 protected:
  Outcome Bench(std::vector<std::string> flags, TerminalStyle style = {}) {
    std::vector<std::string> arguments = {"bench",      "digits", "--warmup",      "0",
                                          "--requests", "40",     "--concurrency", "4"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return Run(arguments, style);
  }

  void StoreDataset(int32_t features, v1::FeatureType type, const std::string& values) {
    FakeMlpd::StoredDataset stored;
    stored.dataset.set_name("d");
    stored.dataset.set_features(features);
    stored.dataset.set_feature_type(type);
    stored.features = values;
    const size_t row_bytes =
        static_cast<size_t>(features) * (type == v1::FEATURE_TYPE_UINT8 ? 1 : 4);
    stored.labels.assign(values.size() / row_bytes, 0);
    stored.dataset.set_rows(static_cast<int64_t>(stored.labels.size()));
    server_.Store(stored);
  }

  absl::StatusOr<std::vector<v1::PredictRequest>> Requests(const BenchFlags& flags) {
    ClientOptions options;
    options.server = server_.address();
    Client client(options);
    const auto bytes = MakeBenchRequests(client, DigitsVersion(), flags);
    if (!bytes.ok()) return bytes.status();
    std::vector<v1::PredictRequest> requests(bytes->size());
    for (size_t i = 0; i < requests.size(); ++i) {
      EXPECT_TRUE(requests[i].ParseFromString((*bytes)[i]));
    }
    return requests;
  }
};

TEST_F(MlpctlBench, PrintsWhatItMeasured) {
  const Outcome outcome = Bench({});
  EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("model       digits@3, 1 row of floats a call, Predict\n"),
                    HasSubstr("load        closed loop, 4 calls outstanding, 1 connection\n"),
                    HasSubstr("answered    40 requests in "), HasSubstr("errors      none\n"),
                    HasSubstr("p99.9"), HasSubstr("100.00 %\n"), Not(HasSubstr("\x1b"))));
  EXPECT_EQ(server_.calls("Predict"), 40);
}

TEST_F(MlpctlBench, WritesOneJsonObject) {
  const auto lines = Bench({"--rows", "3", "--pixels", "--output", "json"}).json_lines();
  ASSERT_EQ(lines.size(), 1u);
  const nlohmann::json& json = lines[0];
  EXPECT_EQ(json["model"], "digits@3");
  EXPECT_EQ(json["answered"], 40);
  EXPECT_EQ(json["failed"], 0);
  EXPECT_TRUE(json["errors"].empty());
  EXPECT_GT(json["requests_per_second"], 0);
  EXPECT_DOUBLE_EQ(json["rows_per_second"], 3 * json["requests_per_second"].get<double>());
  EXPECT_LE(json["latency_us"]["p50"], json["latency_us"]["p99.9"]);
  int64_t sum = 0;
  for (const auto& bucket : json["histogram"]) sum += bucket["count"].get<int64_t>();
  EXPECT_EQ(sum, 40);
}

TEST_F(MlpctlBench, EveryApiAndModeAnswers) {
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"--api", "stream"},
        {"--mode", "open", "--rate", "2000"},
        {"--mode", "open", "--rate", "2000", "--arrivals", "constant", "--api", "stream",
         "--connections", "2"}}) {
    std::vector<std::string> with_json = flags;
    with_json.insert(with_json.end(), {"--output", "json"});
    const Outcome outcome = Bench(with_json);
    EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
    EXPECT_EQ(outcome.json_lines().at(0)["answered"], 40);
  }
}

TEST_F(MlpctlBench, AFailedCallFailsTheCommand) {
  server_.FailNext("Predict", 2, absl::ResourceExhaustedError("queue full"));
  const Outcome outcome = Bench({});
  EXPECT_EQ(outcome.exit_status, kExitFailure);
  EXPECT_THAT(outcome.out, HasSubstr("errors      2: RESOURCE_EXHAUSTED 2\n"));
  EXPECT_THAT(outcome.out, HasSubstr("answered    38 requests"));
  EXPECT_EQ(outcome.err, "");
}

TEST_F(MlpctlBench, PastTheCapacityItSaysSoAndWhatTheCapacityIs) {
  const Outcome outcome =
      Run({"bench", "digits", "--mode", "open", "--rate", "1000000", "--warmup", "0.1",
           "--duration", "0.2", "--concurrency", "1", "--output", "json"});
  EXPECT_EQ(outcome.exit_status, kExitSuccess) << outcome.err;
  const nlohmann::json json = outcome.json_lines().at(0);
  EXPECT_EQ(json["kept_up"], false);
  EXPECT_EQ(json["offered_requests_per_second"], 1e6);
  const double answered = json["answered"];
  EXPECT_GT(answered, 0);
  EXPECT_NEAR(json["requests_per_second"], answered / 0.2, 1 / 0.2 + 1e-6);
}

TEST_F(MlpctlBench, WithoutASingleAnswerItFails) {
  const Outcome outcome = Bench({"--mode", "open", "--rate", "0.001", "--duration", "0.01"});
  EXPECT_EQ(outcome.exit_status, kExitFailure);
  EXPECT_THAT(outcome.out, HasSubstr("answered    0 requests"));
}

TEST_F(MlpctlBench, SaysWhatIsWrongBeforeAnyCall) {
  EXPECT_EQ(Run({"bench", "nobody"}).exit_status, kExitFailure);
  EXPECT_EQ(Bench({"--dataset", "none"}).err, "mlpctl: dataset none does not exist (NOT_FOUND)\n");
  EXPECT_EQ(Bench({"--mode", "ajar"}).exit_status, kExitUsage);
  StoreDataset(5, v1::FEATURE_TYPE_UINT8, "12345");
  EXPECT_EQ(Bench({"--dataset", "d"}).err,
            "mlpctl: features: expected 4 a row for digits@3, got 5\n");
  EXPECT_EQ(server_.calls("Predict"), 0);
}

TEST_F(MlpctlBench, HelpFitsTheScreen) {
  const Outcome outcome = Run({"bench", "--help"});
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_THAT(outcome.out, HasSubstr("The exit status is 0 only where"));
  for (const absl::string_view line : absl::StrSplit(outcome.out, '\n')) {
    EXPECT_LE(line.size(), 100u) << line;
  }
}

TEST_F(MlpctlBench, MadeUpRowsAreInTheRangeOfTheFeaturesAndFixedByTheSeed) {
  BenchFlags flags;
  flags.rows = 2;
  const auto requests = Requests(flags);
  ASSERT_TRUE(requests.ok()) << requests.status();
  ASSERT_EQ(requests->size(), 16u);
  for (const v1::PredictRequest& request : *requests) {
    EXPECT_EQ(request.model(), "digits@3");
    EXPECT_EQ(request.rows(), 2);
    ASSERT_EQ(request.features_size(), 8);
    for (const float value : request.features()) {
      EXPECT_TRUE(value >= 0 && value <= 255 && value == static_cast<int>(value)) << value;
    }
  }
  EXPECT_NE((*requests)[0].SerializeAsString(), (*requests)[1].SerializeAsString());
  EXPECT_EQ((*Requests(flags))[5].SerializeAsString(), (*requests)[5].SerializeAsString());
  flags.seed = 2;
  EXPECT_NE((*Requests(flags))[5].SerializeAsString(), (*requests)[5].SerializeAsString());
}

TEST_F(MlpctlBench, RowsOfADatasetComeInTurnAndAgain) {
  StoreDataset(4, v1::FEATURE_TYPE_UINT8, "aaaabbbbcccc");
  BenchFlags flags;
  flags.dataset = "d";
  flags.rows = 2;
  flags.pixels = true;
  const auto requests = Requests(flags);
  ASSERT_TRUE(requests.ok()) << requests.status();
  EXPECT_EQ((*requests)[0].pixels(), "aaaabbbb");
  EXPECT_EQ((*requests)[1].pixels(), "ccccaaaa");
  flags.pixels = false;
  EXPECT_THAT((*Requests(flags))[0].features(),
              ElementsAre('a', 'a', 'a', 'a', 'b', 'b', 'b', 'b'));
}

TEST_F(MlpctlBench, BytesNeedADatasetOfBytes) {
  const float values[] = {0.5, 1, 2, 3};
  StoreDataset(4, v1::FEATURE_TYPE_FLOAT32,
               std::string(reinterpret_cast<const char*>(values), sizeof(values)));
  BenchFlags flags;
  flags.dataset = "d";
  EXPECT_THAT((*Requests(flags))[3].features(), ElementsAre(0.5, 1, 2, 3));
  flags.pixels = true;
  EXPECT_TRUE(IsUsageError(Requests(flags).status()));
}

TEST_F(MlpctlBench, SettingsAreShownChangedAndReset) {
  EXPECT_EQ(Run({"models", "settings", "digits"}).out,
            "max batch rows       1,024 (default)\n"
            "queue delay          0 us (default)\n"
            "max queued requests  4,096 (default)\n");
  EXPECT_EQ(server_.calls("SetServingSettings"), 0);
  EXPECT_EQ(Run({"models", "settings", "digits", "--queue-delay-us", "250"}).exit_status, 0);
  EXPECT_EQ(Run({"models", "settings", "digits", "--max-batch-rows", "64"}).out,
            "max batch rows       64\n"
            "queue delay          250 us\n"
            "max queued requests  4,096 (default)\n");
  EXPECT_THAT(Run({"models", "get", "digits"}).out,
              HasSubstr("\nServed with max batch rows 64, queue delay 250 us\n"));
  const auto json = Run({"models", "settings", "digits", "--reset", "--max-queued-requests", "9",
                         "--output", "json"})
                        .json_lines();
  EXPECT_EQ(json.at(0)["serving"]["max_queued_requests"], 9);
  EXPECT_EQ(json.at(0)["serving"]["queue_delay_us"], 0);
  EXPECT_EQ(Run({"models", "settings", "digits", "--reset"}).exit_status, 0);
  EXPECT_THAT(Run({"models", "get", "digits"}).out, Not(HasSubstr("Served with")));
}

TEST_F(MlpctlBench, ASettingOfZeroIsNoWayToTheDefault) {
  for (const auto& [flag, range] :
       {std::pair<std::string, std::string>{"--max-batch-rows", "65,536"},
        {"--max-queued-requests", "1,000,000"}}) {
    const Outcome outcome = Run({"models", "settings", "digits", flag, "0"});
    EXPECT_EQ(outcome.exit_status, kExitUsage);
    EXPECT_THAT(outcome.err, HasSubstr(absl::StrCat(flag, ": expected 1 to ", range,
                                                    ", got 0 (--reset goes back")));
  }
  EXPECT_EQ(server_.calls("SetServingSettings"), 0);
}

TEST_F(MlpctlBench, SettingsThatTheServerRefusesChangeNothing) {
  const Outcome outcome = Run({"models", "settings", "digits", "--max-batch-rows", "70000"});
  EXPECT_EQ(outcome.exit_status, kExitFailure);
  EXPECT_EQ(outcome.err, "mlpctl: max_batch_rows: expected at most 65,536, got 70000\n");
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_EQ(Run({"models", "settings", "digits", "--max-batch-rows", "x"}).err,
            "mlpctl: --max-batch-rows: expected a number, got \"x\"\n"
            "Try: mlpctl models settings --help\n");
  EXPECT_EQ(Run({"models", "settings", "nobody"}).exit_status, kExitFailure);
}

}  // namespace
}  // namespace mlp
