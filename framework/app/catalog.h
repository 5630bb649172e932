// All that can be looked up by name, as data: registered things, settings of `train`, diagnostics.
// `explain`, `plugins` and the reference page print it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/base/diagnostic.h"
#include "framework/plugin/registry.h"

namespace strata::app {

struct OptionText {
  std::string name;
  std::string type;           // "int at least 1"
  std::string default_value;  // as the language writes it; empty: required
  std::string doc;
  std::string example;  // a line; may be empty
};

struct EntryText {
  std::string name;
  Kind kind{};
  std::string origin;     // "built in"
  std::string sentence;   // the first line of its doc
  std::string more;       // the rest
  std::string signature;  // "CrossEntropy(logits, label, from_logits = true)"
  std::string example;
  std::vector<OptionText> options;
};

EntryText describe(const Entry& entry);
// "layers", "data sets", …
std::string_view kind_plural(Kind kind);
// Kinds that have entries, in the order of the reference, with their entries by name.
std::vector<std::pair<Kind, std::vector<const Entry*>>> by_kind(const Registry& registry);

// The settings of a `train` section.
std::vector<OptionText> train_settings();
// Errors and lints, by code.
std::vector<DiagnosticDoc> diagnostic_docs();

// Every name that `explain` knows.
std::vector<std::string> known_names(const Registry& registry);

// Lines of at most `width` columns, each begun with `indent`; ends with a line end. Line ends in
// the text are kept.
std::string wrapped(std::string_view text, int width, std::string_view indent);

}  // namespace strata::app
