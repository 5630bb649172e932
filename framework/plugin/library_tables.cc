// Schemas and function tables of a library, walked by its own sizes. Whatever is read here was
// written by somebody else.
#include "framework/plugin/library_tables.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <deque>
#include <memory>

#include "framework/plugin/options.h"
#include "framework/plugin/registration.h"

namespace strata {
namespace {

constexpr std::int64_t kMost = 10000;  // of options, choices, items: more are no table

struct Copy {
  strata_entry entry{};
  // A table of functions in this program's layout: what an older library does not have is null.
  alignas(std::max_align_t) std::array<char, 128> functions{};
  strata_schema schema{};
  std::vector<strata_option> options;
};

class Checker {
 public:
  explicit Checker(const std::string& path) : path_(path) {}

  std::unique_ptr<Copy> copy(const strata_entry* entry) {
    subject_ = "something that it offers";
    require(entry, "is null");
    require(entry->struct_size >= sizeof(strata_entry), "has a table that is too short");
    require(entry->name && *entry->name, "has no name");
    require(std::strlen(entry->name) <= 64, "has a name of more than 64 characters");
    subject_ = fmt::format("`{}`", safe(entry->name));
    require(is_name(entry->name, true), "has a name that is not in CapWords");
    require(entry->kind >= STRATA_LAYER && entry->kind <= STRATA_FUSION,
            "is of a kind that does not exist");
    require(entry->functions, "has no functions");
    require(entry->kind == STRATA_FUSION || (entry->create && entry->destroy),
            "cannot be created and destroyed");
    auto out = std::make_unique<Copy>();
    std::memcpy(&out->entry, entry, sizeof(strata_entry));
    out->entry.struct_size = sizeof(strata_entry);
    copy_functions(*entry, *out);
    out->entry.functions = out->functions.data();
    copy_schema(entry->schema, *out);
    out->entry.schema = &out->schema;
    return out;
  }

 private:
  static std::string safe(std::string_view text) {
    std::string out;
    for (const char c : text) out += c >= ' ' && c < 127 ? c : '?';
    return out;
  }

  void require(bool holds, std::string_view otherwise) const {
    if (holds) return;
    throw Failure{Error{ExitCode::kPlugin, fmt::format("{}: {} {}", path_, subject_, otherwise),
                        "that is a fault of the plugin"}};
  }

  static bool is_name(std::string_view name, bool capital) {
    if (name.empty() || name.size() > 64) return false;
    const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    if (capital ? !upper(name[0]) : !lower(name[0])) return false;
    for (const char c : name) {
      const bool fits = lower(c) || (c >= '0' && c <= '9') || (capital ? upper(c) : c == '_');
      if (!fits) return false;
    }
    return true;
  }

  // `members`: what version 1.0 had, in order; the rest may be missing.
  template <class Table, class... Members>
  const Table& copy_table(const strata_entry& entry, Copy& out, Members... members) const {
    static_assert(sizeof(Table) <= sizeof out.functions);
    const auto& table = *static_cast<const Table*>(entry.functions);
    const auto end_of = [&](auto member) {
      return static_cast<std::size_t>(reinterpret_cast<const char*>(&(table.*member)) -
                                      reinterpret_cast<const char*>(&table)) +
             sizeof(table.*member);
    };
    require(table.struct_size >= std::max({end_of(members)...}),
            "has a table of functions that is too short");
    require(((table.*members != nullptr) && ...), "lacks a function");
    const std::size_t whole_fields = table.struct_size / sizeof(void*) * sizeof(void*);
    std::memcpy(out.functions.data(), &table, std::min(sizeof(Table), whole_fields));
    auto& copy = *reinterpret_cast<Table*>(out.functions.data());
    copy.struct_size = sizeof(Table);
    return copy;
  }

  void copy_functions(const strata_entry& entry, Copy& out) const {
    switch (entry.kind) {
      case STRATA_LAYER:
        copy_table<strata_layer>(entry, out, &strata_layer::infer, &strata_layer::forward,
                                 &strata_layer::backward);
        break;
      case STRATA_LOSS:
        copy_table<strata_loss>(entry, out, &strata_loss::infer, &strata_loss::evaluate);
        break;
      case STRATA_METRIC:
        copy_table<strata_metric>(entry, out, &strata_metric::infer, &strata_metric::update,
                                  &strata_metric::results);
        break;
      case STRATA_OPTIMIZER:
        copy_table<strata_optimizer>(entry, out, &strata_optimizer::slot_count,
                                     &strata_optimizer::slot_name, &strata_optimizer::update);
        break;
      case STRATA_SCHEDULE:
        return copy_schedule(entry, out);
      case STRATA_INITIALIZER:
        copy_table<strata_initializer>(entry, out, &strata_initializer::fill);
        break;
      case STRATA_DATASET:
        copy_table<strata_dataset>(entry, out, &strata_dataset::describe, &strata_dataset::open,
                                   &strata_dataset::read);
        break;
      case STRATA_TRANSFORM:
        return copy_transform(entry, out);
      case STRATA_FUSION:
        return copy_fusion(entry, out);
    }
  }

  void copy_schedule(const strata_entry& entry, Copy& out) const {
    const auto& table = copy_table<strata_schedule>(entry, out, &strata_schedule::factor);
    const bool some = table.state_count || table.monitored || table.observe || table.factor_after;
    require(!some || (table.state_count && table.monitored && table.observe && table.factor_after),
            "has a part of the functions of a schedule with a state");
  }

  void copy_transform(const strata_entry& entry, Copy& out) const {
    const auto& table = copy_table<strata_transform>(entry, out, &strata_transform::infer,
                                                     &strata_transform::apply);
    require(!table.fit == !table.finish_fit,
            "has one of `fit` and `finish_fit`, and not the other");
  }

  void copy_fusion(const strata_entry& entry, Copy& out) const {
    const auto& table = copy_table<strata_fusion>(
        entry, out, &strata_fusion::create, &strata_fusion::destroy, &strata_fusion::infer,
        &strata_fusion::forward, &strata_fusion::backward);
    check_strings(table.pattern, table.pattern_count, "a layer of its pattern");
    require(table.pattern_count >= 2, "stands for fewer than two layers");
  }

  void check_strings(const char* const* strings, std::int64_t count, std::string_view what) const {
    require(count >= 0 && count <= kMost && (count == 0 || strings),
            fmt::format("has an impossible number of {}s", what));
    for (std::int64_t i = 0; i < count; ++i)
      require(strings[i], fmt::format("has {} that is null", what));
  }

  void copy_schema(const strata_schema* schema, Copy& out) {
    require(schema, "has no schema");
    require(schema->struct_size >= sizeof(strata_schema), "has a schema that is too short");
    require(schema->doc && *schema->doc && schema->example && *schema->example,
            "has an empty schema: no doc, or no example");
    std::memcpy(&out.schema, schema, sizeof(strata_schema));
    out.schema.struct_size = sizeof(strata_schema);
    require(schema->option_count >= 0 && schema->option_count <= kMost &&
                (schema->option_count == 0 || schema->options),
            "has an impossible number of options");
    check_strings(schema->inputs, schema->input_count, "input");
    check_strings(schema->hint_names, schema->hint_count, "hint");
    check_strings(schema->hint_texts, schema->hint_count, "hint");
    const std::string entry_name = subject_;
    for (std::int64_t i = 0; i < schema->option_count; ++i) {
      const strata_option& option = plugin_internal::element(schema->options, i);
      subject_ = fmt::format("an option of {}", entry_name);
      require(option.struct_size >= sizeof(strata_option), "has a table that is too short");
      require(option.name && is_name(option.name, false), "has a name that is not in snake_case");
      subject_ = fmt::format("the option `{}` of {}", option.name, entry_name);
      for (const strata_option& before : out.options)
        require(std::strcmp(before.name, option.name) != 0, "is there twice");
      out.options.push_back(checked(option));
    }
    subject_ = entry_name;
    out.schema.options = out.options.data();
  }

  strata_option checked(const strata_option& original) {
    strata_option option;
    std::memcpy(&option, &original, sizeof option);
    option.struct_size = sizeof option;
    constexpr std::uint32_t kKnown = STRATA_NONE | STRATA_BOOL | STRATA_INT | STRATA_FLOAT |
                                     STRATA_STRING | STRATA_LIST | STRATA_PLUGIN;
    require(option.doc, "has no doc");
    require(option.kinds && !(option.kinds & ~kKnown) && !(option.item_kinds & ~kKnown),
            "accepts a kind of value that does not exist");
    require(!((option.kinds | option.item_kinds) & STRATA_PLUGIN) ||
                (option.plugin_kind >= STRATA_LAYER && option.plugin_kind <= STRATA_FUSION),
            "refers to plugins of a kind that does not exist");
    require(option.minimum <= option.maximum, "has an empty range");
    check_strings(option.choices, option.choice_count, "choice");
    if (option.flags & STRATA_OPTION_REQUIRED) return option;
    check_value(option.default_value, 0);
    // Another plugin as a default is looked up when it is wanted.
    if (option.default_value.kind == STRATA_PLUGIN) return option;
    auto value = default_value(option, Registry());
    require(value.ok(), "has a default that cannot be read");
    const std::string problem = check_option(option, *value);
    require(problem.empty(), "has a default that it does not accept itself: " + problem);
    return option;
  }

  void check_value(const strata_value& value, int depth) {
    require(value.kind != STRATA_STRING || value.text, "has a default that is null");
    require(value.kind != STRATA_PLUGIN || value.text, "has a default without a name");
    if (value.kind != STRATA_LIST) return;
    require(depth < 8 && value.item_count >= 0 && value.item_count <= kMost &&
                (value.item_count == 0 || value.items),
            "has an impossible list as its default");
    for (std::int64_t i = 0; i < value.item_count; ++i) check_value(value.items[i], depth + 1);
  }

  const std::string& path_;
  std::string subject_;
};

}  // namespace

Result<std::vector<const strata_entry*>> copy_tables(const strata_library& library,
                                                     const std::string& path) {
  // As long as libraries are loaded: always, also while the program ends.
  static auto& kept = *new std::deque<std::unique_ptr<Copy>>;
  if (library.entry_count <= 0 || library.entry_count > kMost || !library.entries)
    return make_error(ExitCode::kPlugin, "{} offers nothing", path);
  try {
    std::vector<std::unique_ptr<Copy>> copies;
    std::vector<const strata_entry*> tables;
    for (std::int64_t i = 0; i < library.entry_count; ++i) {
      copies.push_back(Checker(path).copy(library.entries[i]));
      tables.push_back(&copies.back()->entry);
    }
    for (auto& copy : copies) kept.push_back(std::move(copy));
    return tables;
  } catch (const Failure& failure) {
    return failure.error;
  }
}

}  // namespace strata
