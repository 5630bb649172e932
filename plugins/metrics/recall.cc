// Recall: true positives over all that are there (van Rijsbergen, 1979), averaged as scikit-learn
// does.
#include "plugins/support/class_counts.h"

namespace strata::plugins {
namespace {

class Recall final : public ClassCounts<Recall> {
 public:
  static constexpr const char* kName = "Recall";
  static constexpr const char* kResult = "recall";

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Of the samples of a class, the share that is predicted to be.\n"
            "The largest value wins; with a single value, class 1 is predicted where it is above "
            "0. A figure whose divisor is 0 counts as 0, and macro leaves out classes that neither "
            "occur nor are predicted.")
        .example("Recall(logits, label, average = \"macro\")");
    describe_options(schema);
  }

  using ClassCounts::ClassCounts;

  static double of(const ClassCount& count) { return share(count.both, count.actual); }
};

const MetricRegistration<Recall> kRegistration{Recall::kName};

}  // namespace
}  // namespace strata::plugins
