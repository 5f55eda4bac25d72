#include "tests/crash/flips.h"

#include <memory>

#include <absl/strings/str_cat.h>

#include "core/base/status_macros.h"
#include "server/store/sqlite_connection.h"
#include "server/store/sqlite_store.h"
#include "tests/crash/examples.h"

namespace mlp::crash {
namespace {

constexpr size_t kArtifactBytes = 400;
constexpr char kModel[] = "digits";

absl::Status PublishOne(Store& store, const std::string& artifact) {
  MLP_RETURN_IF_ERROR(Upload(store, ExampleDataset("data", 1, 4)));
  MLP_ASSIGN_OR_RETURN(const v1::TrainingJob job, CreateJob(store, kModel, "data", "job"));
  MLP_RETURN_IF_ERROR(MoveJob(store, job.id(), v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING));
  return Publish(store, job.id(), artifact).status();
}

// Puts `bytes` in the artifact's place and asks for it.
absl::Status Ask(Store& store, SqliteConnection& connection, const std::string& bytes,
                 FlipCounts& counts) {
  {
    SqliteStatement update = connection.Prepare("UPDATE artifact_pieces SET bytes = ?1");
    update.Bind(SqliteBlob{bytes});
    MLP_RETURN_IF_ERROR(update.Run());
  }
  const absl::Status status = store.ReadArtifact(kModel, 1).status();
  ++counts.states;
  if (status.ok()) ++counts.served;
  return status.ok() || absl::IsDataLoss(status) ? absl::OkStatus() : status;
}

}  // namespace

absl::StatusOr<FlipCounts> FlipEveryBit(const std::string& folder, const Clock& clock) {
  MLP_ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenSqliteStore(folder, clock));
  std::string artifact = MakeBytes(1, kArtifactBytes);
  MLP_RETURN_IF_ERROR(PublishOne(*store, artifact));
  MLP_ASSIGN_OR_RETURN(const auto connection, SqliteConnection::Open(folder + "/mlpd.db"));
  MLP_RETURN_IF_ERROR(connection->Execute("PRAGMA synchronous = OFF"));
  FlipCounts counts;
  for (size_t bit = 0; bit < 8 * artifact.size(); ++bit) {
    char& byte = artifact[bit / 8];
    byte = static_cast<char>(byte ^ (1 << bit % 8));
    MLP_RETURN_IF_ERROR(Ask(*store, *connection, artifact, counts));
    byte = static_cast<char>(byte ^ (1 << bit % 8));
  }
  for (size_t size = 0; size < artifact.size(); ++size) {
    MLP_RETURN_IF_ERROR(Ask(*store, *connection, artifact.substr(0, size), counts));
  }
  FlipCounts whole;
  MLP_RETURN_IF_ERROR(Ask(*store, *connection, artifact, whole));
  if (whole.served != 1) return absl::InternalError("the whole artifact is not served");
  return counts;
}

}  // namespace mlp::crash
