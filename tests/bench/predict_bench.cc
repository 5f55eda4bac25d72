// Predict on a real mlpd against a bare echo server, each in a process of its own, one client.
//   predict_bench MLPD ECHO_SERVER [--quick]
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "mlp/v1/dataset.grpc.pb.h"
#include "mlp/v1/training.grpc.pb.h"
#include "tests/bench/child_process.h"
#include "tests/bench/predict_load.h"
#include "tests/bench/report.h"

namespace mlp::bench {
namespace {

constexpr int kFeatures = 400;
constexpr int kClasses = 10;

void Check(const grpc::Status& status, const char* what) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s: %s\n", what, status.error_message().c_str());
  std::abort();
}

// A model "bench" of 400-25-10 in the server: one iteration on made-up data is enough.
void TrainModel(const std::string& address) {
  const auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  const auto datasets = v1::DatasetService::NewStub(channel);
  constexpr int kRows = 200;
  v1::UploadDatasetRequest header;
  header.mutable_header()->set_name("bench");
  header.mutable_header()->set_rows(kRows);
  header.mutable_header()->set_features(kFeatures);
  header.mutable_header()->set_feature_type(v1::FEATURE_TYPE_UINT8);
  for (int k = 0; k < kClasses; ++k) header.mutable_header()->add_class_names(std::to_string(k));
  v1::UploadDatasetRequest chunk;
  std::string& pixels = *chunk.mutable_chunk()->mutable_features();
  for (int row = 0; row < kRows; ++row) {
    for (int j = 0; j < kFeatures; ++j)
      pixels.push_back(static_cast<char>((row * 31 + j * 7) % 251));
    chunk.mutable_chunk()->add_labels(row % kClasses);
  }
  v1::Dataset dataset;
  grpc::ClientContext upload_context;
  const auto writer = datasets->UploadDataset(&upload_context, &dataset);
  writer->Write(header);
  writer->Write(chunk);
  writer->WritesDone();
  Check(writer->Finish(), "upload");

  const auto training = v1::TrainingService::NewStub(channel);
  v1::CreateTrainingJobRequest request;
  request.set_model("bench");
  request.set_dataset("bench");
  for (const int units : {kFeatures, 25, kClasses}) {
    request.mutable_config()->mutable_network()->add_layers(units);
  }
  request.mutable_config()->mutable_stopping()->set_max_iterations(1);
  v1::TrainingJob job;
  grpc::ClientContext create_context;
  Check(training->CreateTrainingJob(&create_context, request, &job), "create job");
  v1::WatchTrainingJobRequest watch;
  watch.set_id(job.id());
  grpc::ClientContext watch_context;
  const auto reader = training->WatchTrainingJob(&watch_context, watch);
  v1::WatchTrainingJobResponse event;
  while (reader->Read(&event)) {
    if (event.has_job()) job = event.job();
  }
  Check(reader->Finish(), "watch job");
  if (job.state() != v1::JOB_STATE_SUCCEEDED) {
    std::fprintf(stderr, "training: %s\n", job.message().c_str());
    std::abort();
  }
}

v1::PredictRequest Rows(int rows) {
  v1::PredictRequest request;
  request.set_model("bench");
  for (int i = 0; i < rows * kFeatures; ++i) {
    request.add_features(static_cast<float>((i * 7) % 251));
  }
  return request;
}

struct Case {
  const char* name;
  int rows;
  int outstanding;
  double budget;  // of the rate
};

void RunCase(const Case& test, PredictLoad& ours, PredictLoad& echo, int rounds, double seconds) {
  const v1::PredictRequest request = Rows(test.rows);
  std::vector<double> our_rate, echo_rate, our_p99, echo_p99;
  for (int round = 0; round < rounds; ++round) {
    const LoadResult a = ours.Run(request, test.outstanding, seconds);
    const LoadResult b = echo.Run(request, test.outstanding, seconds);
    if (a.errors + b.errors > 0) {
      std::fprintf(stderr, "%s: errors: ours %ld, echo %ld\n", test.name,
                   static_cast<long>(a.errors), static_cast<long>(b.errors));
      std::abort();
    }
    our_rate.push_back(a.requests_per_second * test.rows);
    echo_rate.push_back(b.requests_per_second * test.rows);
    our_p99.push_back(a.p99_us);
    echo_p99.push_back(b.p99_us);
  }
  Print({.bench = std::string("predict/") + test.name + "/rows_per_second",
         .ours = Median(our_rate),
         .against = Median(echo_rate),
         .unit = "rows/s",
         .budget = test.budget,
         .higher_is_better = true});
  Print({.bench = std::string("predict/") + test.name + "/p99",
         .ours = Median(our_p99),
         .against = Median(echo_p99),
         .unit = "us",
         .budget = 1.1,
         .higher_is_better = false});
}

int Run(const std::string& mlpd, const std::string& echo_server, bool quick) {
  std::string folder = (std::filesystem::temp_directory_path() / "mlpd-bench-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  {
    const ChildProcess server({mlpd, "--data-dir", folder + "/data", "--grpc-address",
                               "127.0.0.1:0", "--metrics-address", "", "--addresses-file",
                               folder + "/mlpd"});
    const ChildProcess echo(
        {echo_server, folder + "/echo", std::to_string(kFeatures), std::to_string(kClasses)});
    const std::string address = WaitForAddress(folder + "/mlpd", "grpc");
    TrainModel(address);
    PredictLoad our_load(address);
    PredictLoad echo_load(WaitForAddress(folder + "/echo", "grpc"));

    const int rounds = quick ? 3 : 9;
    const double seconds = quick ? 0.3 : 1.0;
    our_load.Run(Rows(1), 16, seconds);  // warms both up
    echo_load.Run(Rows(1), 16, seconds);
    for (const Case& test :
         {Case{"1_row_1_outstanding", 1, 1, 0.95}, Case{"1_row_16_outstanding", 1, 16, 0.95},
          Case{"1_row_64_outstanding", 1, 64, 0.95},
          Case{"1024_rows_2_outstanding", 1024, 2, 0.90}}) {
      RunCase(test, our_load, echo_load, rounds, seconds);
    }
  }
  std::filesystem::remove_all(folder);
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
