// Precision: true positives over all that are predicted (van Rijsbergen, 1979), averaged as
// scikit-learn does.
#include "plugins/support/class_counts.h"

namespace strata::plugins {
namespace {

class Precision final : public ClassCounts<Precision> {
 public:
  static constexpr const char* kName = "Precision";
  static constexpr const char* kResult = "precision";

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Of the samples that are predicted to be of a class, the share that is.\n"
            "The largest value wins; with a single value, class 1 is predicted where it is above "
            "0. A figure whose divisor is 0 counts as 0, and macro leaves out classes that neither "
            "occur nor are predicted.")
        .example("Precision(logits, label, average = \"macro\")");
    describe_options(schema);
  }

  using ClassCounts::ClassCounts;

  static double of(const ClassCount& count) { return share(count.both, count.predicted); }
};

const MetricRegistration<Precision> kRegistration{Precision::kName};

}  // namespace
}  // namespace strata::plugins
