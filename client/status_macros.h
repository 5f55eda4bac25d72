// Early return for absl::Status and absl::StatusOr. The same two macros as core's, which the client
// must not see.
#pragma once

#include <utility>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

// Returns from the enclosing function when `expression` (an absl::Status) is not OK.
#define MLP_RETURN_IF_ERROR(expression)                                              \
  do {                                                                               \
    if (absl::Status mlp_status = (expression); !mlp_status.ok()) return mlp_status; \
  } while (false)

#define MLP_STATUS_CONCAT_INNER(a, b) a##b
#define MLP_STATUS_CONCAT(a, b) MLP_STATUS_CONCAT_INNER(a, b)

// NOLINTBEGIN(bugprone-macro-parentheses): names and declarations take no parentheses.
#define MLP_ASSIGN_OR_RETURN_IMPL(result, target, expression) \
  auto result = (expression);                                 \
  if (!result.ok()) return std::move(result).status();        \
  target = *std::move(result)
// NOLINTEND(bugprone-macro-parentheses)

// Evaluates `expression` (an absl::StatusOr); assigns its value to `target`, which may declare a
// variable, or returns its status from the enclosing function.
#define MLP_ASSIGN_OR_RETURN(target, expression) \
  MLP_ASSIGN_OR_RETURN_IMPL(MLP_STATUS_CONCAT(mlp_result_, __LINE__), target, expression)
