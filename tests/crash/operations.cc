#include "tests/crash/operations.h"

#include <utility>

#include "core/base/status_macros.h"
#include "tests/crash/examples.h"

namespace mlp::crash {
namespace {

constexpr char kModel[] = "digits";

// The operations of a job, numbered as the store will number it, up to RUNNING.
void StartJob(int64_t id, std::vector<Operation>& operations) {
  const std::string request_id = "job-" + std::to_string(id);
  operations.push_back({"create-" + request_id, [request_id](Store& store) {
                          return CreateJob(store, kModel, "data", request_id).status();
                        }});
  operations.push_back({"run-" + request_id, [id](Store& store) {
                          return MoveJob(store, id, v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING);
                        }});
}

Operation SaveCheckpoint(int64_t job_id, uint32_t seed, size_t size) {
  return {"checkpoint",
          [=](Store& store) { return store.SaveCheckpoint(job_id, MakeBytes(seed, size)); }};
}

Operation PublishModel(int64_t job_id, uint32_t seed, size_t size) {
  return {"publish",
          [=](Store& store) { return Publish(store, job_id, MakeBytes(seed, size)).status(); }};
}

Operation UploadData(const std::string& name, uint32_t seed, int64_t rows) {
  return {"upload-" + name,
          [=](Store& store) { return Upload(store, ExampleDataset(name, seed, rows)); }};
}

Operation AppendProgress(int64_t job_id) {
  return {"progress", [=](Store& store) {
            std::vector<ProgressPoint> points(3);
            for (int i = 0; i < 3; ++i) points[static_cast<size_t>(i)] = {i, 1.0 / (i + 1)};
            return store.AppendProgress(job_id, points);
          }};
}

Operation AppendLog(int64_t job_id) {
  return {"log", [=](Store& store) {
            v1::JobLogLine line;
            line.set_text("resumed");
            return store.AppendJobLog(job_id, line);
          }};
}

Operation MoveAlias(const std::string& name, int64_t version, int64_t expected) {
  return {name, [=](Store& store) {
            return store.SetAlias(kModel, "serving", version, expected).status();
          }};
}

// With an alias of its own in the same transaction.
Operation Import(uint32_t seed, size_t size) {
  return {"import", [=](Store& store) {
            NewVersion made;
            made.version.set_model(kModel);
            made.artifact = MakeBytes(seed, size);
            made.aliases = {"imported"};
            return store.ImportVersion(std::move(made)).status();
          }};
}

Operation SetServing() {
  return {"serving", [](Store& store) {
            v1::ServingSettings settings;
            settings.set_max_batch_rows(64);
            return store.SetServingSettings(kModel, settings).status();
          }};
}

}  // namespace

std::vector<Operation> MakeOperations(Sizes sizes) {
  const bool large = sizes == Sizes::kLarge;
  const int64_t rows = large ? 60'000 : 100;  // of 68 bytes
  const size_t bytes = large ? 2'100'000 : 9'000;

  std::vector<Operation> operations;
  operations.push_back(UploadData("data", 1, rows));
  StartJob(1, operations);
  operations.push_back(AppendProgress(1));
  operations.push_back(AppendLog(1));
  for (uint32_t seed : {2u, 3u, 4u}) operations.push_back(SaveCheckpoint(1, seed, bytes));
  operations.push_back(PublishModel(1, 5, bytes));
  operations.push_back(SetServing());
  operations.push_back(MoveAlias("set-alias", 1, 0));

  StartJob(2, operations);
  operations.push_back({"keep-weights", [bytes](Store& store) {
                          return store.SaveKeptWeights(2, MakeBytes(6, bytes));
                        }});
  operations.push_back({"cancel", [](Store& store) {
                          return MoveJob(store, 2, v1::JOB_STATE_RUNNING, v1::JOB_STATE_CANCELLED);
                        }});

  StartJob(3, operations);
  operations.push_back(PublishModel(3, 7, bytes));
  operations.push_back(MoveAlias("move-alias", 2, 1));
  operations.push_back(Import(10, bytes));
  operations.push_back({"delete-alias", [](Store& store) {
                          return store.DeleteAlias(kModel, "imported").status();
                        }});
  operations.push_back(
      {"delete-version", [](Store& store) { return store.DeleteVersion(kModel, 1); }});
  operations.push_back({"delete-job", [](Store& store) { return store.DeleteJob(2); }});
  operations.push_back(UploadData("more", 8, rows / 2));
  operations.push_back(
      {"delete-dataset", [](Store& store) { return store.DeleteDataset("more"); }});
  operations.push_back({"delete-model", [](Store& store) { return store.DeleteModel(kModel); }});
  StartJob(4, operations);
  operations.push_back(PublishModel(4, 9, bytes));
  return operations;
}

}  // namespace mlp::crash
