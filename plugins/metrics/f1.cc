// F1: the harmonic mean of precision and recall (van Rijsbergen, 1979), averaged as scikit-learn
// does.
#include "plugins/support/class_counts.h"

namespace strata::plugins {
namespace {

class F1 final : public ClassCounts<F1> {
 public:
  static constexpr const char* kName = "F1";
  static constexpr const char* kResult = "f1";

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "The harmonic mean of precision and recall.\n"
            "The largest value wins; with a single value, class 1 is predicted where it is above "
            "0. A figure whose divisor is 0 counts as 0, and macro leaves out classes that neither "
            "occur nor are predicted.")
        .example("F1(logits, label, average = \"macro\")");
    describe_options(schema);
  }

  using ClassCounts::ClassCounts;

  static double of(const ClassCount& count) {
    return share(2 * count.both, count.predicted + count.actual);
  }
};

const MetricRegistration<F1> kRegistration{F1::kName};

}  // namespace
}  // namespace strata::plugins
