// The conformance harness finds what is wrong: one faulty plugin for each rule.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "framework/plugin/dataset.h"
#include "framework/plugin/layer.h"
#include "framework/plugin/loss.h"
#include "framework/plugin/metric.h"
#include "framework/plugin/optimizer.h"
#include "framework/plugin/registry.h"
#include "framework/plugin/testing/conformance.h"
#include "framework/plugin/transform.h"

namespace strata {
namespace {

using testing::Contains;
using testing::HasSubstr;

enum class Fault {
  kNone,
  kGradient,
  kOverwritesParameterGradient,
  kWritesOutside,
  kReadsUnwritten,
  kReadsPoisonedInput,
  kDependsOnTasks,
  kChangesInput,
  kRandomInInference,
  kForgetsAccumulate,
  kDependsOnPrecision,
  kIgnoresNull,
  kSwallowsNan,
  kSwallowsNanGradient,
};

// y = w · x² with one weight per feature, and one thing wrong with it.
template <Fault kFault>
class Faulty : public Layer {
 public:
  struct Options {
    InitializerRef init{"Ones"};
  };
  static void describe(Schema<Options>& schema) {
    schema.doc("Squares, scaled.").example("FaultyNot");
    schema.option("init", &Options::init).doc("starting values");
  }
  explicit Faulty(const Options& options) : init_(options.init) {}

  Plan infer(const Shape& input) const {
    Plan plan;
    plan.output(input).parameter("weight", {input.elements()}, init_, 1, 1, true).overwrites();
    if (kFault != Fault::kReadsPoisonedInput) plan.needs_input();
    return plan.scratch(0, 1);
  }

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const std::int64_t n = pass.input_shape().elements();
    const T* x = pass.input();
    T* y = pass.output();
    const std::int64_t end = pass.input_size() + (kFault == Fault::kWritesOutside ? 1 : 0);
    const T offset = kFault == Fault::kRandomInInference && !pass.training()
                         ? static_cast<T>(pass.key()[0])
                         : T(0);
    for (std::int64_t i = 0; i < end; ++i) y[i] = x[i] * x[i] * pass.parameter(0)[i % n] + offset;
    if (kFault == Fault::kSwallowsNan) {
      for (std::int64_t i = 0; i < end; ++i) y[i] = x[i] == x[i] ? y[i] : T(0);
    }
    if (kFault == Fault::kReadsUnwritten) y[0] += pass.scratch()[0];
    if (kFault == Fault::kChangesInput) const_cast<T*>(x)[0] += T(1);
    if (kFault == Fault::kDependsOnPrecision && sizeof(T) == 4) y[0] += T(1);
    if (kFault == Fault::kDependsOnTasks) {
      T last = 0;
      pass.parallel(3, [&](std::int64_t task) { last = static_cast<T>(task); });
      y[0] += last;
    }
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const std::int64_t n = pass.input_shape().elements();
    const T* x = pass.input();
    const T* dy = pass.d_output();
    T* dx = pass.d_input();
    T* dw = pass.d_parameter(0);
    if (kFault == Fault::kOverwritesParameterGradient) std::fill_n(dw, n, T(0));
    const T two = kFault == Fault::kGradient ? T(2.001) : T(2);
    if (kFault == Fault::kIgnoresNull && !dx) return;
    for (std::int64_t i = 0; i < pass.input_size(); ++i) {
      if (kFault == Fault::kSwallowsNanGradient && dy[i] != dy[i]) continue;
      dw[i % n] += dy[i] * x[i] * x[i];
      const T gradient = two * x[i] * pass.parameter(0)[i % n] * dy[i];
      if (dx)
        dx[i] =
            (pass.accumulate() && kFault != Fault::kForgetsAccumulate ? dx[i] : T(0)) + gradient;
    }
  }

 private:
  const InitializerRef init_;
};

const LayerRegistration<Faulty<Fault::kNone>> kNone{"FaultyNot"};
const LayerRegistration<Faulty<Fault::kGradient>> kGradient{"FaultyGradient"};
const LayerRegistration<Faulty<Fault::kOverwritesParameterGradient>> kOverwrites{
    "FaultyOverwrites"};
const LayerRegistration<Faulty<Fault::kWritesOutside>> kOutside{"FaultyOutside"};
const LayerRegistration<Faulty<Fault::kReadsUnwritten>> kUnwritten{"FaultyUnwritten"};
const LayerRegistration<Faulty<Fault::kReadsPoisonedInput>> kPoisoned{"FaultyPoisoned"};
const LayerRegistration<Faulty<Fault::kDependsOnTasks>> kTasks{"FaultyTasks"};
const LayerRegistration<Faulty<Fault::kChangesInput>> kInput{"FaultyInput"};
const LayerRegistration<Faulty<Fault::kRandomInInference>> kRandom{"FaultyRandom"};
const LayerRegistration<Faulty<Fault::kForgetsAccumulate>> kAccumulate{"FaultyAccumulate"};
const LayerRegistration<Faulty<Fault::kDependsOnPrecision>> kPrecision{"FaultyPrecision"};
const LayerRegistration<Faulty<Fault::kIgnoresNull>> kNull{"FaultyNull"};

const LayerRegistration<Faulty<Fault::kSwallowsNan>> kNan{"FaultyNan"};
const LayerRegistration<Faulty<Fault::kSwallowsNanGradient>> kNanGradient{"FaultyNanGradient"};

// Nothing is right about its schema.
class FaultySchema : public Layer {
 public:
  struct Options {
    double Rate = 2;
  };
  static void describe(Schema<Options>& schema) {
    schema.option("Rate", &Options::Rate).max(1).doc("A sentence.");
  }
  explicit FaultySchema(const Options&) {}
  Plan infer(const Shape&) const { throw PluginError("takes nothing"); }
  template <class T>
  void forward(const ForwardPass<T>&) const {}
  template <class T>
  void backward(const BackwardPass<T>&) const {}
};
const LayerRegistration<FaultySchema> kSchema{"FaultySchema"};

// Its gradient leaves the scale out.
class FaultyLoss : public Loss {
 public:
  struct Options {};
  static void describe(Schema<Options>& schema) {
    schema.doc("The sum.")
        .example("FaultyLoss(prediction, target)")
        .inputs({"prediction", "target"});
  }
  explicit FaultyLoss(const Options&) {}
  LossPlan infer(const std::vector<Input>&) const { return {}; }
  template <class T>
  void evaluate(const LossPass<T>& pass) const {
    const std::int64_t n = pass.shape(0).elements();
    for (std::int64_t i = 0; i < pass.batch(); ++i) {
      pass.losses()[i] = 0;
      for (std::int64_t k = i * n; k < (i + 1) * n; ++k) {
        pass.losses()[i] += static_cast<double>(pass.input(0)[k]);
        if (T* dx = pass.d_input(0)) dx[k] = T(1);
      }
    }
  }
};
const LossRegistration<FaultyLoss> kLoss{"FaultyLoss"};

// The mean absolute difference, without those that are no numbers.
class SwallowingLoss : public Loss {
 public:
  struct Options {};
  static void describe(Schema<Options>& schema) {
    schema.doc("The mean absolute difference.")
        .example("SwallowingLoss(prediction, target)")
        .inputs({"prediction", "target"});
  }
  explicit SwallowingLoss(const Options&) {}
  LossPlan infer(const std::vector<Input>& inputs) const {
    if (inputs[1].dtype != STRATA_REAL) throw PluginError("it compares with values");
    return {};
  }
  template <class T>
  void evaluate(const LossPass<T>& pass) const {
    const std::int64_t n = pass.shape(0).elements();
    const T scale = static_cast<T>(pass.scale());
    for (std::int64_t i = 0; i < pass.batch(); ++i) {
      double& loss = pass.losses()[i] = 0;
      for (std::int64_t k = i * n; k < (i + 1) * n; ++k) {
        const T gap = pass.input(0)[k] - pass.input(1)[k];
        if (gap == gap) loss += std::abs(static_cast<double>(gap));
        const T slope = gap > T(0) ? scale : -scale;
        if (T* dx = pass.d_input(0)) dx[k] = slope;
        if (T* dx = pass.d_input(1)) dx[k] = -slope;
      }
    }
  }
};
const LossRegistration<SwallowingLoss> kSwallowingLoss{"SwallowingLoss"};

// The same as a figure.
class SwallowingMetric : public Metric {
 public:
  struct Options {};
  static void describe(Schema<Options>& schema) {
    schema.doc("The mean absolute difference.")
        .example("SwallowingMetric(prediction, target)")
        .inputs({"prediction", "target"});
  }
  explicit SwallowingMetric(const Options&) {}
  MetricPlan infer(const std::vector<Input>& inputs) const {
    if (inputs[1].dtype != STRATA_REAL) throw PluginError("it compares with values");
    return MetricPlan().accumulator(2).result("difference", /*higher_is_better=*/false);
  }
  template <class T>
  void update(const MetricPass<T>& pass) const {
    for (std::int64_t i = 0; i < pass.batch() * pass.shape(0).elements(); ++i) {
      const auto gap = static_cast<double>(pass.input(0)[i] - pass.input(1)[i]);
      if (gap == gap) pass.accumulator()[0] += std::abs(gap);
      pass.accumulator()[1] += 1;
    }
  }
  void results(const double* accumulator, double* results) const {
    results[0] = accumulator[0] / accumulator[1];
  }
};
const MetricRegistration<SwallowingMetric> kSwallowingMetric{"SwallowingMetric"};

// A sign of NaN is 0 here.
class SwallowingOptimizer : public Optimizer {
 public:
  struct Options {
    double lr = 0.1;
  };
  static void describe(Schema<Options>& schema) {
    schema.doc("Descends by signs.").example("SwallowingOptimizer");
    schema.option("lr", &Options::lr).doc("learning rate");
  }
  explicit SwallowingOptimizer(const Options&) {}
  std::vector<std::string> slots() const { return {}; }
  template <class T>
  void update(const UpdatePass<T>& pass) const {
    const auto rate = static_cast<T>(pass.learning_rate());
    for (std::int64_t i = 0; i < pass.count(); ++i) {
      const T g = pass.gradient()[i];
      pass.weights()[i] -= rate * static_cast<T>((g > T(0)) - (g < T(0)));
    }
  }
};
const OptimizerRegistration<SwallowingOptimizer> kSwallowingOptimizer{"SwallowingOptimizer"};

// Clamps what is below zero, and with it what is no number.
template <bool kRemembers>
class FaultyTransform : public Transform {
 public:
  struct Options {};
  static void describe(Schema<Options>& schema) {
    schema.doc("Values from a smallest one on.").example("FaultyTransform");
  }
  explicit FaultyTransform(const Options&) {}
  DataPlan infer(const std::vector<Field>& fields) const {
    if (fields[0].dtype != STRATA_REAL) throw PluginError("it takes real numbers");
    DataPlan plan;
    for (const Field& field : fields) plan.field(field);
    return plan.fitted("smallest", {1});
  }
  template <class T>
  void fit(const FitPass<T>& pass) const {
    for (std::int64_t i = 0; i < pass.count() * pass.shape(0).elements(); ++i) {
      const auto x = static_cast<double>(pass.template input<T>(0)[i]);
      pass.fitted()[0] = std::min(pass.fitted()[0], x);
    }
  }
  void finish_fit(const std::vector<Field>&, double* fitted) const { smallest_ = fitted[0]; }
  template <class T>
  void apply(const TransformPass<T>& pass) const {
    const auto least = static_cast<T>(kRemembers ? smallest_ : pass.fitted()[0]) / T(2);
    T* values = pass.template output<T>(0);
    for (std::int64_t i = 0; i < pass.count() * pass.shape(0).elements(); ++i) {
      const T x = values[i];
      values[i] = x > least ? x : kRemembers && x != x ? x : least;
    }
  }

 private:
  mutable double smallest_ = 0;
};
const TransformRegistration<FaultyTransform<false>> kSwallowingTransform{"FaultyTransform"};
const TransformRegistration<FaultyTransform<true>> kForgetfulTransform{
    "FaultyTransformThatForgets"};

// Its step depends on where the slice begins.
class FaultyOptimizer : public Optimizer {
 public:
  struct Options {
    double lr = 0.1;
  };
  static void describe(Schema<Options>& schema) {
    schema.doc("Descends.").example("FaultyOptimizer");
    schema.option("lr", &Options::lr).doc("learning rate");
  }
  explicit FaultyOptimizer(const Options&) {}
  std::vector<std::string> slots() const { return {}; }
  template <class T>
  void update(const UpdatePass<T>& pass) const {
    const auto rate = static_cast<T>(pass.learning_rate());
    for (std::int64_t i = 1; i < pass.count(); ++i) pass.weights()[i] -= rate * pass.gradient()[i];
  }
};
const OptimizerRegistration<FaultyOptimizer> kOptimizer{"FaultyOptimizer"};

// It remembers the first rate that it was given: a run that goes on has another first one.
class ForgetfulOptimizer : public Optimizer {
 public:
  struct Options {
    double lr = 0.1;
  };
  static void describe(Schema<Options>& schema) {
    schema.doc("Descends.").example("ForgetfulOptimizer");
    schema.option("lr", &Options::lr).doc("learning rate");
  }
  explicit ForgetfulOptimizer(const Options&) {}
  std::vector<std::string> slots() const { return {}; }
  template <class T>
  void update(const UpdatePass<T>& pass) const {
    if (first_ == 0) first_ = pass.learning_rate();
    const auto rate = static_cast<T>(first_);
    for (std::int64_t i = 0; i < pass.count(); ++i) pass.weights()[i] -= rate * pass.gradient()[i];
  }

 private:
  mutable double first_ = 0;
};
const OptimizerRegistration<ForgetfulOptimizer> kForgetful{"ForgetfulOptimizer"};

// Each instance has samples of its own.
class FaultyDataset : public Dataset {
 public:
  struct Options {};
  static void describe(Schema<Options>& schema) { schema.doc("Points.").example("FaultyDataset"); }
  explicit FaultyDataset(const Options&) {
    static int instances = 0;
    value_ = ++instances;
  }
  DataPlan describe() const {
    return DataPlan().field({"point", STRATA_REAL, {1}, 0}).split("train", 10);
  }
  DataPlan open(const std::vector<std::string>&) { return describe(); }
  void read(const ReadPass& pass) const {
    for (std::int64_t i = 0; i < pass.count; ++i) {
      if (pass.real_dtype == STRATA_F32) {
        static_cast<float*>(pass.fields[0])[i] = static_cast<float>(value_);
      } else {
        static_cast<double*>(pass.fields[0])[i] = value_;
      }
    }
  }

 private:
  int value_;
};
const DatasetRegistration<FaultyDataset> kDataset{"FaultyDataset"};

std::vector<std::string> problems(Kind kind, const char* name) {
  static const Registry registry = Registry::builtin();
  return check_conformance(*registry.find(kind, name), registry).problems;
}
std::vector<std::string> layer_problems(const char* name) { return problems(STRATA_LAYER, name); }

TEST(Harness, FindsNothingWhereNothingIsWrong) {
  EXPECT_THAT(layer_problems("FaultyNot"), testing::IsEmpty());
}

TEST(Harness, FindsAGradientThatIsOffByAThousandth) {
  EXPECT_THAT(layer_problems("FaultyGradient"),
              Contains(HasSubstr("the gradient of input 0 in training is")));
}
TEST(Harness, FindsParameterGradientsThatAreNotAdded) {
  EXPECT_THAT(layer_problems("FaultyOverwrites"),
              Contains(HasSubstr("gradient 1 is not added to what was there")));
}
TEST(Harness, FindsInputGradientsThatAreNotAdded) {
  EXPECT_THAT(layer_problems("FaultyAccumulate"),
              Contains(HasSubstr("gradient 0 is not added to what was there")));
}
TEST(Harness, FindsWritesOutside) {
  EXPECT_THAT(layer_problems("FaultyOutside"),
              Contains(HasSubstr("writes outside of its buffers in training")));
}
TEST(Harness, FindsReadsOfWhatNobodyWrote) {
  EXPECT_THAT(layer_problems("FaultyUnwritten"),
              Contains(HasSubstr("an output is not finite in training")));
}
TEST(Harness, FindsReadsOfInputsThatThePlanDoesNotAskFor) {
  EXPECT_THAT(layer_problems("FaultyPoisoned"),
              Contains(HasSubstr("depends on what the plan does not ask for")));
}
TEST(Harness, FindsResultsThatDependOnTheOrderOfTasks) {
  EXPECT_THAT(layer_problems("FaultyTasks"),
              Contains(HasSubstr("gives other bits when tasks come last to first")));
}
TEST(Harness, FindsChangedInputs) {
  EXPECT_THAT(layer_problems("FaultyInput"), Contains(HasSubstr("changes what it may only read")));
}
TEST(Harness, FindsRandomInference) {
  EXPECT_THAT(layer_problems("FaultyRandom"),
              Contains(HasSubstr("depends on the random stream in inference")));
}
TEST(Harness, FindsResultsThatDependOnThePrecision) {
  EXPECT_THAT(layer_problems("FaultyPrecision"), Contains(HasSubstr("between f32 and f64")));
}
TEST(Harness, FindsParameterGradientsThatNeedInputGradients) {
  EXPECT_THAT(layer_problems("FaultyNull"),
              Contains(HasSubstr("where none is wanted for the inputs")));
}
TEST(Harness, FindsLayersThatSwallowNan) {
  EXPECT_THAT(layer_problems("FaultyNan"),
              Contains(HasSubstr("swallows a NaN in input 0 in training: an output depends on "
                                 "element 0 and is 0")));
  EXPECT_THAT(layer_problems("FaultyNanGradient"),
              Contains(HasSubstr("swallows a NaN in the gradient of output 0 in training: a "
                                 "gradient depends on element 0 and is 0")));
}
TEST(Harness, FindsLossesThatSwallowNan) {
  EXPECT_THAT(problems(STRATA_LOSS, "SwallowingLoss"),
              Contains(HasSubstr("swallows a NaN in input 0: the loss of sample 0 depends on "
                                 "element 0 and is ")));
}
TEST(Harness, FindsMetricsThatNanMakesBetter) {
  const auto found = problems(STRATA_METRIC, "SwallowingMetric");
  EXPECT_THAT(found,
              Contains(HasSubstr(
                  "swallows NaN: where every prediction is NaN, `difference` is 0 and not ")));
  EXPECT_THAT(found, Contains(HasSubstr("where every target is NaN")));
}
TEST(Harness, FindsOptimizersThatSwallowNan) {
  EXPECT_THAT(problems(STRATA_OPTIMIZER, "SwallowingOptimizer"),
              Contains(HasSubstr("swallows a NaN: a weight whose gradient was NaN is ")));
}
TEST(Harness, FindsTransformsThatSwallowNan) {
  EXPECT_THAT(problems(STRATA_TRANSFORM, "FaultyTransform"),
              Contains(HasSubstr("swallows a NaN in `image` in training: an output depends on "
                                 "element 0 and is ")));
}
TEST(Harness, FindsTransformsThatKeepWhatIsNotSaved) {
  EXPECT_THAT(problems(STRATA_TRANSFORM, "FaultyTransformThatForgets"),
              Contains(HasSubstr("gives other values in a new instance that has what was saved")));
}
TEST(Harness, SaysWhatBecomesOfNan) {
  static const Registry registry = Registry::builtin();
  const auto handling = [&](Kind kind, const char* name) {
    return nan_handling_name(check_conformance(*registry.find(kind, name), registry).nan);
  };
  EXPECT_EQ(handling(STRATA_LAYER, "FaultyNot"), "propagated");
  EXPECT_EQ(handling(STRATA_LAYER, "FaultyNan"), "swallowed");
  EXPECT_EQ(handling(STRATA_LAYER, "Embedding"), "refused");
  EXPECT_EQ(handling(STRATA_METRIC, "Accuracy"), "counted");
  EXPECT_EQ(handling(STRATA_INITIALIZER, "Zeros"), "not fed in");
}

TEST(Harness, FindsFaultsOfTheSchema) {
  const auto found = layer_problems("FaultySchema");
  EXPECT_THAT(found, Contains(HasSubstr("has no doc")));
  EXPECT_THAT(found, Contains(HasSubstr("has no example")));
  EXPECT_THAT(found, Contains(HasSubstr("`Rate` is not in snake_case")));
  EXPECT_THAT(found, Contains(HasSubstr("ends with a full stop")));
  EXPECT_THAT(
      found,
      Contains(HasSubstr("the default of `Rate` is not allowed: `Rate` must be at most 1, not 2")));
  EXPECT_THAT(found, Contains(HasSubstr("accepts none of the shapes tried")));
}
TEST(Harness, FindsLossGradientsWithoutTheScale) {
  EXPECT_THAT(problems(STRATA_LOSS, "FaultyLoss"),
              Contains(HasSubstr("the gradient of input 0 is 1")));
}
TEST(Harness, FindsOptimizersThatDependOnSlices) {
  EXPECT_THAT(problems(STRATA_OPTIMIZER, "FaultyOptimizer"),
              Contains(HasSubstr("slices give other weights")));
}
TEST(Harness, FindsOptimizersThatKeepWhatIsNotSaved) {
  EXPECT_THAT(problems(STRATA_OPTIMIZER, "ForgetfulOptimizer"),
              Contains(HasSubstr("gives other weights in a new instance that has what was saved")));
}
TEST(Harness, FindsDataThatDifferWhenTheyAreOpenedAgain) {
  EXPECT_THAT(
      problems(STRATA_DATASET, "FaultyDataset"),
      Contains(HasSubstr("`point` of the split `train` has other values in a new instance")));
}

}  // namespace
}  // namespace strata
