// Values: printing, types and equality.
#include "framework/graph/value.h"

#include <fmt/format.h>

#include <limits>

#include "framework/base/text.h"

namespace strata::graph {
namespace {

constexpr std::size_t kLongestPrinted = 60;

// Stops soon after `most` bytes.
void print_to(const Value& value, std::size_t most, std::string& out);

void print_call_to(const CallValue& call, std::size_t most, std::string& out) {
  if (call.weight != 1) out += print_float(call.weight) + " * ";
  out += call.name;
  if (call.arguments.empty()) return;
  out += "(";
  for (std::size_t i = 0; i < call.arguments.size() && out.size() <= most; ++i) {
    if (i > 0) out += ", ";
    if (!call.arguments[i].name.empty()) out += call.arguments[i].name + " = ";
    print_to(call.arguments[i].value, most, out);
  }
  out += ")";
}

void print_to(const Value& value, std::size_t most, std::string& out) {
  if (out.size() > most) return;
  if (value.is_none()) {
    out += "none";
  } else if (const auto* b = value.get<bool>()) {
    out += *b ? "true" : "false";
  } else if (const auto* i = value.get<std::int64_t>()) {
    out += fmt::format("{}", *i);
  } else if (const auto* x = value.get<double>()) {
    out += print_float(*x);
  } else if (const auto* text = value.get<std::string>()) {
    out += print_string(std::string_view(*text).substr(0, most));
  } else if (const auto* list = value.get<std::shared_ptr<const List>>()) {
    out += "[";
    for (std::size_t n = 0; n < (*list)->items.size() && out.size() <= most; ++n) {
      if (n > 0) out += ", ";
      print_to((*list)->items[n], most, out);
    }
    out += "]";
  } else if (const auto* range = value.get<Range>()) {
    out += fmt::format("{}..{}", range->first, range->last);
  } else if (const auto* call = value.get<std::shared_ptr<const CallValue>>()) {
    print_call_to(**call, most, out);
  } else if (const auto* symbol = value.get<Symbol>()) {
    out += symbol->name;
  } else if (value.get<FlowRef>()) {
    out += "a value of the model";
  } else {
    out += "?";
  }
}

// Cuts in front of a character, never inside one.
std::string cut(std::string text) {
  if (text.size() <= kLongestPrinted) return text;
  std::size_t end = kLongestPrinted;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

}  // namespace

std::int64_t Range::size() const {
  if (last < first) return 0;
  std::int64_t span = 0;
  if (__builtin_sub_overflow(last, first, &span) ||
      span == std::numeric_limits<std::int64_t>::max()) {
    return std::numeric_limits<std::int64_t>::max();
  }
  return span + 1;
}

double Value::number() const {
  if (const auto* i = get<std::int64_t>()) return static_cast<double>(*i);
  if (const auto* x = get<double>()) return *x;
  return 0;
}

std::int64_t weight_of(const Value& value) {
  if (const auto* list = value.get<std::shared_ptr<const List>>()) return (*list)->weight;
  if (const auto* text = value.get<std::string>())
    return 1 + static_cast<std::int64_t>(text->size() / 64);
  return 1;
}

Value make_list(std::vector<Value> items) {
  auto list = std::make_shared<List>();
  list->weight = 1;
  for (const Value& item : items) list->weight += weight_of(item);
  list->items = std::move(items);
  return Value(std::shared_ptr<const List>(std::move(list)));
}

std::string type_name(const Value& value) {
  if (const auto* call = value.get<std::shared_ptr<const CallValue>>()) {
    return (*call)->kind.empty() ? "plugin" : std::string((*call)->kind);
  }
  static constexpr const char* kNames[] = {
      "unknown",           "none", "bool", "int", "float", "str", "list", "range", "plugin", "name",
      "value of the model"};
  return kNames[value.data.index()];
}

std::string a_type(const Value& value) {
  const std::string name = type_name(value);
  if (name == "none") return name;
  return (name.find_first_of("aeiou") == 0 ? "an " : "a ") + name;
}

std::string described(const Value& value) {
  return value.is_none() ? "none" : fmt::format("{} `{}`", type_name(value), print_value(value));
}

std::string print_value(const Value& value) {
  std::string out;
  print_to(value, kLongestPrinted + 1, out);
  return cut(std::move(out));
}

std::string full_text(const Value& value) {
  std::string out;
  print_to(value, std::string::npos - 1, out);
  return out;
}

Value from_option(const OptionValue& value) {
  if (value.is_none()) return None{};
  if (const auto* b = std::get_if<bool>(&value.data)) return *b;
  if (const auto* i = std::get_if<std::int64_t>(&value.data)) return *i;
  if (const auto* x = std::get_if<double>(&value.data)) return *x;
  if (const auto* text = std::get_if<std::string>(&value.data)) return *text;
  if (const auto* items = std::get_if<OptionValue::List>(&value.data)) {
    std::vector<Value> list;
    for (const OptionValue& item : *items) list.push_back(from_option(item));
    return make_list(std::move(list));
  }
  return Unknown{};
}

bool equal(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    const auto *i = a.get<std::int64_t>(), *j = b.get<std::int64_t>();
    if (i && j) return *i == *j;
    return a.number() == b.number();
  }
  if (a.data.index() != b.data.index()) return false;
  if (const auto* x = a.get<bool>()) return *x == *b.get<bool>();
  if (const auto* x = a.get<std::string>()) return *x == *b.get<std::string>();
  if (const auto* x = a.get<Symbol>()) return x->name == b.get<Symbol>()->name;
  if (const auto* x = a.get<FlowRef>()) return x->id == b.get<FlowRef>()->id;
  if (const auto* x = a.get<Range>())
    return x->first == b.get<Range>()->first && x->last == b.get<Range>()->last;
  if (const auto* x = a.get<std::shared_ptr<const List>>()) {
    const auto &left = (*x)->items, &right = (*b.get<std::shared_ptr<const List>>())->items;
    if (left.size() != right.size()) return false;
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (!equal(left[i], right[i])) return false;
    }
    return true;
  }
  if (const auto* x = a.get<std::shared_ptr<const CallValue>>()) {
    const CallValue &left = **x, &right = **b.get<std::shared_ptr<const CallValue>>();
    if (left.name != right.name || left.weight != right.weight ||
        left.arguments.size() != right.arguments.size()) {
      return false;
    }
    for (std::size_t i = 0; i < left.arguments.size(); ++i) {
      if (left.arguments[i].name != right.arguments[i].name) return false;
      if (!equal(left.arguments[i].value, right.arguments[i].value)) return false;
    }
    return true;
  }
  return true;
}

}  // namespace strata::graph
