#ifndef DOCKET_WORKFLOW_BASE_CHECK_H_
#define DOCKET_WORKFLOW_BASE_CHECK_H_

#include <cstdio>
#include <cstdlib>

// Aborts when an invariant is broken, in every build. For what must be true; anything that input, disk or network can
// cause is an absl::Status instead.
#define DOCKET_CHECK(condition)                                                          \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)

// Returns the status of `expression` from the enclosing function when it is not OK.
#define DOCKET_RETURN_IF_ERROR(expression)                                            \
  do {                                                                                \
    if (auto docket_status = (expression); !docket_status.ok()) return docket_status; \
  } while (false)

#define DOCKET_CONCAT_INNER(a, b) a##b
#define DOCKET_CONCAT(a, b) DOCKET_CONCAT_INNER(a, b)

// Declares `lhs` from an absl::StatusOr, or returns its status.
#define DOCKET_ASSIGN_OR_RETURN(lhs, expression)                                                                  \
  auto DOCKET_CONCAT(docket_statusor_, __LINE__) = (expression);                                                  \
  if (!DOCKET_CONCAT(docket_statusor_, __LINE__).ok()) return DOCKET_CONCAT(docket_statusor_, __LINE__).status(); \
  lhs = *std::move(DOCKET_CONCAT(docket_statusor_, __LINE__))

#endif  // DOCKET_WORKFLOW_BASE_CHECK_H_
