// The check of names.
#include "framework/graph/check_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "framework/graph/bind.h"
#include "framework/graph/block_recursion.h"
#include "framework/graph/expression_check.h"
#include "framework/graph/split_stage.h"
#include "framework/graph/stage.h"
#include "framework/graph/study_draw.h"
#include "framework/graph/suggest.h"
#include "framework/graph/train_settings.h"

namespace strata::graph {
namespace {

class Checker : public ExpressionCheck {
 public:
  using ExpressionCheck::ExpressionCheck;

  void run() {
    reserved_names();
    for (Constant& constant : declarations_.constants) {
      expression(*constant.value);
      if (constant.param && constant.param->domain) expression(*constant.param->domain);
    }
    for (BlockDecl& block : declarations_.blocks) {
      current_block_ = &block;
      body_section(*block.node, block.in_main, [&] {
        for (const dsl::BlockParameter& parameter : block.node->parameters) {
          if (parameter.default_value) expression(*parameter.default_value);
          if (first_value_.empty()) first_value_ = parameter.name.text;
          define(parameter.name, What::kParameter);
        }
      });
      current_block_ = nullptr;
    }
    for (ModelDecl& model : declarations_.models) {
      body_section(*model.node, model.in_main, [&] {
        for (const dsl::ModelInput& input : model.node->inputs) {
          expression(input.shape);
          if (first_value_.empty()) first_value_ = input.name.text;
          define(input.name, What::kInput);
        }
      });
    }
    for (DataDecl& data : declarations_.data) data_flow(data.node->flow, true);
    for (TrainDecl& train : declarations_.trains) {
      for (const dsl::Setting& setting : train.node->settings) {
        if (setting.key.text == "model" || setting.key.text == "data") continue;
        expression(setting.value, train_setting_option(setting.key.text));
      }
    }
    for (const StudyDecl& study : declarations_.studies) {
      for (const dsl::StudyStatement& statement : study.node->statements) study_values(statement);
    }
    report_recursion(declarations_.blocks, calls_, session_);
    lint_globals();
  }

 private:
  // ---- names that are taken, and how names are written ----

  void reserved_names() {
    for (BlockDecl& block : declarations_.blocks) {
      // Which of the two a use means is open: neither is checked there.
      if (!free_name(block.node->name)) {
        declarations_.incomplete.insert(block.node->name.text);
        block.recursive = true;
      }
      if (block.in_main) lint_case(block.node->name, "block");
    }
    for (const Constant& constant : declarations_.constants) {
      free_name(*constant.name);
      if (constant.in_main) lint_case(*constant.name, constant.param ? "param" : "constant");
    }
    for (const ModelDecl& model : declarations_.models) {
      if (model.in_main) lint_case(model.node->name, "model");
    }
    for (const DataDecl& data : declarations_.data) {
      if (data.in_main) lint_case(data.node->name, "data section");
    }
  }

  // ---- flows ----

  template <class Section>
  void body_section(const Section& section, bool in_main,
                    const std::function<void()>& define_inputs) {
    inner_.clear();
    upcoming_.clear();
    first_value_.clear();
    for (const dsl::BodyStatement& statement : section.body) {
      if (const auto* flow = std::get_if<dsl::FlowStatement>(&statement.node)) {
        for (const dsl::Name& target : flow->targets)
          upcoming_.try_emplace(target.text, target.span);
        for (const dsl::Stage& stage : flow->flow.stages) {
          if (stage.alias) upcoming_.try_emplace(stage.alias->text, stage.alias->span);
        }
      } else {
        const dsl::Name& name = std::get<dsl::LetStatement>(statement.node).name;
        upcoming_.try_emplace(name.text, name.span);
      }
    }
    frames_.emplace_back();
    lint_cases_ = in_main;
    define_inputs();
    std::vector<Span> dropped;  // values at the end of flows that nothing names
    for (const dsl::BodyStatement& statement : section.body) {
      if (const auto* let = std::get_if<dsl::LetStatement>(&statement.node)) {
        expression(let->value);
        // What a syntax error kept from being read may have been a flow.
        const bool read = !std::holds_alternative<dsl::ErrorExpr>(let->value.node);
        define(let->name, read ? What::kLet : What::kAlias);
        continue;
      }
      const auto& flow = std::get<dsl::FlowStatement>(statement.node);
      check_flow(flow.flow, true, flow.targets.empty());
      for (const dsl::Name& target : flow.targets) define(target, What::kAssigned);
      if (flow.targets.empty() && !flow.flow.stages.empty() && !flow.flow.stages.back().alias) {
        dropped.push_back(flow.flow.stages.back().span);
      }
    }
    bool complete = true;
    std::unordered_set<std::string> outputs;
    for (const dsl::Name& output : section.outputs) {
      if (!outputs.insert(output.text).second) {
        session_.error("duplicate-name", output.span,
                       fmt::format("`{}` is an output already", output.text));
      }
      complete = check_output(output, dropped) && complete;
    }
    const bool lints = in_main && complete;
    if (lints) {
      for (const Span span : dropped)
        session_.lint("unused-value", span, "the value at the end of this flow is never used");
    }
    close_frame(lints);
  }

  bool check_output(const dsl::Name& output, const std::vector<Span>& dropped) {
    Local* local = lookup(output.text);
    if (!local && declarations_.incomplete.contains(output.text)) return false;
    if (local) {
      local->used = true;
      if (local->may_flow()) return true;
      session_
          .error("not-a-value", output.span,
                 fmt::format("`{}` is a constant, not a value of the model", output.text))
          .notes.push_back({local->defined, "defined here"});
      return false;
    }
    const auto inner = inner_.find(output.text);
    if (inner != inner_.end() && brace_is_missing()) return false;
    Diagnostic& error = session_.error("missing-output", output.span,
                                       fmt::format("the output `{}` is never made", output.text));
    if (inner != inner_.end()) {
      error.notes.push_back(
          {inner->second,
           fmt::format("`{}` is named here, and known only inside these braces", output.text)});
    } else if (dropped.size() == 1) {
      error.help = fmt::format("write `as {}` at the end of the flow that makes it", output.text);
      error.notes.push_back({dropped.front(), "this value has no name"});
    } else {
      std::vector<std::string> names;
      for (const auto& [name, known_local] : frames_.back()) {
        if (known_local.may_flow()) names.push_back(name);
      }
      std::sort(names.begin(), names.end());
      error.help = did_you_mean(nearest_name(output.text, names));
    }
    return false;
  }

  // Where a brace was forgotten, what seems to lie inside others may not.
  bool brace_is_missing() const {
    const std::vector<Diagnostic>& said = session_.said();
    return std::any_of(said.begin(), said.end(),
                       [](const Diagnostic& d) { return d.code == "unclosed-bracket"; });
  }

  void check_flow(const dsl::Flow& flow, bool has_source, bool is_last_named) {
    for (std::size_t i = 0; i < flow.stages.size(); ++i) {
      const dsl::Stage& stage = flow.stages[i];
      if (const auto* call = std::get_if<dsl::CallStage>(&stage.node)) {
        call_stage(stage, *call, has_source && i == 0);
      } else if (const auto* branches = std::get_if<dsl::IfStage>(&stage.node)) {
        for (const auto& branch : branches->branches) {
          expression(*branch.condition);
          if (branch.body) inner_flow(*branch.body, [] {});
        }
        if (branches->otherwise) inner_flow(*branches->otherwise, [] {});
      } else if (const auto* loop = std::get_if<dsl::ForStage>(&stage.node)) {
        expression(*loop->values);
        if (loop->body) {
          inner_flow(*loop->body, [&] {
            if (loop->index) define(*loop->index, What::kLoopVariable);
            define(loop->variable, What::kLoopVariable);
          });
        }
      } else if (const auto* repeat = std::get_if<dsl::RepeatStage>(&stage.node)) {
        expression(*repeat->count);
        if (repeat->body) inner_flow(*repeat->body, [] {});
      }
      if (stage.alias) {
        const bool last = i + 1 == flow.stages.size();
        define(*stage.alias, last && has_source && is_last_named ? What::kResult : What::kAlias);
      }
    }
  }

  void inner_flow(const dsl::Flow& flow, const std::function<void()>& define_variables) {
    frames_.emplace_back();
    define_variables();
    check_flow(flow, false, false);
    close_frame(false);
  }

  void call_stage(const dsl::Stage& stage, const dsl::CallStage& call, bool is_source) {
    const std::string& name = call.callee.text;
    if (declarations_.incomplete.contains(name)) return;
    Local* local = lookup(name);
    if (is_source && !call.has_parentheses && local) {
      local->used = true;
      if (!local->may_flow()) {
        session_
            .error("not-a-value", call.callee.span,
                   fmt::format("`{}` is a constant, not a value of the model", name))
            .notes.push_back({local->defined, "defined here"});
      }
      return;
    }
    if (BlockDecl* block = declarations_.find_block(name)) {
      block->used = block->used || block != current_block_;
      if (current_block_) calls_[current_block_].push_back({block, call.callee.span});
      bool sound = true;
      match_block_arguments(*block->node, call, !is_source, session_, sound);
      for (const dsl::Argument& argument : call.arguments) {
        if (argument.value) expression(*argument.value);
      }
      return;
    }
    if (!session_.registry.find(STRATA_LAYER, name)) {
      if (!local && declarations_.is_incomplete(name)) {
        for (const dsl::Argument& argument : call.arguments) {
          if (argument.value) mark_used(*argument.value);
        }
        return;
      }
      return unknown_stage(call, local, is_source);
    }
    const Entry& entry = *session_.registry.find(STRATA_LAYER, name);
    const std::size_t values = value_arguments(entry.schema(), call, !is_source);
    if (is_source && values == 0)
      return report_no_input(call, call.callee.span, session_, first_value_);
    std::size_t first_option = 0;
    for (std::size_t left = values; left > 0; ++first_option) {
      const dsl::Argument& argument = call.arguments[first_option];
      if (argument.name) break;  // a value behind a named argument: a positional option then
      --left;
      if (argument.value && !value_argument(call, *argument.value, is_source && first_option == 0))
        return;
    }
    if (is_source &&
        may_be_constant(call)) {  // `Dense(units)`: the expansion knows whether that is a value
      for (std::size_t i = first_option; i < call.arguments.size(); ++i) {
        if (call.arguments[i].value) expression(*call.arguments[i].value);
      }
      return;
    }
    options(entry, call_span(stage, call), call.arguments, first_option);
  }

  // Whether the first argument is a parameter of a block, which may be given anything.
  bool may_be_constant(const dsl::CallStage& call) {
    const auto* reference = call.arguments.empty() || !call.arguments[0].value
                                ? nullptr
                                : std::get_if<dsl::Reference>(&call.arguments[0].value->node);
    if (!reference || reference->path.parts.size() != 1) return false;
    const Local* local = lookup(reference->path.parts[0].text);
    return local && local->what == What::kParameter &&
           reference->path.parts[0].text != first_value_;
  }

  // False where the stage makes no sense without it. `is_first`: it is what the flow begins with.
  bool value_argument(const dsl::CallStage& call, const dsl::Expr& argument, bool is_first) {
    const auto* reference = std::get_if<dsl::Reference>(&argument.node);
    if (std::holds_alternative<dsl::ErrorExpr>(argument.node)) return true;
    if (!reference || reference->path.parts.size() != 1) {
      if (const auto* list = std::get_if<dsl::ListExpr>(&argument.node); list && is_first) {
        mark_used(argument);
        report_list_of_values(call, argument, session_);
        return false;
      }
      if (is_first && !std::holds_alternative<dsl::CallExpr>(argument.node)) {
        mark_used(argument);
        report_no_input(call, call.callee.span, session_, first_value_);
        return false;
      }
      report_not_a_value(call, argument, session_);
      return true;
    }
    const dsl::Name& name = reference->path.parts.front();
    if (!known(name)) {
      unknown(name, nullptr);
      return true;
    }
    const Local* local = lookup(name.text);
    if (local && local->may_flow()) return true;
    if (!local && declarations_.is_incomplete(name.text)) return true;
    if (is_first) {
      report_no_input(call, call.callee.span, session_, first_value_);
      return false;
    }
    report_not_a_value(call, argument, session_);
    return true;
  }

  void unknown_stage(const dsl::CallStage& call, const Local* local, bool is_source) {
    const std::string& name = call.callee.text;
    std::vector<ArgumentName> arguments;
    std::vector<std::string> positional;
    for (const dsl::Argument& argument : call.arguments) {
      if (!argument.value) continue;
      mark_used(*argument.value);
      ArgumentName& given = arguments.emplace_back();
      given.text = argument.value->span.text().substr(0, 60);
      if (argument.name) given.name = argument.name->text;
      if (!argument.name) positional.push_back(given.text);
    }
    if (const std::size_t dot = name.find('.'); dot != std::string::npos) {
      const Local* owner = lookup(name.substr(0, dot));
      if (owner) known({name.substr(0, dot), call.callee.span});
      return report_dotted_name(name, call.callee.span, arguments, {STRATA_LAYER}, session_,
                                owner && owner->may_flow());
    }
    if (local || (!is_source && declarations_.find_constant(name))) {
      Diagnostic& error =
          session_.error("not-a-stage", call.callee.span,
                         fmt::format("`{}` is a {}, not a layer or block", name,
                                     local && local->may_flow() ? "value" : "constant"));
      if (local && local->may_flow())
        error.help = "values meet in a layer that takes several: `Add(a, b)`";
      return;
    }
    if (is_source && !call.has_parentheses) {
      if (Constant* constant = declarations_.find_constant(name)) {
        constant->used = true;
        session_
            .error("not-a-value", call.callee.span,
                   fmt::format("`{}` is a constant, not a value of the model", name))
            .notes.push_back({constant->name->span, "defined here"});
        return;
      }
      const bool capital = !name.empty() && name[0] >= 'A' && name[0] <= 'Z';
      if (!capital && session_.registry.find(name).empty()) return unknown_value(call.callee);
    }
    std::vector<std::string> blocks;
    for (const BlockDecl& block : declarations_.blocks) {
      if (&block != current_block_) blocks.push_back(block.node->name.text);
    }
    if (gives_input_count(positional) &&
        !our_name(name, {STRATA_LAYER}, session_.registry).empty()) {  // Linear(784, 64)
      session_
          .error("unknown-layer", call.callee.span,
                 fmt::format("no layer or block is called `{}`", name))
          .help = fmt::format("write `{}`: how many values come in is known",
                              suggest_call(name, positional, positional.size() < arguments.size(),
                                           {STRATA_LAYER}, session_.registry));
      return;
    }
    // `BatchNorm1d(128)`: their first argument is not what ours would take it for.
    const std::string ours = our_name(name, {STRATA_LAYER}, session_.registry);
    const bool count = !positional.empty() && gives_input_count({positional[0], "1"});
    if (count && !ours.empty() &&
        suggest_call(name, positional, positional.size() < arguments.size(), {STRATA_LAYER},
                     session_.registry) == ours) {
      session_
          .error("unknown-layer", call.callee.span,
                 fmt::format("no layer or block is called `{}`", name))
          .help =
          fmt::format("write `{}` without arguments: the shape of what comes in is known", ours);
      return;
    }
    find_wanted(name, call.callee.span, STRATA_LAYER, session_, blocks, " or block");
  }

  // ---- studies ----

  // What `where` reads says nothing of what a param changes: it may be an axis of the study.
  void study_values(const dsl::StudyStatement& statement) {
    if (const auto* setting = std::get_if<dsl::StudySetting>(&statement.node)) {
      expression(setting->value);
    } else if (const auto* grid = std::get_if<dsl::GridStatement>(&statement.node)) {
      const std::string path = grid->path.text();
      if (path == "train.model" || path == "train.data") return;
      const dsl::CallExpr* drawn = log_uniform_call(grid->values);
      if (!drawn) return expression(grid->values);
      for (const dsl::Argument& argument : drawn->arguments) {
        if (argument.value) expression(*argument.value);
      }
    }
  }

  // ---- data ----

  void data_flow(const dsl::Flow& flow, bool has_source) {
    for (std::size_t i = 0; i < flow.stages.size(); ++i) {
      const dsl::Stage& stage = flow.stages[i];
      const bool is_source = has_source && i == 0;
      if (stage.alias) {
        session_.error("alias-in-data", stage.alias->span,
                       "`as` names values of a model; data has fields by name");
      }
      const auto* call = std::get_if<dsl::CallStage>(&stage.node);
      if (call && !is_source && is_split_stage(call->callee.text)) {
        for (const dsl::Argument& argument : call->arguments) {
          if (argument.value) expression(*argument.value);
        }
      } else if (call) {
        const Entry* entry = find_wanted(call->callee.text, call->callee.span,
                                         is_source ? STRATA_DATASET : STRATA_TRANSFORM, session_);
        if (entry) options(*entry, call_span(stage, *call), call->arguments, 0);
      } else if (const auto* branches = std::get_if<dsl::IfStage>(&stage.node)) {
        for (const auto& branch : branches->branches) {
          expression(*branch.condition);
          if (branch.body) data_flow(*branch.body, false);
        }
        if (branches->otherwise) data_flow(*branches->otherwise, false);
      }
    }
  }

  void lint_globals() {
    for (const Constant& constant : declarations_.constants) {
      if (constant.used || !constant.in_main) continue;
      session_.lint(constant.param ? "unused-param" : "unused-value", constant.name->span,
                    fmt::format("the {} `{}` is never used", constant.param ? "param" : "constant",
                                constant.name->text));
    }
    for (const BlockDecl& block : declarations_.blocks) {
      if (block.used || !block.in_main || declarations_.models.empty()) continue;
      session_.lint("unused-block", block.node->name.span,
                    fmt::format("the block `{}` is never used", block.node->name.text));
    }
  }

  std::string first_value_;  // the body's first input or parameter
  BlockDecl* current_block_ = nullptr;
  BlockCalls calls_;
};

}  // namespace

void check_names(Declarations& declarations, Session& session) {
  Checker(declarations, session).run();
}

}  // namespace strata::graph
