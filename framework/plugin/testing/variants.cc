// Guessing options from a schema, and varying them one by one.
#include <algorithm>

#include "framework/plugin/testing/checker.h"

namespace strata::conformance {
namespace {

// The first of the candidates that the option accepts and that is not `other`.
std::optional<OptionValue> first_accepted(const strata_option& option,
                                          std::vector<OptionValue> candidates,
                                          const OptionValue* other) {
  for (OptionValue& candidate : candidates) {
    if (check_option(option, candidate).empty() && !(other && candidate == *other))
      return std::move(candidate);
  }
  return std::nullopt;
}

std::vector<OptionValue> numbers(const strata_option& option) {
  std::vector<OptionValue> out;
  for (const std::int64_t i : {3, 2, 5, 1, 7, 16, 100, 0, -1}) out.push_back({i});
  if (option.kinds & STRATA_FLOAT) {
    for (const double x : {0.5, 0.25, 0.1, 0.9, 2.0, 1e-3, -0.5}) out.insert(out.begin(), {x});
    std::rotate(out.begin(), out.begin() + 6, out.begin() + 7);  // 0.5 first
  }
  return out;
}

// A value for an option without a default.
std::optional<OptionValue> guess(const strata_option& option, const Registry& registry) {
  std::vector<OptionValue> candidates;
  if (option.kinds & (STRATA_INT | STRATA_FLOAT)) candidates = numbers(option);
  for (std::int64_t i = 0; i < option.choice_count; ++i)
    candidates.push_back({std::string(option.choices[i])});
  if (option.kinds & STRATA_BOOL) candidates.push_back({true});
  if (option.kinds & STRATA_STRING) candidates.push_back({std::string("text")});
  if (option.kinds & STRATA_PLUGIN) {
    for (const Entry* entry : registry.all(static_cast<Kind>(option.plugin_kind))) {
      if (auto call = default_call(*entry, registry)) {
        candidates.push_back({std::make_shared<const PluginCall>(std::move(*call))});
      }
    }
  }
  if (option.kinds & STRATA_LIST) {
    for (const OptionValue& item : numbers(option)) candidates.push_back({OptionValue::List{item}});
    candidates.push_back({OptionValue::List{OptionValue{std::string("text")}}});
  }
  candidates.push_back({});
  return first_accepted(option, std::move(candidates), nullptr);
}

// Other values worth trying. Paths, names and references to other plugins are left alone.
std::vector<OptionValue> others(const strata_option& option, const OptionValue& value) {
  std::vector<OptionValue> out;
  if (option.kinds & STRATA_BOOL)
    out.push_back({!(std::holds_alternative<bool>(value.data) && std::get<bool>(value.data))});
  for (std::int64_t i = 0; i < option.choice_count; ++i) {
    OptionValue choice{std::string(option.choices[i])};
    if (!(choice == value)) out.push_back(std::move(choice));
  }
  if (option.kinds & (STRATA_INT | STRATA_FLOAT)) {
    if (auto number = first_accepted(option, numbers(option), &value))
      out.push_back(std::move(*number));
  }
  return out;
}

}  // namespace

std::vector<PluginCall> variants(Checker& checker) {
  const strata_schema& schema = checker.entry.schema();
  const auto count = static_cast<std::size_t>(schema.option_count);
  PluginCall base{&checker.entry, {}};
  for (std::size_t i = 0; i < count; ++i) {
    const strata_option& option = schema.options[i];
    if (option.flags & STRATA_OPTION_REQUIRED) {
      auto value = guess(option, checker.registry);
      if (!checker.expect(value.has_value(), "no value can be guessed for the required option `{}`",
                          option.name)) {
        return {};
      }
      base.options.push_back(std::move(*value));
    } else {
      auto value = default_value(option, checker.registry);
      if (!checker.expect(value.ok(), "{}", value.ok() ? "" : value.error().message)) return {};
      base.options.push_back(std::move(*value));
    }
  }

  std::vector<PluginCall> calls{base};
  PluginCall all_numbers = base;
  for (std::size_t i = 0; i < count; ++i) {
    for (OptionValue& other : others(schema.options[i], base.options[i])) {
      PluginCall call = base;
      call.options[i] = other;
      if (!std::holds_alternative<bool>(other.data) &&
          !std::holds_alternative<std::string>(other.data)) {
        all_numbers.options[i] = other;
      }
      calls.push_back(std::move(call));
    }
  }
  // With all numbers changed, each switch once more: some only matter, or are only allowed, beside
  // a number.
  calls.push_back(all_numbers);
  for (std::size_t i = 0; i < count; ++i) {
    if (!std::holds_alternative<bool>(base.options[i].data)) continue;
    PluginCall call = all_numbers;
    call.options[i] = OptionValue{!std::get<bool>(base.options[i].data)};
    calls.push_back(std::move(call));
  }
  // No doubles.
  std::vector<PluginCall> out;
  for (PluginCall& call : calls) {
    const std::string text = print_call(call);
    if (std::none_of(out.begin(), out.end(),
                     [&](const PluginCall& seen) { return print_call(seen) == text; })) {
      out.push_back(std::move(call));
    }
  }
  return out;
}

std::vector<InstancePtr> instances(Checker& checker) {
  std::vector<InstancePtr> out;
  bool base = true;
  for (PluginCall& call : variants(checker)) {
    checker.context = print_call(call);
    auto instance = Instance::create(std::move(call));
    if (instance) {
      out.push_back(std::move(*instance));
    } else {
      checker.expect(!base, "cannot be created: {}", instance.error().message);
      checker.expect(instance.error().code != ExitCode::kInternal &&
                         instance.error().code != ExitCode::kPlugin &&
                         !instance.error().message.empty(),
                     "is refused without a sentence for the user: {}", instance.error().message);
    }
    base = false;
  }
  checker.context.clear();
  return out;
}

}  // namespace strata::conformance
