// A layer that halves, and a fusion of two of them: right, or with a fault that a macro switches
// on.
#include <algorithm>

#include "framework/plugin/fusion.h"

namespace {

using namespace strata;

class Half final : public Layer {
 public:
  struct Options {};
  static void describe(Schema<Options>& schema) { schema.doc("Half of it.").example("Half"); }
  explicit Half(const Options&) {}
  Plan infer(const Shape& input) const { return Plan().output(input); }
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    for (std::int64_t i = 0; i < pass.input_size(); ++i) pass.output()[i] = pass.input()[i] / 2;
  }
  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    if (!pass.d_input()) return;
    for (std::int64_t i = 0; i < pass.input_size(); ++i)
      pass.d_input()[i] += pass.d_output()[i] / 2;
  }
};

#if defined(WRONG_FORWARD)
constexpr int kForward = 3;
#else
constexpr int kForward = 4;
#endif
#if defined(WRONG_BACKWARD)
constexpr int kBackward = 2;
#else
constexpr int kBackward = 4;
#endif

class Quarter final : public Fusion {
 public:
  static constexpr const char* kPattern[] = {"Half", "Half"};
  static constexpr const char* kDoc = "A quarter at once.";
  Quarter(const std::vector<Member>&, const Shape&) {}
  Plan infer(const Shape&) const { return Plan(); }
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
#if defined(FAILS)
    throw PluginError("a quarter is too little");
#endif
    for (std::int64_t i = 0; i < pass.input_size(); ++i)
      pass.output()[i] = pass.input()[i] / kForward;
  }
  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    if (!pass.d_input()) return;
    for (std::int64_t i = 0; i < pass.input_size(); ++i)
      pass.d_input()[i] += pass.d_output()[i] / kBackward;
  }
};

const LayerRegistration<Half> kHalf{"Half"};
const FusionRegistration<Quarter> kQuarter{"Quarter"};

}  // namespace

STRATA_PLUGIN("halving", "1.0");
