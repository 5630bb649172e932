// The example of every registered plugin is a line of the model language that works.
#include <gtest/gtest.h>

#include <sstream>

#include "framework/base/diagnostic.h"
#include "framework/graph/program.h"
#include "framework/plugin/dataset.h"

namespace strata {
namespace {

// Data for the examples: `x` as the plugin at hand wants it, a class number and real values to aim
// at.
class ExampleData final : public Dataset {
 public:
  struct Options {
    std::string kind = "values";
  };
  static void describe(Schema<Options>& schema) {
    schema.doc("For this test alone.").example("ExampleData");
    schema.option("kind", &Options::kind).choices({"values", "bytes", "images"}).doc("what `x` is");
  }
  explicit ExampleData(const Options& options) : options_(options) {}
  DataPlan describe() const {
    const Field x = options_.kind == "values"  ? Field{"x", STRATA_REAL, {4}, 0}
                    : options_.kind == "bytes" ? Field{"x", STRATA_U8, {16, 16}, 0}
                                               : Field{"x", STRATA_REAL, {3, 16, 16}, 0};
    return DataPlan()
        .field(x)
        .field({"label", STRATA_I32, {}, 4})
        .field({"target", STRATA_REAL, {4}, 0})
        .split("train", 8);
  }
  DataPlan open(const std::vector<std::string>&) { return describe(); }
  void read(const ReadPass&) const {}

 private:
  const Options options_;
};
const DatasetRegistration<ExampleData> kExampleData{"ExampleData"};

const Registry& registry() {
  static const Registry registry = Registry::builtin();
  return registry;
}

// What the checker says against a text; empty where it is fine.
std::string mistakes(const std::string& text) {
  Sources sources;
  Diagnostics diagnostics;
  ElaborateOptions options;
  options.any_file = text.find("\nmodel ") == std::string::npos;
  const auto program =
      elaborate_text("example.model", text, registry(), sources, diagnostics, options);
  if (!program.ok()) return program.error().message;
  return diagnostics.has_errors() ? render(diagnostics) : "";
}

// The values that a call is made with: main and skip in Add(main, skip).
std::vector<std::string> values_of(const std::string& example) {
  std::vector<std::string> names;
  std::istringstream list(example.substr(example.find('(') + 1));
  for (std::string part; std::getline(list, part, ',');) {
    std::erase_if(part, [](char c) { return c == ' ' || c == ')'; });
    if (part.find('=') == std::string::npos) names.push_back(part);
  }
  return names;
}

// A whole file around an example; `x` has this shape where the data can have it.
std::string file_with(const Entry& entry, const std::string& data_kind, const std::string& shape) {
  const std::string example = entry.schema().example;
  std::string flow = "x -> Flatten -> Dense(4)", output = "y",
              data = "ExampleData(kind = \"" + data_kind + "\")";
  std::string loss = "CrossEntropy(y, label)", more, before;
  switch (entry.kind()) {
    case STRATA_LAYER:
      flow = "x -> " + example + " -> Flatten -> Dense(4)";
      if (entry.schema().input_count > 0 || entry.schema().variadic) {
        for (const std::string& name : values_of(example)) before += name + " = x -> ReLU\n";
        flow = example + " -> Flatten -> Dense(4)";
      }
      break;
    case STRATA_LOSS:
      output = entry.schema().inputs[0];
      loss = example;
      break;
    case STRATA_METRIC:
      output = entry.schema().inputs[0];
      loss = "CrossEntropy(" + output + ", label)";
      more = "metrics = [" + example + "]";
      break;
    case STRATA_OPTIMIZER:
      more = "optimizer = " + example;
      break;
    case STRATA_SCHEDULE:
      more = "schedule = " + example;
      break;
    case STRATA_INITIALIZER:
      flow = "x -> Flatten -> Dense(4, weight_init = " + example + ")";
      break;
    case STRATA_TRANSFORM:
      data += " -> " + example;
      break;
    case STRATA_DATASET:  // whatever its classes are, and whatever its first field is called
      return "format 1\ndata d = " + example + "\n";
    default:
      break;
  }
  if (more.find("optimizer") == std::string::npos) more += "\noptimizer = SGD(lr = 0.1)";
  return "format 1\nmodel m(x: " + shape + ") -> " + output + " {\n" + before + flow + " as " +
         output + "\n}\ndata d = " + data + "\ntrain {\nloss = " + loss + "\n" + more +
         "\nbatch_size = 8\nepochs = 200\n}\n";
}

class Example : public testing::TestWithParam<const Entry*> {};

TEST_P(Example, Works) {
  std::string first;
  for (const auto& [kind, shape] : {std::pair{"values", "[4]"}, std::pair{"bytes", "[16, 16]"},
                                    std::pair{"images", "[3, 16, 16]"}}) {
    const std::string text = file_with(*GetParam(), kind, shape);
    const std::string found = mistakes(text);
    if (found.empty()) return;
    // The file of a data set's example is nobody's.
    if (GetParam()->kind() == STRATA_DATASET && found.find("cannot be read: No such file") < 400)
      return;
    if (first.empty()) first = text + found;
  }
  FAIL() << first;
}

INSTANTIATE_TEST_SUITE_P(Plugins, Example, testing::ValuesIn(registry().all()),
                         [](const auto& test) {
                           std::string kind(kind_name(test.param->kind()));
                           std::erase(kind, ' ');
                           return kind + "_" + test.param->name();
                         });

}  // namespace
}  // namespace strata
