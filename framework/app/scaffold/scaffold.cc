// Filling in the templates (templates/, embedded by the build).
#include "framework/app/scaffold/scaffold.h"

#include <algorithm>
#include <iterator>

#include "framework/app/scaffold/templates.h"

namespace strata::app {
namespace {

std::string text_of(std::string_view name) {
  const auto at = std::find_if(std::begin(kTemplates), std::end(kTemplates),
                               [&](const Template& one) { return one.name == name; });
  return at == std::end(kTemplates) ? std::string() : std::string(at->text);
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

// A model of two numbers in and some classes out, with the plugin at its kind's place.
std::string model_text(std::string_view kind) {
  const bool regression = kind == "loss";
  std::string out = text_of("example.model");
  const auto put = [&](std::string_view place, std::string_view plain, std::string_view own,
                       std::string_view of) {
    out = replaced(std::move(out), place, kind == of ? own : plain);
  };
  put("@WEIGHTS@", "", ", weight_init = MyPlugin", "initializer");
  put("@LAYER@", "ReLU", "MyPlugin", "layer");
  put("@LOSS@", "CrossEntropy(logits, label)", "MyPlugin(logits, point)", "loss");
  put("@METRIC@", regression ? "" : "Accuracy(logits, label)", "MyPlugin(logits)", "metric");
  put("@OPTIMIZER@", "Adam(lr = 1e-2)", "MyPlugin(lr = 0.05)", "optimizer");
  put("@SCHEDULE@", "", "\n  schedule   = MyPlugin", "schedule");
  std::string data = kind == "dataset" ? "MyPlugin"
                                       : "Synthetic(kind = \"spirals\", samples = 600, val_samples "
                                         "= 60, classes = 3)";
  if (kind == "transform") data += " -> MyPlugin";
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
      {name + ".cc", text_of(kind + "_plugin.cc")},
      {name + ".model", model_text(kind)},
      {"Makefile", text_of("Makefile")},
      {"CMakeLists.txt", text_of("CMakeLists.txt")},
      {"WORKSPACE", text_of("WORKSPACE.in")},
      {"BUILD", text_of("BUILD.in")},
      {"check.sh", text_of("check.sh")},
      {"README.md", text_of("README.md")},
      {".gitignore", text_of("gitignore")},
  };
  for (auto& [path, text] : files) {
    text = replaced(std::move(text), "{{prefix}}", prefix);
    text = replaced(std::move(text), "{{kind}}", kind == "dataset" ? "data set" : kind);
    text = replaced(std::move(text), "MyPlugin", cap_words(name));
    text = replaced(std::move(text), "my_plugin", name);
  }
  return files;
}

}  // namespace strata::app
