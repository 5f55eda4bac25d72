#include "server/api/admin_service.h"

#include <atomic>
#include <string>
#include <utility>

#include <absl/cleanup/cleanup.h>
#include <absl/strings/str_cat.h>

#include "core/base/hash.h"
#include "core/base/status_macros.h"
#include "mlp/v1/admin.pb.h"
#include "server/end_of_call.h"
#include "server/store/verify_store.h"

namespace mlp {
namespace {

constexpr char kService[] = "mlp.v1.AdminService";
constexpr size_t kPieceBytes = size_t{1} << 20;

class AdminService final : public RpcService {
 public:
  explicit AdminService(Store& store) : store_(store) {}

  void AddTo(MethodTable& table) override {
    table.Add(kService, "Backup", [this](RpcCall& call) { return Backup(call); });
    table.Add(kService, "Verify", [this](RpcCall& call) { return Verify(call); });
  }

 private:
  absl::Status Backup(RpcCall& call) {
    v1::BackupRequest request;
    MLP_RETURN_IF_ERROR(ReadRequest(call, request));
    MLP_ASSIGN_OR_RETURN(const std::unique_ptr<StoreBackup> backup, store_.Backup());
    Sha256 hash;
    int64_t left = backup->size();
    while (left > 0) {
      v1::BackupResponse response;
      MLP_ASSIGN_OR_RETURN(*response.mutable_data(), backup->Read(kPieceBytes));
      if (response.data().empty()) return absl::InternalError("backup: the copy was cut off");
      hash.Update(response.data());
      left -= static_cast<int64_t>(response.data().size());
      if (left <= 0) {
        response.set_total_bytes(backup->size());
        response.set_sha256(hash.FinishHex());
      }
      if (!call.Write(response)) return CallerGone();
    }
    return absl::OkStatus();
  }

  absl::Status Verify(RpcCall& call) {
    v1::VerifyRequest request;
    MLP_RETURN_IF_ERROR(ReadRequest(call, request));
    if (verifies_.exchange(true)) {
      return absl::ResourceExhaustedError("another verification runs; try again later");
    }
    const absl::Cleanup end = [this] { verifies_ = false; };
    MLP_ASSIGN_OR_RETURN(
        const VerifiedStore verified, VerifyStore(store_, [&call](const StoreDamage& damage) {
          v1::VerifyResponse response;
          response.mutable_damage()->set_item(damage.item);
          response.mutable_damage()->set_message(std::string(damage.status.message()));
          return call.Write(response) ? absl::OkStatus() : CallerGone();
        }));
    v1::VerifyResponse response;
    v1::VerifySummary& summary = *response.mutable_summary();
    summary.set_datasets(verified.datasets);
    summary.set_versions(verified.versions);
    summary.set_checkpoints(verified.checkpoints);
    summary.set_bytes(verified.bytes);
    summary.set_damaged(verified.damaged);
    call.WriteLast(response);
    return absl::OkStatus();
  }

  Store& store_;
  std::atomic<bool> verifies_ = false;
};

}  // namespace

std::unique_ptr<RpcService> MakeAdminService(Store& store) {
  return std::make_unique<AdminService>(store);
}

}  // namespace mlp
