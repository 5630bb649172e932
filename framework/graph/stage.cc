// Arguments of stages.
#include "framework/graph/stage.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/graph/suggest.h"

namespace strata::graph {

std::size_t value_arguments(const strata_schema& schema, const dsl::CallStage& stage,
                            bool has_value) {
  std::size_t positional = 0;
  for (const dsl::Argument& argument : stage.arguments) positional += !argument.name;
  if (schema.variadic) return positional;
  const std::size_t wanted =
      schema.input_count > 0 ? static_cast<std::size_t>(schema.input_count) : 1;
  return std::min(positional, wanted - (has_value ? 1 : 0));
}

Span call_span(const dsl::Stage& stage, const dsl::CallStage& call) {
  if (!stage.alias) return stage.span;
  Span span = call.callee.span;
  for (const dsl::Argument& argument : call.arguments) span = cover(span, argument.span);
  if (call.has_parentheses && span.file) {
    const std::size_t close = span.file->text().find(')', span.end);
    if (close != std::string_view::npos && close < stage.span.end)
      span.end = static_cast<std::uint32_t>(close + 1);
  }
  return span;
}

std::vector<int> match_block_arguments(const dsl::BlockSection& block, const dsl::CallStage& stage,
                                       bool has_value, Session& session, bool& sound) {
  const std::string& name = block.name.text;
  std::vector<int> matched;
  std::vector<Span> given(block.parameters.size());
  std::vector<bool> is_given(block.parameters.size(), false);
  if (has_value && !is_given.empty()) {
    is_given[0] = true;
    given[0] = stage.callee.span;
  }
  std::size_t next = has_value ? 1 : 0;
  for (const dsl::Argument& argument : stage.arguments) {
    int index = -1;
    if (!argument.name) {
      if (next < block.parameters.size()) {
        index = static_cast<int>(next++);
      } else {
        sound = false;
        session
            .error("too-many-arguments", argument.span,
                   fmt::format("block `{}` takes {}{}", name,
                               counted(static_cast<std::int64_t>(block.parameters.size()) -
                                           (has_value ? 1 : 0),
                                       "argument"),
                               has_value ? " besides the flow's value" : ""))
            .notes.push_back({block.name.span, "defined here"});
      }
    } else {
      const auto at =
          std::find_if(block.parameters.begin(), block.parameters.end(),
                       [&](const auto& p) { return p.name.text == argument.name->text; });
      if (at != block.parameters.end()) {
        index = static_cast<int>(at - block.parameters.begin());
      } else {
        sound = false;
        std::vector<std::string> names;
        for (std::size_t i = 1; i < block.parameters.size(); ++i)
          names.push_back(block.parameters[i].name.text);
        Diagnostic& error = session.error(
            "unknown-argument", argument.name->span,
            fmt::format("block `{}` has no parameter `{}`", name, argument.name->text));
        error.notes.push_back({block.name.span, names.empty() ? "it takes the flow's value alone"
                                                              : "it takes " + list_names(names)});
        error.help = did_you_mean(nearest_name(argument.name->text, names));
      }
    }
    if (index >= 0) {
      const auto i = static_cast<std::size_t>(index);
      if (is_given[i]) {
        sound = false;
        Diagnostic& error = session.error(
            "duplicate-argument", argument.name ? argument.name->span : argument.span,
            i == 0 && has_value ? fmt::format("`{}` of block `{}` is the flow's value already",
                                              block.parameters[i].name.text, name)
                                : fmt::format("`{}` of block `{}` is given twice",
                                              block.parameters[i].name.text, name));
        if (i > 0 || !has_value) error.notes.push_back({given[i], "first given here"});
        index = -1;
      } else {
        is_given[i] = true;
        given[i] = argument.span;
      }
    }
    matched.push_back(index);
  }
  if (!sound) return matched;
  for (std::size_t i = 0; i < block.parameters.size(); ++i) {
    if (is_given[i] || block.parameters[i].default_value) continue;
    sound = false;
    if (i == 0) {
      report_no_input(stage, stage.callee.span, session);
      continue;
    }
    session
        .error("missing-argument", stage.callee.span,
               fmt::format("block `{}` needs `{}`", name, block.parameters[i].name.text))
        .notes.push_back({block.parameters[i].name.span, "it has no default"});
  }
  return matched;
}

bool check_input_count(const Entry& entry, std::size_t count, Span span, Session& session) {
  const strata_schema& schema = entry.schema();
  const std::size_t wanted =
      schema.input_count > 0 ? static_cast<std::size_t>(schema.input_count) : 1;
  if (schema.variadic ? count >= 2 : count == wanted) return true;
  Diagnostic& error = session.error(
      "argument-count", span,
      schema.variadic
          ? fmt::format("`{}` joins two or more values, and here is {}", entry.name(), count)
          : fmt::format("`{}` reads {}, and here {} {}", entry.name(),
                        counted(static_cast<std::int64_t>(wanted), "value"),
                        count == 1 ? "is" : "are", count));
  if (schema.example && *schema.example)
    error.help = fmt::format("for example `{}`", schema.example);
  return false;
}

void report_no_input(const dsl::CallStage& stage, Span span, Session& session,
                     std::string_view value) {
  session
      .error("no-input", span,
             fmt::format("`{}` has nothing to read: a flow begins with a value", stage.callee.text))
      .help = fmt::format("write the value first: `{} -> {}`", value, stage.callee.text);
}

void report_list_of_values(const dsl::CallStage& stage, const dsl::Expr& argument,
                           Session& session) {
  const auto& items = std::get<dsl::ListExpr>(argument.node).items;
  if (session.has_error_at(argument.span)) return;
  std::string names;
  for (const dsl::Argument& item : items) {
    if (item.value) names += (names.empty() ? "" : ", ") + std::string(item.value->span.text());
  }
  Diagnostic& error =
      session.error("not-a-value", argument.span,
                    fmt::format("`{}` reads values, and this is a list", stage.callee.text));
  if (!names.empty() && names.size() < 60)
    error.help = fmt::format("write `{}({})`", stage.callee.text, names);
}

void report_not_a_value(const dsl::CallStage& stage, const dsl::Expr& argument, Session& session) {
  Diagnostic& error =
      session.error("not-a-value", argument.span,
                    fmt::format("`{}` reads values of the model, and `{}` is none",
                                stage.callee.text, argument.span.text().substr(0, 60)));
  if (std::holds_alternative<dsl::CallExpr>(argument.node)) {
    error.help = "name the value in a statement of its own: `main = x -> Dense(10)`";
  }
}

}  // namespace strata::graph
