// Which checks apply, and those of the schema, which apply to all.
#include "framework/plugin/testing/conformance.h"

#include <exception>

#include "framework/plugin/services.h"
#include "framework/plugin/testing/checker.h"

namespace strata {
namespace conformance {
namespace {

void check_option_text(Checker& checker, const strata_option& option) {
  const std::string_view doc = option.doc ? option.doc : "";
  checker.expect(is_snake_case(option.name), "the option `{}` is not in snake_case", option.name);
  checker.expect(!doc.empty(), "the option `{}` has no doc", option.name);
  checker.expect(!doc.ends_with('.'), "the doc of `{}` ends with a full stop", option.name);
  checker.expect(option.kinds != 0, "the option `{}` accepts no kind of value", option.name);
  checker.expect(option.minimum <= option.maximum, "the range of `{}` is empty", option.name);
  if (option.flags & STRATA_OPTION_REQUIRED) return;
  auto value = default_value(option, checker.registry);
  if (!checker.expect(value.ok(), "{}", value.ok() ? "" : value.error().message)) return;
  const std::string problem = check_option(option, *value);
  checker.expect(problem.empty(), "the default of `{}` is not allowed: {}", option.name, problem);
}

}  // namespace

void check_schema(Checker& checker) {
  const strata_schema& schema = checker.entry.schema();
  const std::string_view doc = schema.doc ? schema.doc : "",
                         example = schema.example ? schema.example : "";
  const std::string_view first_line = doc.substr(0, doc.find('\n'));
  checker.expect(is_cap_words(checker.entry.name()), "the name is not in CapWords");
  checker.expect(!first_line.empty(), "has no doc");
  checker.expect(first_line.ends_with('.') || first_line.empty(),
                 "the first line of the doc is no sentence: {}", first_line);
  // A fusion is not written in a file: its example is what it stands for.
  checker.expect(checker.entry.kind() == STRATA_FUSION ||
                     example.find(checker.entry.name()) != std::string_view::npos,
                 "has no example with its name: {}", example);
  for (std::int64_t i = 0; i < schema.option_count; ++i) {
    check_option_text(checker, schema.options[i]);
    checker.expect(checker.entry.find_option(schema.options[i].name) == static_cast<int>(i),
                   "the option `{}` is there twice", schema.options[i].name);
    checker.expect(checker.entry.hint_for(schema.options[i].name).empty(),
                   "there is a hint for `{}`, which is an option", schema.options[i].name);
  }
  for (std::int64_t i = 0; i < schema.input_count; ++i) {
    checker.expect(is_snake_case(schema.inputs[i]), "the input `{}` is not in snake_case",
                   schema.inputs[i]);
  }
}

// That it computes what its members do is for those to say who can run both (trainer plugin check).
void check_fusion(Checker& checker) {
  const auto& table = *static_cast<const strata_fusion*>(checker.entry.table->functions);
  checker.expect(table.pattern_count >= 2, "stands for fewer than two layers");
  for (std::int64_t i = 0; i < table.pattern_count; ++i) {
    checker.expect(checker.registry.find(STRATA_LAYER, table.pattern[i]) != nullptr,
                   "its pattern has `{}`, which is no layer", table.pattern[i]);
  }
  checker.expect(table.create && table.destroy && table.infer && table.forward && table.backward,
                 "lacks a function");
}

}  // namespace conformance

namespace {

// The bits of the floating-point unit that change results.
unsigned arithmetic_mode() {
#if defined(__x86_64__)
  constexpr unsigned kRoundingAndFlushing = 0xe040;
  return __builtin_ia32_stmxcsr() & kRoundingAndFlushing;
#else
  return 0;
#endif
}

}  // namespace

std::string_view nan_handling_name(NanHandling handling) {
  switch (handling) {
    case NanHandling::kPropagated:
      return "propagated";
    case NanHandling::kRefused:
      return "refused";
    case NanHandling::kCounted:
      return "counted";
    case NanHandling::kSwallowed:
      return "swallowed";
    default:
      return "not fed in";
  }
}

ConformanceReport check_conformance(const Entry& entry, const Registry& registry,
                                    const ConformanceOptions& options) {
  using namespace conformance;
  ConformanceReport report;
  Checker checker{entry, registry, options, report, {}};
  const unsigned arithmetic = arithmetic_mode();
  (void)Running::mode_was_changed();  // in tasks, which put it back themselves
  try {
    checker.begin("its schema");
    checker.context.clear();
    report.cases.clear();
    check_schema(checker);
    switch (entry.kind()) {
      case STRATA_LAYER:
        check_layer(checker);
        break;
      case STRATA_LOSS:
        check_loss(checker);
        break;
      case STRATA_METRIC:
        check_metric(checker);
        break;
      case STRATA_OPTIMIZER:
        check_optimizer(checker);
        break;
      case STRATA_SCHEDULE:
        check_schedule(checker);
        break;
      case STRATA_INITIALIZER:
        check_initializer(checker);
        break;
      case STRATA_DATASET:
        check_dataset(checker);
        break;
      case STRATA_TRANSFORM:
        check_transform(checker);
        break;
      case STRATA_FUSION:
        check_fusion(checker);
        break;
    }
  } catch (const std::exception& e) {
    checker.expect(false, "an exception came out of it: {}", e.what());
  }
  checker.context.clear();
  checker.expect(
      arithmetic_mode() == arithmetic && !Running::mode_was_changed(),
      "changes the processor's arithmetic: rounding, or what becomes of subnormal numbers");
  return report;
}

}  // namespace strata
