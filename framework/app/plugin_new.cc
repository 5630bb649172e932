// The texts of a new plugin. {{name}} stands for its name, {{Name}} for what it offers.
#include "framework/app/plugin_new.h"

#include <map>

namespace strata::app {
namespace {

struct Kind {
  std::string_view source;  // the plugin
  std::string_view model;   // a file that uses it
};

constexpr std::string_view kLayer =
    R"file(// {{Name}}: x * sigmoid(beta * x). A layer to begin from.
#include <cmath>

#include "framework/plugin/layer.h"

namespace {

using namespace strata;

class {{Name}} final : public Layer {
 public:
  struct Options {
    double beta = 1;  // the only place a default is written
  };

  static void describe(Schema<Options>& schema) {
    schema.doc("A smooth relative of ReLU: x * sigmoid(beta * x).").example("{{Name}}(1.5)");
schema.option("beta", &Options::beta).above(0).doc("how sharply it bends at zero");
}

explicit {{Name}}(const Options& options) : beta_(options.beta) {}

// Shapes in, shapes and buffers out. What cannot be is a PluginError with a sentence.
Plan infer(const Shape& input) const {
  return Plan().output(input).needs_input().overwrites().flops(
      5 * static_cast<double>(input.elements()));
}

template <class T>
void forward(const ForwardPass<T>& pass) const {
  const T* x = pass.input();
  T* y = pass.output();
  const T beta = static_cast<T>(beta_);
  pass.tiles(pass.input_size(), kElementwiseTile, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y[i] = x[i] / (T(1) + std::exp(-beta * x[i]));
  });
}

template <class T>
void backward(const BackwardPass<T>& pass) const {
  const T* x = pass.input();
  const T* dy = pass.d_output();
  T* dx = pass.d_input();
  if (!dx) return;
  const T beta = static_cast<T>(beta_);
  const bool accumulate = pass.accumulate();
  pass.tiles(pass.input_size(), kElementwiseTile, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T s = T(1) / (T(1) + std::exp(-beta * x[i]));
      const T gradient = dy[i] * (s + beta * x[i] * s * (T(1) - s));
      dx[i] = accumulate ? dx[i] + gradient : gradient;
    }
  });
}

private:
const double beta_;
};

const LayerRegistration<{{Name}}> kRegistration{"{{Name}}"};

}  // namespace

STRATA_PLUGIN("{{name}}", "1.0");
)file";

constexpr std::string_view kLoss =
    R"file(// {{Name}}: the squared difference, averaged over a sample's elements. A loss to begin from.
#include "framework/plugin/loss.h"

namespace {

using namespace strata;

class {{Name}} final : public Loss {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema.doc("The mean over a sample's elements of (prediction - target)².")
        .example("{{Name}}(prediction, target)")
        .inputs({"prediction", "target"});
}

explicit {{Name}}(const Options&) {}

LossPlan infer(const std::vector<Input>& inputs) const {
  for (const Input& input : inputs) {
    if (input.dtype != STRATA_REAL)
      throw PluginError(text("`", input.name, "` has no real numbers"));
  }
  if (!(inputs[0].shape == inputs[1].shape)) {
    throw PluginError(text("the prediction has the shape ", inputs[0].shape.text(),
                           ", and the target ", inputs[1].shape.text()));
  }
  return {};
}

// prediction, target: [batch, n]
template <class T>
void evaluate(const LossPass<T>& pass) const {
  const std::int64_t n = pass.shape(0).elements();
  const T* prediction = pass.input(0);
  const T* target = pass.input(1);
  T* d_prediction = pass.d_input(0);
  T* d_target = pass.d_input(1);
  const T factor = static_cast<T>(2 * pass.scale() / static_cast<double>(n));
  pass.tiles(pass.batch(), 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t sample = begin; sample < end; ++sample) {
      double sum = 0;
      for (std::int64_t i = sample * n; i < (sample + 1) * n; ++i) {
        const T difference = prediction[i] - target[i];
        sum += static_cast<double>(difference) * static_cast<double>(difference);
        if (d_prediction) d_prediction[i] = factor * difference;
        if (d_target) d_target[i] = -factor * difference;
      }
      pass.losses()[sample] = sum / static_cast<double>(n);
    }
  });
}
}
;

const LossRegistration<{{Name}}> kRegistration{"{{Name}}"};

}  // namespace

STRATA_PLUGIN("{{name}}", "1.0");
)file";

constexpr std::string_view kMetric =
    R"file(// {{Name}}: the mean of the largest values. A metric to begin from.
#include <algorithm>

#include "framework/plugin/metric.h"

namespace {

using namespace strata;

class {{Name}} final : public Metric {
 public:
  struct Options {};

  static void describe(Schema<Options>& schema) {
    schema.doc("The mean over samples of a prediction's largest value.")
        .example("{{Name}}(logits)")
        .inputs({"prediction"});
}

explicit {{Name}}(const Options&) {}

MetricPlan infer(const std::vector<Input>& inputs) const {
  if (inputs[0].dtype != STRATA_REAL) throw PluginError("the prediction has no real numbers");
  return MetricPlan().accumulator(2).result("{{name}}");  // a sum, and how many samples
}

// prediction: [batch, n]; batches come in order, on one thread
template <class T>
void update(const MetricPass<T>& pass) const {
  const std::int64_t n = pass.shape(0).elements();
  for (std::int64_t sample = 0; sample < pass.batch(); ++sample) {
    const T* values = pass.input(0) + sample * n;
    pass.accumulator()[0] += static_cast<double>(*std::max_element(values, values + n));
  }
  pass.accumulator()[1] += static_cast<double>(pass.batch());
}

void results(const double* accumulator, double* results) const {
  results[0] = accumulator[1] > 0 ? accumulator[0] / accumulator[1] : 0;
}
}
;

const MetricRegistration<{{Name}}> kRegistration{"{{Name}}"};

}  // namespace

STRATA_PLUGIN("{{name}}", "1.0");
)file";

constexpr std::string_view kOptimizer =
    R"file(// {{Name}}: gradient descent with momentum. An optimizer to begin from.
#include "framework/plugin/optimizer.h"

namespace {

using namespace strata;

class {{Name}} final : public Optimizer {
 public:
  struct Options {
    double lr = 0.01;
    double momentum = 0.9;
  };

  static void describe(Schema<Options>& schema) {
    schema.doc("Steps against a running sum of gradients.").example("{{Name}}(lr = 0.1)");
schema.option("lr", &Options::lr).min(0).doc("learning rate, before the schedule's factor");
schema.option("momentum", &Options::momentum)
    .min(0)
    .below(1)
    .doc("how much of the last step's direction is kept");
}

explicit {{Name}}(const Options& options) : momentum_(options.momentum) {}

// Begin as zeros, are saved under these names.
std::vector<std::string> slots() const { return {"momentum_buffer"}; }

// A slice of one parameter; called from many threads.
template <class T>
void update(const UpdatePass<T>& pass) const {
  const T rate = static_cast<T>(pass.learning_rate()), momentum = static_cast<T>(momentum_);
  T* weights = pass.weights();
  T* buffer = pass.slot(0);
  const T* gradient = pass.gradient();
  for (std::int64_t i = 0; i < pass.count(); ++i) {
    buffer[i] = momentum * buffer[i] + gradient[i];
    weights[i] -= rate * buffer[i];
  }
}

private:
const double momentum_;
}
;

const OptimizerRegistration<{{Name}}> kRegistration{"{{Name}}"};

}  // namespace

STRATA_PLUGIN("{{name}}", "1.0");
)file";

constexpr std::string_view kSchedule =
    R"file(// {{Name}}: a straight line down. A schedule to begin from.
#include <algorithm>

#include "framework/plugin/schedule.h"

namespace {

using namespace strata;

class {{Name}} final : public Schedule {
 public:
  struct Options {
    double final_factor = 0;
  };

  static void describe(Schema<Options>& schema) {
    schema.doc("Lowers the learning rate along a straight line.").example("{{Name}}(final = 0.1)");
schema.option("final", &Options::final_factor)
    .min(0)
    .max(1)
    .doc("the factor at the end of the run");
}

explicit {{Name}}(const Options& options) : final_(options.final_factor) {}

// step counts from 0
double factor(std::int64_t step, std::int64_t total_steps, std::int64_t) const {
  const double t =
      static_cast<double>(step) / static_cast<double>(std::max<std::int64_t>(1, total_steps));
  return 1 + (final_ - 1) * std::clamp(t, 0.0, 1.0);
}

private:
const double final_;
}
;

const ScheduleRegistration<{{Name}}> kRegistration{"{{Name}}"};

}  // namespace

STRATA_PLUGIN("{{name}}", "1.0");
)file";

constexpr std::string_view kInitializer =
    R"file(// {{Name}}: uniform, narrower for more inputs. An initializer to begin from.
#include <cmath>

#include "framework/plugin/initializer.h"

namespace {

using namespace strata;

class {{Name}} final : public Initializer {
 public:
  struct Options {
    double scale = 1;
  };

  static void describe(Schema<Options>& schema) {
    schema.doc("Uniform between -scale / sqrt(fan_in) and scale / sqrt(fan_in).")
        .example("{{Name}}(0.5)");
schema.option("scale", &Options::scale).above(0).doc("multiplies the values");
}

explicit {{Name}}(const Options& options) : scale_(options.scale) {}

void fill(const InitializerPass& pass) const {
  const double bound = scale_ / std::sqrt(pass.fan_in());
  pass.uniform(-bound, bound);
}

private:
const double scale_;
}
;

const InitializerRegistration<{{Name}}> kRegistration{"{{Name}}"};

}  // namespace

STRATA_PLUGIN("{{name}}", "1.0");
)file";

constexpr std::string_view kDataset =
    R"file(// {{Name}}: points of the plane, inside and outside of a circle. A data set to begin from.
#include <cmath>

#include "framework/plugin/dataset.h"

namespace {

using namespace strata;

class {{Name}} final : public Dataset {
 public:
  struct Options {
    std::int64_t samples = 600;
    double radius = 0.8;
  };

  static void describe(Schema<Options>& schema) {
    schema.doc("Points of a square in two classes: outside of a circle, and inside.")
        .example("{{Name}}(samples = 1000)");
schema.option("samples", &Options::samples).min(10).max(1e8).doc("samples of the split train");
schema.option("radius", &Options::radius).above(0).max(1).doc("of the circle");
}

explicit {{Name}}(const Options& options) : options_(options) {}

// Fields and splits; reads no data.
DataPlan describe() const {
  return DataPlan()
      .field({"point", STRATA_REAL, {2}, 0})
      .field({"label", STRATA_I32, {}, 2})
      .class_names("label", {"outside", "inside"})
      .split("train", options_.samples)
      .split("val", options_.samples / 5);
}

// Loads and checks everything; what is missing or damaged is a data_error("…"). `folders` are where
// data sets are looked up.
DataPlan open(const std::vector<std::string>&) { return describe(); }

// Copies samples; called from many threads.
void read(const ReadPass& pass) const {
  auto* labels = static_cast<std::int32_t*>(pass.fields[1]);
  for (std::int64_t i = 0; i < pass.count; ++i) {
    const auto key = static_cast<std::uint64_t>(2 * pass.indices[i] + pass.split);
    const double x = coordinate(2 * key), y = coordinate(2 * key + 1);
    if (pass.real_dtype == STRATA_F32) {
      write(static_cast<float*>(pass.fields[0]) + 2 * i, x, y);
    } else {
      write(static_cast<double*>(pass.fields[0]) + 2 * i, x, y);
    }
    labels[i] = x * x + y * y < options_.radius * options_.radius;
  }
}

private:
template <class T>
static void write(T* point, double x, double y) {
  point[0] = static_cast<T>(x);
  point[1] = static_cast<T>(y);
}

// In [-1, 1), the same for the same key (SplitMix64, Steele et al., 2014).
static double coordinate(std::uint64_t key) {
  std::uint64_t z = (key + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-52 - 1;
}

const Options options_;
}
;

const DatasetRegistration<{{Name}}> kRegistration{"{{Name}}"};

}  // namespace

STRATA_PLUGIN("{{name}}", "1.0");
)file";

constexpr std::string_view kTransform =
    R"file(// {{Name}}: values times a number. A transform to begin from.
#include "framework/plugin/transform.h"

namespace {

using namespace strata;

class {{Name}} final : public Transform {
 public:
  struct Options {
    double factor = 0.5;
  };

  static void describe(Schema<Options>& schema) {
    schema.doc("Multiplies the first field's values.").example("{{Name}}(2.0)");
schema.option("factor", &Options::factor).doc("what values are multiplied by");
}

explicit {{Name}}(const Options& options) : factor_(options.factor) {}

// All fields that come out, changed or not, in order.
DataPlan infer(const std::vector<Field>& fields) const {
  if (fields.empty() || fields[0].dtype != STRATA_REAL)
    throw PluginError("{{Name}} wants real numbers as the first field");
  DataPlan plan;
  for (const Field& field : fields) plan.field(field);
  return plan;
}

template <class T>
void apply(const TransformPass<T>& pass) const {
  const std::int64_t count = pass.count() * pass.shape(0).elements();
  const T* in = pass.template input<T>(0);
  T* out = pass.template output<T>(0);
  for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(factor_) * in[i];
}

private:
const double factor_;
}
;

const TransformRegistration<{{Name}}> kRegistration{"{{Name}}"};

}  // namespace

STRATA_PLUGIN("{{name}}", "1.0");
)file";

// A model of two numbers in and some classes out, with a place for each kind.
constexpr std::string_view kModel =
    R"file(# Uses the plugin: trainer train {{name}}.model --plugin-dir .
format 1

require "{{name}}" >= 1.0

model {{name}}_example(point: [2]) -> logits {
  point -> Dense(16@WEIGHTS@) -> @LAYER@ -> Dense(3) as logits
}

data points = @DATA@

train {
  loss       = @LOSS@
  metrics    = [@METRIC@]
  optimizer  = @OPTIMIZER@@SCHEDULE@
  batch_size = 20
  epochs     = 3
}
)file";

constexpr std::string_view kMakefile = R"file(# make        builds {{name}}.so
# make check  has the trainer judge it, and check a model that uses it
# A trainer that is not in the PATH: make TRAINER=/opt/strata/bin/trainer
TRAINER  ?= trainer
STRATA   ?= $(patsubst %/bin/,%,$(dir $(realpath $(shell command -v $(TRAINER)))))
CXX      ?= g++
CXXFLAGS ?= -O3 -march=native -ffp-contract=off

{{name}}.so: {{name}}.cc
	$(CXX) -std=c++20 -Wall -Wextra -fPIC -shared -fvisibility=hidden $(CXXFLAGS) -I$(STRATA)/include/strata -o $@ $<

check: {{name}}.so
	$(TRAINER) plugin check {{name}}.so
	$(TRAINER) check {{name}}.model --plugin-dir .

clean:
	rm -f {{name}}.so

.PHONY: check clean
)file";

constexpr std::string_view kCMake =
    R"file(# cmake -B build && cmake --build build && ctest --test-dir build
# A Strata elsewhere: cmake -B build -DCMAKE_PREFIX_PATH=/opt/strata
cmake_minimum_required(VERSION 3.16)
project({{name}} CXX)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
find_package(Strata REQUIRED)

add_library({{name}} MODULE {{name}}.cc)
target_link_libraries({{name}} PRIVATE Strata::sdk)
target_compile_options({{name}} PRIVATE -march=native -ffp-contract=off)
set_target_properties({{name}} PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET hidden)

enable_testing()
add_test(NAME conformance COMMAND Strata::trainer plugin check $<TARGET_FILE:{{name}}>)
add_test(NAME model COMMAND Strata::trainer check ${CMAKE_CURRENT_SOURCE_DIR}/{{name}}.model
         --plugin-dir $<TARGET_FILE_DIR:{{name}}>)
)file";

constexpr std::string_view kWorkspace = R"file(workspace(name = "{{name}}")

# The headers of an installed Strata.
new_local_repository(
    name = "strata",
    build_file_content = """
cc_library(
    name = "sdk",
    hdrs = glob(["framework/**/*.h"]),
    includes = ["."],
    visibility = ["//visibility:public"],
)
""",
    path = "{{prefix}}/include/strata",
)
)file";

constexpr std::string_view kBuild = R"file(# bazel build {{name}}.so
cc_binary(
    name = "{{name}}.so",
    srcs = ["{{name}}.cc"],
    copts = [
        "-std=c++20",
        "-O3",
        "-march=native",
        "-ffp-contract=off",
    ],
    linkshared = True,
    deps = ["@strata//:sdk"],
)

sh_test(
    name = "check",
    srcs = ["check.sh"],
    args = ["$(location {{name}}.so)"],
    data = ["{{name}}.so"],
)
)file";

constexpr std::string_view kCheck = R"file(#!/bin/sh
# For `bazel test check`: the trainer's verdict.
exec "${TRAINER:-{{prefix}}/bin/trainer}" plugin check "$1"
)file";

constexpr std::string_view kReadme = R"file(# {{name}}

A plugin for Strata: the {{kind}} `{{Name}}`.

    make check                                        # builds {{name}}.so, and has it judged
    trainer train {{name}}.model --plugin-dir .       # uses it
    trainer explain {{Name}} --plugin-dir .           # what it says of itself

With CMake: `cmake -B build && cmake --build build && ctest --test-dir build`. With Bazel: `bazel test check`.

To have it everywhere, put {{name}}.so into `~/.local/share/strata/plugins`.
`{{name}}.cc` ends with the plugin's name and version; a model file asks for them: `require "{{name}}" >= 1.0`.
)file";

constexpr std::string_view kIgnore = "*.so\nbuild/\nbazel-*\n";

const std::map<std::string, std::string_view, std::less<>>& sources() {
  static const std::map<std::string, std::string_view, std::less<>> all = {
      {"layer", kLayer},         {"loss", kLoss},          {"metric", kMetric},
      {"optimizer", kOptimizer}, {"schedule", kSchedule},  {"initializer", kInitializer},
      {"dataset", kDataset},     {"transform", kTransform}};
  return all;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

std::string model_text(std::string_view kind) {
  const bool regression = kind == "loss";
  std::string out(kModel);
  const auto put = [&](std::string_view place, std::string_view plain, std::string_view own,
                       std::string_view of) {
    out = replaced(std::move(out), place, kind == of ? own : plain);
  };
  put("@WEIGHTS@", "", ", weight_init = {{Name}}", "initializer");
  put("@LAYER@", "ReLU", "{{Name}}", "layer");
  put("@LOSS@", "CrossEntropy(logits, label)", "{{Name}}(logits, point)", "loss");
  put("@METRIC@", regression ? "" : "Accuracy(logits, label)", "{{Name}}(logits)", "metric");
  put("@OPTIMIZER@", "Adam(lr = 1e-2)", "{{Name}}(lr = 0.05)", "optimizer");
  put("@SCHEDULE@", "", "\n  schedule   = {{Name}}", "schedule");
  std::string data = kind == "dataset" ? "{{Name}}"
                                       : "Synthetic(kind = \"spirals\", samples = 600, val_samples "
                                         "= 60, classes = 3)";
  if (kind == "transform") data += " -> {{Name}}";
  out = replaced(std::move(out), "@DATA@", data);
  // Two numbers back out, or two classes.
  if (regression || kind == "dataset") out = replaced(std::move(out), "Dense(3)", "Dense(2)");
  return out;
}

}  // namespace

const std::vector<std::string>& scaffold_kinds() {
  static const std::vector<std::string> kinds = {"layer",    "loss",        "metric",  "optimizer",
                                                 "schedule", "initializer", "dataset", "transform"};
  return kinds;
}

std::string cap_words(std::string_view name) {
  std::string out;
  bool up = true;
  for (const char c : name) {
    if (c != '_') out += up && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    up = c == '_';
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> scaffold(const std::string& name,
                                                          const std::string& kind,
                                                          const std::string& prefix) {
  std::vector<std::pair<std::string, std::string>> files = {
      {name + ".cc", std::string(sources().find(kind)->second)},
      {name + ".model", model_text(kind)},
      {"Makefile", std::string(kMakefile)},
      {"CMakeLists.txt", std::string(kCMake)},
      {"WORKSPACE", std::string(kWorkspace)},
      {"BUILD", std::string(kBuild)},
      {"check.sh", std::string(kCheck)},
      {"README.md", std::string(kReadme)},
      {".gitignore", std::string(kIgnore)},
  };
  for (auto& [path, text] : files) {
    text = replaced(std::move(text), "{{prefix}}", prefix);
    text = replaced(std::move(text), "{{Name}}", cap_words(name));
    text = replaced(std::move(text), "{{name}}", name);
    text = replaced(std::move(text), "{{kind}}", kind == "dataset" ? "data set" : kind);
  }
  return files;
}

}  // namespace strata::app
