#include "server/rpc/method_table.h"

#include <cassert>
#include <utility>

#include <absl/strings/str_cat.h>

namespace mlp {

absl::Status ReadRequest(RpcCall& call, google::protobuf::MessageLite& request) {
  const absl::StatusOr<bool> read = call.Read(request);
  if (!read.ok()) return read.status();
  if (!*read) return absl::InvalidArgumentError("request: expected a message, got none");
  return absl::OkStatus();
}

void MethodTable::Add(absl::string_view service, absl::string_view method, RpcHandler handler) {
  const bool added = methods_
                         .try_emplace(absl::StrCat("/", service, "/", method),
                                      RpcMethod{std::move(handler), &metrics_.Rpc(service, method)})
                         .second;
  assert(added);
  static_cast<void>(added);
}

const RpcMethod* MethodTable::Find(absl::string_view path) const {
  const auto found = methods_.find(path);
  return found == methods_.end() ? nullptr : &found->second;
}

}  // namespace mlp
