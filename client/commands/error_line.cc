#include "client/commands/error_line.h"

#include <absl/strings/cord.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>

namespace mlp {
namespace {

constexpr char kUsageUrl[] = "mlpctl/usage";

// Why gRPC could not connect, from its message; empty where the message is the server's own.
std::string ConnectionFailure(absl::string_view message) {
  if (absl::StrContains(message, "Connection refused")) return "connection refused";
  if (absl::StrContains(message, "DNS resolution failed") ||
      absl::StrContains(message, "unparseable host")) {
    return "no such host";
  }
  if (absl::StrContains(message, "Network is unreachable")) return "network unreachable";
  if (absl::StrContains(message, "No route to host")) return "no route to host";
  if (absl::StrContains(message, "Timeout occurred")) return "no answer";
  if (absl::StrContains(message, "failed to connect to all addresses")) return "cannot connect";
  if (absl::StrContains(message, "Socket closed") ||
      absl::StrContains(message, "Connection reset")) {
    return "the connection broke";
  }
  return "";
}

std::string OneLine(absl::string_view message) {
  return absl::StrReplaceAll(message, {{"\n", " "}, {"\r", " "}});
}

}  // namespace

absl::Status UsageError(absl::string_view flag, absl::string_view what) {
  absl::Status status = absl::InvalidArgumentError(absl::StrCat(flag, ": ", what));
  status.SetPayload(kUsageUrl, absl::Cord());
  return status;
}

bool IsUsageError(const absl::Status& status) { return status.GetPayload(kUsageUrl).has_value(); }

std::string ErrorLine(const absl::Status& status, absl::string_view server) {
  const std::string message = OneLine(status.message());
  switch (status.code()) {
    case absl::StatusCode::kUnavailable: {
      const std::string failure = ConnectionFailure(message);
      if (!failure.empty()) {
        return absl::StrCat("mlpctl: cannot reach mlpd at ", server, " (", failure,
                            "). Start it with: mlpd --data-dir DIR");
      }
      return absl::StrCat("mlpctl: mlpd at ", server, " is unavailable: ", message);
    }
    case absl::StatusCode::kDeadlineExceeded:
      return absl::StrCat("mlpctl: mlpd at ", server, " did not answer in time (", message,
                          "). --timeout allows it more");
    case absl::StatusCode::kUnimplemented:
      return absl::StrCat("mlpctl: the server at ", server,
                          " does not know this call; is it an mlpd of the same version? (", message,
                          ")");
    case absl::StatusCode::kInvalidArgument:
      return absl::StrCat("mlpctl: ", message);
    default:
      return absl::StrCat("mlpctl: ", message, " (", absl::StatusCodeToString(status.code()), ")");
  }
}

}  // namespace mlp
