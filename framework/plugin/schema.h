// What a plugin's options are called, their types, ranges, defaults and meaning: declared once,
// beside the plugin.
//
//   struct Options {
//     double eps = 1e-5;                                       // the only place a default is
//     written InitializerRef scale_init{"Ones"};
//   };
//   static void describe(Schema<Options>& schema) {
//     schema.doc("Normalizes …").example("BatchNorm(eps = 1e-3)");
//     schema.option("eps", &Options::eps).above(0).doc("added to the variance");
//   }
//
// That list parses, validates, documents and prints. Types: bool, int64_t, double, std::string,
// std::vector of them, std::optional (accepts `none`), std::variant (accepts any of them), and
// references to other plugins. Depends on the standard library alone.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "framework/plugin/abi.h"
#include "framework/tensor/shape.h"

namespace strata {

// Thrown by plugins; the host shows the message with the place in the model file.
struct PluginError : std::runtime_error {
  explicit PluginError(const std::string& message, std::string hint_ = {},
                       strata_error_code code_ = STRATA_INVALID)
      : std::runtime_error(message), hint(std::move(hint_)), code(code_) {}
  std::string hint;
  strata_error_code code;
};

// Joins its arguments to a string.
template <class... Args>
std::string text(const Args&... args) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  (out << ... << args);
  return out.str();
}

// A reference to another plugin, given as an option: HeNormal(scale = 2). Opaque here; handed back
// to the host.
template <strata_kind kKind>
struct PluginRef {
  std::string default_name;  // empty: none
  const strata_value* value = nullptr;
};
using InitializerRef = PluginRef<STRATA_INITIALIZER>;

namespace schema_internal {

struct DefaultStore {
  std::deque<std::string> texts;
  std::deque<std::vector<strata_value>> lists;
};

inline strata_value make_value(strata_value_kind kind) {
  strata_value value{};
  value.struct_size = sizeof(strata_value);
  value.kind = kind;
  return value;
}

template <class T>
struct Codec;

template <>
struct Codec<bool> {
  static constexpr std::uint32_t kKinds = STRATA_BOOL;
  static bool read(const strata_value& v) { return v.integer != 0; }
  static strata_value write(bool x, DefaultStore&) {
    strata_value v = make_value(STRATA_BOOL);
    v.integer = x;
    return v;
  }
};
template <>
struct Codec<std::int64_t> {
  static constexpr std::uint32_t kKinds = STRATA_INT;
  static std::int64_t read(const strata_value& v) { return v.integer; }
  static strata_value write(std::int64_t x, DefaultStore&) {
    strata_value v = make_value(STRATA_INT);
    v.integer = x;
    return v;
  }
};
template <>
struct Codec<double> {
  static constexpr std::uint32_t kKinds = STRATA_FLOAT;
  static double read(const strata_value& v) {
    return v.kind == STRATA_INT ? static_cast<double>(v.integer) : v.number;
  }
  static strata_value write(double x, DefaultStore&) {
    strata_value v = make_value(STRATA_FLOAT);
    v.number = x;
    return v;
  }
};
template <>
struct Codec<std::string> {
  static constexpr std::uint32_t kKinds = STRATA_STRING;
  static std::string read(const strata_value& v) { return v.text ? v.text : ""; }
  static strata_value write(const std::string& x, DefaultStore& store) {
    strata_value v = make_value(STRATA_STRING);
    v.text = store.texts.emplace_back(x).c_str();
    return v;
  }
};
template <class T>
struct Codec<std::vector<T>> {
  static constexpr std::uint32_t kKinds = STRATA_LIST;
  static std::vector<T> read(const strata_value& v) {
    std::vector<T> out;
    for (std::int64_t i = 0; i < v.item_count; ++i) out.push_back(Codec<T>::read(v.items[i]));
    return out;
  }
  static strata_value write(const std::vector<T>& x, DefaultStore& store) {
    std::vector<strata_value> items;
    for (const T& item : x) items.push_back(Codec<T>::write(item, store));
    strata_value v = make_value(STRATA_LIST);
    v.item_count = static_cast<std::int64_t>(items.size());
    v.items = store.lists.emplace_back(std::move(items)).data();
    return v;
  }
};
template <class T>
struct Codec<std::optional<T>> {
  static constexpr std::uint32_t kKinds = STRATA_NONE | Codec<T>::kKinds;
  static std::optional<T> read(const strata_value& v) {
    if (v.kind == STRATA_NONE) return std::nullopt;
    return Codec<T>::read(v);
  }
  static strata_value write(const std::optional<T>& x, DefaultStore& store) {
    return x ? Codec<T>::write(*x, store) : make_value(STRATA_NONE);
  }
};
template <class... T>
struct Codec<std::variant<T...>> {
  static constexpr std::uint32_t kKinds = (Codec<T>::kKinds | ...);
  static std::variant<T...> read(const strata_value& v) {
    std::variant<T...> out;
    bool done = false;
    const auto attempt = [&]<class U>(std::type_identity<U>) {
      if (!done && (static_cast<std::uint32_t>(v.kind) & Codec<U>::kKinds)) {
        out = Codec<U>::read(v);
        done = true;
      }
    };
    (attempt(std::type_identity<T>{}), ...);
    return out;
  }
  static strata_value write(const std::variant<T...>& x, DefaultStore& store) {
    return std::visit([&]<class U>(const U& u) { return Codec<U>::write(u, store); }, x);
  }
};
template <strata_kind kKind>
struct Codec<PluginRef<kKind>> {
  static constexpr std::uint32_t kKinds = STRATA_PLUGIN;
  static PluginRef<kKind> read(const strata_value& v) { return {v.text ? v.text : "", &v}; }
  static strata_value write(const PluginRef<kKind>& x, DefaultStore& store) {
    if (x.default_name.empty()) return make_value(STRATA_NONE);
    strata_value v = make_value(STRATA_PLUGIN);
    v.text = store.texts.emplace_back(x.default_name).c_str();
    return v;
  }
};

template <class T>
struct ItemKinds {
  static constexpr std::uint32_t value = 0;
};
template <class T>
struct ItemKinds<std::vector<T>> {
  static constexpr std::uint32_t value = Codec<T>::kKinds;
};
template <class T>
struct ItemKinds<std::optional<T>> : ItemKinds<T> {};
template <class... T>
struct ItemKinds<std::variant<T...>> {
  static constexpr std::uint32_t value = (ItemKinds<T>::value | ...);
};

template <class T>
struct PluginKind {
  static constexpr std::int32_t value = -1;
};
template <strata_kind kKind>
struct PluginKind<PluginRef<kKind>> {
  static constexpr std::int32_t value = kKind;
};
template <class T>
struct PluginKind<std::optional<T>> : PluginKind<T> {};

}  // namespace schema_internal

// One option, while it is being described.
class OptionSpec {
 public:
  OptionSpec& doc(std::string sentence) { return doc_ = std::move(sentence), *this; }
  OptionSpec& required() { return raw.flags |= STRATA_OPTION_REQUIRED, *this; }
  OptionSpec& path() { return raw.flags |= STRATA_OPTION_PATH, *this; }
  OptionSpec& min(double bound) { return raw.minimum = bound, *this; }
  OptionSpec& max(double bound) { return raw.maximum = bound, *this; }
  OptionSpec& above(double bound) { return raw.flags |= STRATA_OPTION_MIN_EXCLUSIVE, min(bound); }
  OptionSpec& below(double bound) { return raw.flags |= STRATA_OPTION_MAX_EXCLUSIVE, max(bound); }
  OptionSpec& choices(std::vector<std::string> names) { return choices_ = std::move(names), *this; }

  strata_option raw{};

 private:
  template <class>
  friend class Schema;
  void finish() {
    raw.name = name_.c_str();
    raw.doc = doc_.c_str();
    for (const std::string& choice : choices_) choice_pointers_.push_back(choice.c_str());
    raw.choices = choices_.empty() ? nullptr : choice_pointers_.data();
    raw.choice_count = static_cast<std::int64_t>(choices_.size());
  }
  std::string name_;
  std::string doc_;
  std::vector<std::string> choices_;
  std::vector<const char*> choice_pointers_;
};

template <class Options>
class Schema {
 public:
  Schema& doc(std::string sentences) { return doc_ = std::move(sentences), *this; }
  Schema& example(std::string line) { return example_ = std::move(line), *this; }
  // Names of the values it is called with, in order: CrossEntropy(logits, label).
  Schema& inputs(std::vector<std::string> names) { return inputs_ = std::move(names), *this; }
  Schema& variadic() { return variadic_ = true, *this; }
  // What to say to whoever writes an option that does not exist, but that they may know from
  // elsewhere.
  Schema& hint_for(std::string name, std::string sentence) {
    return hint_names_.push_back(std::move(name)), hint_texts_.push_back(std::move(sentence)),
           *this;
  }

  template <class T>
  OptionSpec& option(std::string name, T Options::*member) {
    using Codec = schema_internal::Codec<T>;
    OptionSpec& spec = specs_.emplace_back();
    spec.name_ = std::move(name);
    spec.raw.struct_size = sizeof(strata_option);
    spec.raw.kinds = Codec::kKinds;
    spec.raw.item_kinds = schema_internal::ItemKinds<T>::value;
    spec.raw.plugin_kind = schema_internal::PluginKind<T>::value;
    spec.raw.default_value = Codec::write(defaults_.*member, store_);
    spec.raw.minimum = -std::numeric_limits<double>::infinity();
    spec.raw.maximum = std::numeric_limits<double>::infinity();
    setters_.push_back(
        [member](Options& options, const strata_value& v) { options.*member = Codec::read(v); });
    return spec;
  }

  // The C view of it; made once, after describe. Lives as long as this.
  const strata_schema& finish() {
    if (raw_.struct_size == 0) {
      for (OptionSpec& spec : specs_) spec.finish();
      for (const OptionSpec& spec : specs_) raw_options_.push_back(spec.raw);
      for (const std::string& input : inputs_) input_pointers_.push_back(input.c_str());
      raw_.struct_size = sizeof(strata_schema);
      raw_.doc = doc_.c_str();
      raw_.example = example_.c_str();
      raw_.options = raw_options_.data();
      raw_.option_count = static_cast<std::int64_t>(raw_options_.size());
      raw_.inputs = inputs_.empty() ? nullptr : input_pointers_.data();
      raw_.input_count = static_cast<std::int64_t>(inputs_.size());
      raw_.variadic = variadic_;
      for (const std::string& name : hint_names_) hint_name_pointers_.push_back(name.c_str());
      for (const std::string& sentence : hint_texts_)
        hint_text_pointers_.push_back(sentence.c_str());
      raw_.hint_names = hint_name_pointers_.data();
      raw_.hint_texts = hint_text_pointers_.data();
      raw_.hint_count = static_cast<std::int64_t>(hint_name_pointers_.size());
    }
    return raw_;
  }

  // `values` are validated, in the schema's order. With fewer values than options the rest keep
  // their defaults.
  Options read(const strata_value* values, std::int64_t count) const {
    Options options;
    for (std::size_t i = 0; i < setters_.size() && i < static_cast<std::size_t>(count); ++i) {
      setters_[i](options, values[i]);
    }
    return options;
  }

 private:
  Options defaults_{};
  std::string doc_, example_;
  std::vector<std::string> inputs_, hint_names_, hint_texts_;
  bool variadic_ = false;
  std::deque<OptionSpec> specs_;
  std::vector<std::function<void(Options&, const strata_value&)>> setters_;
  schema_internal::DefaultStore store_;
  std::vector<strata_option> raw_options_;
  std::vector<const char*> input_pointers_, hint_name_pointers_, hint_text_pointers_;
  strata_schema raw_{};
};

}  // namespace strata
