// Predict on a real mlpd against a bare echo server, each in a process of its own, one client.
//   predict_bench MLPD ECHO_SERVER [--quick]
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "inference/grpc_service.pb.h"
#include "mlp/v1/prediction.pb.h"
#include "tests/bench/child_process.h"
#include "tests/bench/predict_load.h"
#include "tests/bench/report.h"
#include "tests/bench/train_model.h"

namespace mlp::bench {
namespace {

constexpr int kFeatures = 400;
constexpr int kClasses = 10;

std::vector<float> Values(int rows) {
  std::vector<float> values;
  for (int i = 0; i < rows * kFeatures; ++i) values.push_back(static_cast<float>((i * 7) % 251));
  return values;
}

std::string PredictRows(int rows) {
  v1::PredictRequest request;
  request.set_model("bench");
  const std::vector<float> values = Values(rows);
  request.mutable_features()->Add(values.begin(), values.end());
  return request.SerializeAsString();
}

std::string InferRows(int rows) {
  inference::ModelInferRequest request;
  request.set_model_name("bench");
  auto& input = *request.add_inputs();
  input.set_name("input");
  input.set_datatype("FP32");
  input.add_shape(rows);
  input.add_shape(kFeatures);
  const std::vector<float> values = Values(rows);
  request.add_raw_input_contents(values.data(), values.size() * sizeof(float));
  return request.SerializeAsString();
}

constexpr char kPredict[] = "/mlp.v1.PredictionService/Predict";
constexpr char kInfer[] = "/inference.GRPCInferenceService/ModelInfer";

struct Case {
  std::string name;
  std::string method;
  std::string request;
  int rows;
  int outstanding;
  double budget;  // of the rate
  bool with_p99 = true;
};

void RunCase(const Case& test, PredictLoad& ours, PredictLoad& echo, int rounds, double seconds) {
  std::vector<double> our_rate, echo_rate, our_p99, echo_p99;
  for (int round = 0; round < rounds; ++round) {
    const LoadFigures a = ours.Run(test.method, test.request, test.outstanding, seconds);
    const LoadFigures b = echo.Run(test.method, test.request, test.outstanding, seconds);
    if (a.errors + b.errors > 0) {
      std::fprintf(stderr, "%s: errors: ours %ld, echo %ld\n", test.name.c_str(),
                   static_cast<long>(a.errors), static_cast<long>(b.errors));
      std::abort();
    }
    our_rate.push_back(a.requests_per_second * test.rows);
    echo_rate.push_back(b.requests_per_second * test.rows);
    our_p99.push_back(a.p99_us);
    echo_p99.push_back(b.p99_us);
  }
  Print({.bench = test.name + "/rows_per_second",
         .ours = Median(our_rate),
         .against = Median(echo_rate),
         .unit = "rows/s",
         .budget = test.budget,
         .higher_is_better = true});
  if (!test.with_p99) return;
  Print({.bench = test.name + "/p99",
         .ours = Median(our_p99),
         .against = Median(echo_p99),
         .unit = "us",
         .budget = 1.1,
         .higher_is_better = false});
}

int Run(const std::string& mlpd, const std::string& echo_server, bool quick) {
  const TemporaryFolder folder;
  const ChildProcess server({mlpd, "--data-dir", folder.path() + "/data", "--grpc-address",
                             "127.0.0.1:0", "--metrics-address", "", "--addresses-file",
                             folder.path() + "/mlpd"});
  // Both keep freed memory, which large messages profit from; what gRPC does by itself is shown
  // too.
  const std::string features = std::to_string(kFeatures), classes = std::to_string(kClasses);
  const ChildProcess echo(
      {echo_server, folder.path() + "/echo", features, classes, "--keep-freed-memory"});
  const ChildProcess plain_echo({echo_server, folder.path() + "/plain", features, classes});
  const std::string address = WaitForAddress(folder.path() + "/mlpd", "grpc");
  TrainModel(address, "bench", {kFeatures, 25, kClasses});
  PredictLoad our_load(address);
  PredictLoad echo_load(WaitForAddress(folder.path() + "/echo", "grpc"));
  PredictLoad plain_load(WaitForAddress(folder.path() + "/plain", "grpc"));

  // Many short runs in turn: what else the machine does meets both sides.
  const int rounds = quick ? 9 : 61;
  const double seconds = 0.1;
  our_load.Run(kPredict, PredictRows(1), 16, seconds);  // warms both up
  echo_load.Run(kPredict, PredictRows(1), 16, seconds);
  for (const int outstanding : {1, 16, 64}) {
    const std::string shape = "/1_row_" + std::to_string(outstanding) + "_outstanding";
    RunCase({"predict" + shape, kPredict, PredictRows(1), 1, outstanding, 0.95}, our_load,
            echo_load, rounds, seconds);
    RunCase({"model_infer" + shape, kInfer, InferRows(1), 1, outstanding, 0.95}, our_load,
            echo_load, rounds, seconds);
  }
  const Case large = {
      "predict/1024_rows_2_outstanding", kPredict, PredictRows(1024), 1024, 2, 0.90, false};
  RunCase(large, our_load, echo_load, rounds, seconds);
  Case plain = large;
  plain.name += "_against_plain_echo";
  RunCase(plain, our_load, plain_load, rounds, seconds);
  return 0;
}

}  // namespace
}  // namespace mlp::bench

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: predict_bench MLPD ECHO_SERVER [--quick]\n");
    return 2;
  }
  return mlp::bench::Run(argv[1], argv[2], argc > 3 && std::strcmp(argv[3], "--quick") == 0);
}
