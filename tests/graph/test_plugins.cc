// Layers that are only elaborated, never run.
#include "tests/graph/test_plugins.h"

#include "framework/plugin/layer.h"

namespace strata::testing {
namespace {

class Inert : public Layer {
 public:
  template <class T>
  void forward(const ForwardPass<T>&) const {}
  template <class T>
  void backward(const BackwardPass<T>&) const {}
};

class Add final : public Inert {
 public:
  struct Options {};
  static void describe(Schema<Options>& schema) {
    schema.doc("The sum of values of one shape.").example("Add(main, skip)").variadic();
  }
  explicit Add(const Options&) {}
  Plan infer(const std::vector<Input>& inputs) const {
    for (const Input& input : inputs) {
      if (input.shape == inputs[0].shape) continue;
      throw PluginError(text("Add needs values of one shape, and `", inputs[0].name, "` is ",
                             inputs[0].shape.text(), " where `", input.name, "` is ",
                             input.shape.text()));
    }
    return Plan().output(inputs[0].shape);
  }
};

class Split final : public Inert {
 public:
  struct Options {
    std::int64_t parts = 2;
  };
  static void describe(Schema<Options>& schema) {
    schema.doc("The first axis in equal parts.").example("a, b = Split(x, parts = 2)");
    schema.option("parts", &Options::parts).min(2).doc("how many");
  }
  explicit Split(const Options& options) : parts_(options.parts) {}
  Plan infer(const Shape& input) const {
    std::vector<std::int64_t> dims(input.begin(), input.end());
    if (dims.empty() || dims[0] % parts_ != 0) {
      throw PluginError(text("Split cannot cut ", input.text(), " into ", parts_, " equal parts"));
    }
    dims[0] /= parts_;
    Plan plan;
    for (std::int64_t i = 0; i < parts_; ++i) plan.output(Shape(dims.begin(), dims.end()));
    return plan;
  }

 private:
  const std::int64_t parts_;
};

class Gate final : public Inert {
 public:
  struct Options {
    bool hard = false;
  };
  static void describe(Schema<Options>& schema) {
    schema.doc("One value opened and shut by another.")
        .example("Gate(x, gate)")
        .inputs({"value", "gate"});
    schema.option("hard", &Options::hard).doc("nothing between open and shut");
  }
  explicit Gate(const Options&) {}
  Plan infer(const std::vector<Input>& inputs) const { return Plan().output(inputs[0].shape); }
};

class Fussy final : public Inert {
 public:
  struct Options {
    std::int64_t size = 1;
  };
  static void describe(Schema<Options>& schema) {
    schema.doc("Refuses.").example("Fussy(1)");
    schema.option("size", &Options::size).doc("odd");
  }
  explicit Fussy(const Options& options) {
    if (options.size % 2 == 0)
      throw PluginError(text("`size` must be odd, not ", options.size), "take the next one");
  }
  Plan infer(const Shape& input) const { return Plan().output(input); }
};

class Orphan final : public Inert {
 public:
  struct Options {
    InitializerRef init{"Nowhere"};
  };
  static void describe(Schema<Options>& schema) {
    schema.doc("Has a default that is not registered.").example("Orphan");
    schema.option("init", &Options::init).doc("starting weights");
  }
  explicit Orphan(const Options&) {}
  Plan infer(const Shape& input) const { return Plan().output(input); }
};

class Broken final : public Inert {
 public:
  struct Options {};
  static void describe(Schema<Options>& schema) { schema.doc("Has no output.").example("Broken"); }
  explicit Broken(const Options&) {}
  Plan infer(const Shape&) const { return {}; }
};

template <class L>
const strata_entry* table(const char* name) {
  static const strata_entry entry{sizeof(strata_entry),
                                  STRATA_LAYER,
                                  name,
                                  &plugin_internal::Described<L>::get().schema.finish(),
                                  &plugin_internal::create<L>,
                                  &plugin_internal::destroy<L>,
                                  &plugin_internal::kLayerFunctions<L>};
  return &entry;
}

constexpr const char* kReal[] = {"Flatten",      "Dense",    "BatchNorm",    "ReLU",
                                 "Softmax",      "Dropout",  "CrossEntropy", "MeanSquaredError",
                                 "Accuracy",     "SGD",      "Adam",         "GlorotUniform",
                                 "GlorotNormal", "HeNormal", "HeUniform",    "KaimingUniform",
                                 "FanInUniform", "Zeros",    "Ones",         "Constant",
                                 "Cosine",       "MNIST",    "FashionMNIST", "Rescale",
                                 "Normalize"};

Registry make() {
  const Registry all = Registry::builtin();
  Registry chosen;
  for (const char* name : kReal) {
    for (const Entry* entry : all.find(name)) (void)chosen.add(entry->table, "built in").ok();
  }
  for (const strata_entry* entry :
       {table<Add>("Add"), table<Split>("Split"), table<Gate>("Gate"), table<Fussy>("Fussy"),
        table<Orphan>("Orphan"), table<Broken>("Broken")}) {
    (void)chosen.add(entry, "built in").ok();
  }
  return chosen;
}

}  // namespace

const Registry& golden_registry() {
  static const Registry registry = make();
  return registry;
}

}  // namespace strata::testing
