#include "server/telemetry/metrics.h"

#include <string>
#include <thread>
#include <vector>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mlp {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What 127.0.0.1:`port` answers to `request` until it closes the connection.
std::string HttpExchange(int port, const std::string& request) {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    // The other side may hang up before it has read everything.
    if (send(descriptor, request.data(), request.size(), MSG_NOSIGNAL) < 0) answer = "";
    char buffer[4096];
    for (ssize_t n = read(descriptor, buffer, sizeof(buffer)); n > 0;
         n = read(descriptor, buffer, sizeof(buffer))) {
      answer.append(buffer, static_cast<size_t>(n));
    }
  }
  close(descriptor);
  return answer;
}

std::string HttpGet(int port, const std::string& path) {
  return HttpExchange(port, absl::StrCat("GET ", path, " HTTP/1.0\r\n\r\n"));
}

TEST(Metrics, CountsRpcsByMethodAndCode) {
  Metrics metrics;
  RpcMetrics& get = metrics.Rpc("mlp.v1.DatasetService", "GetDataset");
  get.Finished(absl::StatusCode::kOk, absl::Milliseconds(1));
  get.Finished(absl::StatusCode::kNotFound, absl::Milliseconds(1));
  get.Finished(absl::StatusCode::kNotFound, absl::Milliseconds(1));
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("mlpd_rpc_requests_total{code=\"OK\",method=\"GetDataset\","
                              "service=\"mlp.v1.DatasetService\"} 1"));
  EXPECT_THAT(text, HasSubstr("code=\"NOT_FOUND\",method=\"GetDataset\","
                              "service=\"mlp.v1.DatasetService\"} 2"));
  EXPECT_THAT(text, HasSubstr("mlpd_rpc_duration_seconds_count{code=\"NOT_FOUND\","
                              "method=\"GetDataset\",service=\"mlp.v1.DatasetService\"} 2"));
}

TEST(Metrics, GivesTheSameCountersForTheSameMethod) {
  Metrics metrics;
  EXPECT_EQ(&metrics.Rpc("s", "m"), &metrics.Rpc("s", "m"));
  EXPECT_NE(&metrics.Rpc("s", "m"), &metrics.Rpc("s", "n"));
}

TEST(Metrics, LosesNoCountBetweenThreads) {
  Metrics metrics;
  RpcMetrics& rpc = metrics.Rpc("s", "m");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        rpc.Finished(absl::StatusCode::kAborted, absl::Microseconds(10));
        metrics.RowsPredicted("digits", 2);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(metrics.Text(), HasSubstr("{code=\"ABORTED\",method=\"m\",service=\"s\"} 4000"));
  EXPECT_THAT(metrics.Text(), HasSubstr("mlpd_predicted_rows_total{model=\"digits\"} 8000"));
}

TEST(Metrics, ForgetsTheSeriesOfADeletedModel) {
  Metrics metrics;
  metrics.RowsPredicted("digits", 2);
  metrics.ForgetModel("digits");
  metrics.ForgetModel("never-seen");
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("digits")));
  metrics.RowsPredicted("digits", 5);
  EXPECT_THAT(metrics.Text(), HasSubstr("mlpd_predicted_rows_total{model=\"digits\"} 5"));
}

TEST(Metrics, ShowsTheCostOfAJobWhileItRuns) {
  Metrics metrics;
  metrics.TrainingProgress(7, "digits", 3, 0.5);
  metrics.TrainingProgress(7, "digits", 2, 0.25);
  EXPECT_THAT(metrics.Text(), HasSubstr("mlpd_training_cost{job=\"7\",model=\"digits\"} 0.25"));
  EXPECT_THAT(metrics.Text(), HasSubstr("mlpd_training_iterations_total 5"));
  metrics.TrainingEnded(7, v1::STOP_REASON_CONVERGED, absl::Seconds(2));
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("mlpd_training_cost{")));
  EXPECT_THAT(metrics.Text(), HasSubstr("mlpd_jobs_ended_total{stop_reason=\"converged\"} 1"));
  EXPECT_THAT(metrics.Text(), HasSubstr("mlpd_jobs_ended_total{stop_reason=\"diverged\"} 0"));
  EXPECT_THAT(metrics.Text(), HasSubstr("mlpd_training_seconds_total 2"));
}

TEST(Metrics, AsksForGaugesAtEachScrapeUntilTheyAreUnset) {
  Metrics metrics;
  int64_t asked = 0;
  metrics.SetGauges([&asked] {
    ++asked;
    return ServerGauges{.jobs_by_state = {0, 3, 1}, .resident_models = 2, .resident_bytes = 64};
  });
  EXPECT_THAT(metrics.Text(), HasSubstr("mlpd_jobs{state=\"queued\"} 3"));
  EXPECT_THAT(metrics.Text(), HasSubstr("mlpd_jobs{state=\"running\"} 1"));
  EXPECT_THAT(metrics.Text(), HasSubstr("mlpd_jobs{state=\"cancelled\"} 0"));
  EXPECT_THAT(metrics.Text(), HasSubstr("mlpd_resident_models 2"));
  EXPECT_EQ(asked, 4);
  metrics.SetGauges(nullptr);
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("mlpd_jobs{")));
  EXPECT_EQ(asked, 4);
}

TEST(Metrics, TellsOfTheProcessAndTheBuild) {
  const std::string text = Metrics().Text();
  for (const char* name : {"process_cpu_seconds_total ", "process_resident_memory_bytes ",
                           "process_open_fds ", "process_max_fds ", "process_threads ",
                           "process_start_time_seconds ", "mlpd_build_info{"}) {
    EXPECT_THAT(text, HasSubstr(absl::StrCat("\n", name)));
  }
}

TEST(Metrics, ServesThemOnTheAddressItSays) {
  Metrics metrics;
  metrics.RowsPredicted("digits", 9);
  absl::StatusOr<std::string> address = metrics.Expose("127.0.0.1:0");
  ASSERT_TRUE(address.ok()) << address.status();
  const std::vector<std::string> parts = absl::StrSplit(*address, ':');
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0], "127.0.0.1");
  const std::string answer = HttpGet(std::stoi(parts[1]), "/metrics");
  EXPECT_THAT(answer, HasSubstr("200 OK"));
  EXPECT_THAT(answer, HasSubstr("mlpd_predicted_rows_total{model=\"digits\"} 9"));
  EXPECT_THAT(HttpGet(std::stoi(parts[1]), "/elsewhere"), HasSubstr("404"));
}

TEST(Metrics, SurvivesBadRequests) {
  Metrics metrics;
  absl::StatusOr<std::string> address = metrics.Expose("127.0.0.1:0");
  ASSERT_TRUE(address.ok()) << address.status();
  const int port = std::stoi(address->substr(address->rfind(':') + 1));
  for (const std::string& request : std::vector<std::string>{
           "", "garbage\r\n\r\n", "GET", "GET /\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
           "GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
           "POST /metrics HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello",
           "PUT /metrics HTTP/1.0\r\nContent-Length: -1\r\n\r\n", "DELETE /x HTTP/1.0\r\n\r\n",
           "OPTIONS * HTTP/1.0\r\n\r\n", "GET /../../etc/passwd HTTP/1.0\r\n\r\n",
           "GET /" + std::string(4000, 'a') + " HTTP/1.0\r\n\r\n",
           "GET /" + std::string(100000, 'a') + " HTTP/1.0\r\n\r\n",
           "GET /metrics HTTP/1.0\r\nX: " + std::string(100000, 'b') + "\r\n\r\n",
           "GET /metrics HTTP/1.0\r\nAuthorization: Basic !!!!\r\nRange: bytes=9-1\r\n\r\n",
           std::string(2000, '\0')}) {
    HttpExchange(port, request);
  }
  EXPECT_THAT(HttpGet(port, "/metrics"), HasSubstr("200 OK"));
}

TEST(Metrics, RefusesAnAddressThatItCannotListenOn) {
  Metrics first;
  absl::StatusOr<std::string> address = first.Expose("127.0.0.1:0");
  ASSERT_TRUE(address.ok());
  Metrics second;
  EXPECT_EQ(second.Expose(*address).status().code(), absl::StatusCode::kFailedPrecondition);
  for (const char* bad : {"nonsense", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", ":x"}) {
    EXPECT_EQ(second.Expose(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
  EXPECT_EQ(second.Expose("192.0.2.1:0").status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace mlp
