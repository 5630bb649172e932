// What expressions of the language evaluate to.
//
// A plugin call (`HeNormal(scale = 2)`) is a value too: its arguments are evaluated, and it is
// bound to a registered plugin where an option or a setting says which kind it wants (bind.h).
// `Unknown` stands for what an error kept from being known: whatever is made from it is unknown
// too, and nobody reports it again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "framework/base/source.h"
#include "framework/graph/graph.h"
#include "framework/plugin/options.h"

namespace strata::graph {

struct Value;

struct Unknown {};
struct None {};
struct Range {
  std::int64_t first = 0, last = 0;  // both included; empty where last < first
  std::int64_t size() const;         // at most the largest int
};
// A value that flows through the model; in expressions only its attributes can be read.
struct FlowRef {
  ValueId id = -1;
};
// A name that the model's outputs and the data's fields give meaning to: CrossEntropy(logits,
// label).
struct Symbol {
  std::string name;
};
struct List {
  std::vector<Value> items;
  std::int64_t weight = 0;  // leaves inside, also of lists in lists: what walking it costs
};
struct CallValue;

struct Value {
  std::variant<Unknown, None, bool, std::int64_t, double, std::string, std::shared_ptr<const List>,
               Range, std::shared_ptr<const CallValue>, Symbol, FlowRef>
      data;

  Value() = default;
  template <class T>
  requires(!std::is_same_v<std::remove_cvref_t<T>, Value>) Value(T&& x)
      : data(std::forward<T>(x)) {}  // NOLINT: implicit by intent

  template <class T>
  const T* get() const {
    return std::get_if<T>(&data);
  }
  bool is_unknown() const { return data.index() == 0; }
  bool is_none() const { return data.index() == 1; }
  bool is_number() const { return get<std::int64_t>() || get<double>(); }
  double number() const;  // of an int or a float
};

struct CallArgument {
  std::string name;  // empty for a positional one
  Span name_span;
  Value value;
  Span span;  // of the value
};

struct CallValue {
  std::string name;
  Span span;
  std::vector<CallArgument> arguments;
  double weight = 1;      // 0.5 * CrossEntropy(logits, label)
  std::string_view kind;  // "initializer", …; empty where several kinds have the name
};

constexpr std::int64_t kMaxListWeight = 1'000'000;
constexpr std::size_t kMaxStringBytes = 1u << 20;

// Wants items whose weights sum to at most kMaxListWeight (the evaluator sees to it).
Value make_list(std::vector<Value> items);
std::int64_t weight_of(const Value& value);

// "int", "list", "optimizer", …
std::string type_name(const Value& value);
// With its article, for sentences: "an int".
std::string a_type(const Value& value);
// "int `3`", and "none" alone.
std::string described(const Value& value);
// As the language writes it; long ones are cut after about 60 characters.
std::string print_value(const Value& value);
// The same, whole: what an override would say.
std::string full_text(const Value& value);
// The value that an option has; unknown for plugins.
Value from_option(const OptionValue& value);
// Numbers by what they are worth, lists by their items; values of different types differ.
bool equal(const Value& a, const Value& b);

}  // namespace strata::graph
