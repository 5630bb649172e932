// The table of codes.
#include "framework/graph/diagnostic_codes.h"

#include <algorithm>

namespace strata {

const std::vector<DiagnosticDoc>& graph_diagnostic_docs() {
  static const std::vector<DiagnosticDoc> kDocs{};
  return kDocs;
}

const std::vector<std::string>& lint_names() {
  static const std::vector<std::string> kNames{
      "batch-of-one",  "cancelled-bias", "dropout-before-batchnorm", "schedule-longer-than-run",
      "softmax-twice", "study-axis-changes-nothing", "unread-output", "unscaled-bytes", "unused-block", "unused-param", "unused-value"};
  return kNames;
}

bool is_lint(std::string_view code) {
  return std::find(lint_names().begin(), lint_names().end(), code) != lint_names().end();
}

}  // namespace strata
