// Resolved files.
#include "framework/graph/resolved.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "framework/base/text.h"
#include "framework/dsl/parser.h"
#include "framework/dsl/printer.h"
#include "framework/graph/stage.h"

namespace strata::graph {
namespace {

using ListPtr = std::shared_ptr<const List>;

dsl::Expr make_expr(const OptionValue& value);

std::unique_ptr<dsl::Expr> make_expr_ptr(const OptionValue& value) {
  return std::make_unique<dsl::Expr>(make_expr(value));
}

dsl::Expr negated(dsl::Expr operand) {
  dsl::Expr expr;
  expr.node =
      dsl::UnaryExpr{dsl::UnaryOp::kNegate, std::make_unique<dsl::Expr>(std::move(operand))};
  return expr;
}

dsl::Expr make_expr(const OptionValue& value) {
  dsl::Expr expr;
  if (value.is_none()) {
    expr.node = dsl::NoneLiteral{};
  } else if (const auto* b = std::get_if<bool>(&value.data)) {
    expr.node = dsl::BoolLiteral{*b};
  } else if (const auto* i = std::get_if<std::int64_t>(&value.data)) {
    const bool negative = *i < 0 && *i != INT64_MIN;
    const std::int64_t size = negative ? -*i : *i;
    expr.node = dsl::IntLiteral{size, fmt::format("{}", size)};
    if (negative) return negated(std::move(expr));
  } else if (const auto* x = std::get_if<double>(&value.data)) {
    expr.node = dsl::FloatLiteral{std::abs(*x), print_float(std::abs(*x))};
    if (std::signbit(*x)) return negated(std::move(expr));
  } else if (const auto* text = std::get_if<std::string>(&value.data)) {
    expr.node = dsl::StringLiteral{*text};
  } else if (const auto* items = std::get_if<OptionValue::List>(&value.data)) {
    dsl::ListExpr list;
    for (const OptionValue& item : *items) {
      dsl::Argument& argument = list.items.emplace_back();
      argument.value = make_expr_ptr(item);
    }
    expr.node = std::move(list);
  } else {
    const PluginCall& call = *std::get<std::shared_ptr<const PluginCall>>(value.data);
    if (call.options.empty()) {
      dsl::Reference reference;
      reference.path.parts.push_back({call.entry->name(), {}});
      expr.node = std::move(reference);
      return expr;
    }
    dsl::CallExpr made;
    made.callee.text = call.entry->name();
    for (std::size_t n = 0; n < call.options.size(); ++n) {
      dsl::Argument& argument = made.arguments.emplace_back();
      argument.name = dsl::Name{call.entry->schema().options[n].name, {}};
      argument.value = make_expr_ptr(call.options[n]);
    }
    expr.node = std::move(made);
  }
  return expr;
}

OptionValue plain(const Value& value) {
  if (const auto* b = value.get<bool>()) return {*b};
  if (const auto* i = value.get<std::int64_t>()) return {*i};
  if (const auto* x = value.get<double>()) return {*x};
  if (const auto* text = value.get<std::string>()) return {*text};
  OptionValue::List items;
  if (const auto* list = value.get<ListPtr>()) {
    for (const Value& item : (*list)->items) items.push_back(plain(item));
    return {std::move(items)};
  }
  if (const auto* range = value.get<Range>()) {
    for (std::int64_t i = 0; i < range->size(); ++i) items.emplace_back().data = range->first + i;
    return {std::move(items)};
  }
  return {};
}

class Resolver {
 public:
  Resolver(Declarations& declarations, Session& session)
      : declarations_(declarations), session_(session) {}

  // Spells out the defaults in a section and collects what it refers to.
  void model(dsl::ModelSection& section) {
    for (dsl::ModelInput& input : section.inputs) expression(input.shape, -1);
    body(section.body);
    follow();
  }

  std::string text(const Program& program, ModelDecl& model_declared, const TrainDecl* train) {
    dsl::File file;
    const auto take = [&](dsl::Section* section) { file.sections.push_back(std::move(*section)); };
    if (!declarations_.files.empty()) {
      for (dsl::Section& section : declarations_.files[0]->sections) {
        if (!std::holds_alternative<dsl::FormatSection>(section.node)) continue;
        take(&section);
        break;
      }
    }
    for (dsl::Section* section : declarations_.requires_) take(section);
    for (const Constant& constant : declarations_.constants) {
      if (constants_.contains(&constant)) take(constant.section);
    }
    for (const BlockDecl& block : declarations_.blocks) {
      if (blocks_.contains(&block)) take(block.section);
    }
    take(model_declared.section);
    std::string out = dsl::print(file);
    if (program.has_data) out += data_text(program.data);
    if (train) out += train_text(program);
    return canonical(out);
  }

 private:
  static std::string data_text(const DataPipeline& data) {
    std::string out = fmt::format("\ndata {} = {}", data.name, print_call(data.dataset->call()));
    for (const SplitRule& rule : data.split_rules) out += " -> " + print_rule(rule);
    for (const InstancePtr& transform : data.transforms)
      out += " -> " + print_call(transform->call());
    return out + "\n";
  }

  static std::string term_text(const Term& term) {
    std::string out = term.weight == 1 ? "" : print_float(term.weight) + " * ";
    out += term.instance->entry().name() + "(";
    std::string separator;
    for (const TermInput& input : term.inputs) out += std::exchange(separator, ", ") + input.name;
    const PluginCall& call = term.instance->call();
    for (std::size_t i = 0; i < call.options.size(); ++i) {
      out += std::exchange(separator, ", ") + std::string(call.entry->schema().options[i].name) +
             " = " + print_value(call.options[i]);
    }
    return out + ")";
  }

  static std::string terms_text(const std::vector<Term>& terms) {
    std::string out = "[";
    for (std::size_t i = 0; i < terms.size(); ++i) out += (i ? ", " : "") + term_text(terms[i]);
    return out + "]";
  }

  static std::string strings(const std::vector<std::string>& texts) {
    std::string out = "[";
    for (std::size_t i = 0; i < texts.size(); ++i) out += (i ? ", " : "") + print_string(texts[i]);
    return out + "]";
  }

  static std::string pairs(const std::vector<RateScale>& scales) {
    std::string out = "[";
    for (const RateScale& scale : scales)
      out += fmt::format("{}({}, {})", out.size() > 1 ? ", " : "", print_string(scale.pattern),
                         print_float(scale.factor));
    return out + "]";
  }

  static std::string train_text(const Program& program) {
    static constexpr const char* kLastBatch[] = {"keep", "drop", "merge"};
    const TrainSettings& s = program.train;
    std::string out = s.name.empty() ? "\ntrain {\n" : fmt::format("\ntrain {} {{\n", s.name);
    const auto set = [&](const char* key, const std::string& value) {
      out += fmt::format("  {} = {}\n", key, value);
    };
    set("model", program.graph.name);
    if (program.has_data) set("data", program.data.name);
    set("loss", s.losses.size() == 1 ? term_text(s.losses[0]) : terms_text(s.losses));
    set("metrics", terms_text(s.metrics));
    set("optimizer", print_call(s.optimizer->call()));
    set("schedule", s.schedule ? print_call(s.schedule->call()) : "none");
    set("batch_size", fmt::format("{}", s.batch_size));
    set("last_batch", print_string(kLastBatch[static_cast<int>(s.last_batch)]));
    if (s.epochs) set("epochs", fmt::format("{}", *s.epochs));
    if (s.steps) set("steps", fmt::format("{}", *s.steps));
    set("seed", fmt::format("{}", s.seed));
    set("precision", s.precision == Precision::kF64 ? "\"f64\"" : "\"f32\"");
    set("shuffle", s.shuffle ? "true" : "false");
    const auto number = [](const std::optional<double>& x) {
      return x ? print_float(*x) : std::string("none");
    };
    const auto count = [](const std::optional<std::int64_t>& n) {
      return n ? fmt::format("{}", *n) : std::string("none");
    };
    set("clip_value", number(s.clip_value));
    set("clip_norm", number(s.clip_norm));
    set("accumulate", fmt::format("{}", s.accumulate));
    set("no_decay", strings(s.no_decay));
    set("frozen", strings(s.frozen));
    set("lr_scale", pairs(s.lr_scale));
    set("ema", number(s.ema));
    set("monitor", s.monitor.empty() ? "none" : print_string(s.monitor));
    set("patience", count(s.patience));
    set("min_delta", print_float(s.min_delta));
    set("checkpoint_steps", count(s.checkpoint_steps));
    set("checkpoint_minutes", number(s.checkpoint_minutes));
    set("log_steps", count(s.log_steps));
    set("statistics", count(s.statistics));
    set("log", s.log.empty() ? "none" : print_string(s.log));
    set("allow", strings(s.allow));
    return out + "}\n";
  }

  // One layout for what was printed and what was written here.
  static std::string canonical(const std::string& text) {
    const SourceFile source("resolved", text);
    Diagnostics mine;
    const dsl::File file = dsl::parse_file(source, mine);
    return mine.has_errors() ? text : dsl::print(file);
  }

  // ---- what is used ----

  void refer(std::string_view name) {
    if (Constant* constant = declarations_.find_constant(name)) {
      if (constants_.insert(constant).second) open_constants_.push_back(constant);
    }
  }
  void refer_block(BlockDecl* block) {
    if (blocks_.insert(block).second) open_blocks_.push_back(block);
  }

  void follow() {
    while (!open_blocks_.empty() || !open_constants_.empty()) {
      if (!open_blocks_.empty()) {
        BlockDecl* block = open_blocks_.back();
        open_blocks_.pop_back();
        for (dsl::BlockParameter& parameter : block->node->parameters) {
          if (parameter.default_value) expression(*parameter.default_value, -1);
        }
        body(block->node->body);
        continue;
      }
      Constant* constant = open_constants_.back();
      open_constants_.pop_back();
      if (auto* let = std::get_if<dsl::LetSection>(&constant->section->node)) {
        expression(let->value, -1);
        continue;
      }
      auto& param = std::get<dsl::ParamSection>(constant->section->node);
      if (constant->overridden) param.value = make_expr(plain(constant->result));
      expression(param.value, -1);
      if (param.domain) expression(*param.domain, -1);
    }
  }

  // ---- defaults ----

  // Adds what `arguments` leaves out; `positional` of them are values or inputs.
  void spell_out(const Entry& entry, std::vector<dsl::Argument>& arguments,
                 std::size_t positional) {
    std::vector<bool> given(static_cast<std::size_t>(entry.schema().option_count), false);
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      dsl::Argument& argument = arguments[i];
      int index = -1;
      if (argument.name) {
        index = entry.find_option(argument.name->text);
      } else if (i >= positional) {
        index = 0;
      }
      if (!argument.value) continue;
      if (index < 0 || index >= entry.schema().option_count) {
        expression(*argument.value, -1);
        continue;
      }
      given[static_cast<std::size_t>(index)] = true;
      const strata_option& option = entry.schema().options[index];
      expression(*argument.value, option.plugin_kind);
      auto* path = std::get_if<dsl::StringLiteral>(&argument.value->node);
      if (path && (option.flags & STRATA_OPTION_PATH) && argument.value->span.file) {
        const auto folder = std::filesystem::path(argument.value->span.file->name()).parent_path();
        path->value = std::filesystem::absolute(folder / path->value).lexically_normal().string();
      }
    }
    const std::vector<OptionValue>* defaults = session_.defaults_of(entry, {});
    for (std::size_t i = 0; defaults && i < given.size(); ++i) {
      const strata_option& option = entry.schema().options[i];
      if (given[i] || (option.flags & STRATA_OPTION_REQUIRED)) continue;
      dsl::Argument& added = arguments.emplace_back();
      added.name = dsl::Name{option.name, {}};
      added.value = make_expr_ptr((*defaults)[i]);
    }
  }

  // What a name means where a plugin of `kind` is wanted (-1: any): null where that is left open.
  const Entry* entry_for(const std::string& name, std::int32_t kind) const {
    if (kind >= 0) return session_.registry.find(static_cast<Kind>(kind), name);
    const std::vector<const Entry*> entries = session_.registry.find(name);
    return entries.size() == 1 ? entries.front() : nullptr;
  }

  void expression(dsl::Expr& expr, std::int32_t kind) {
    if (auto* reference = std::get_if<dsl::Reference>(&expr.node)) {
      if (reference->path.parts.empty()) return;
      const std::string name = reference->path.parts[0].text;
      refer(name);
      if (reference->path.parts.size() > 1 || declarations_.find_constant(name)) return;
      const Entry* entry = entry_for(name, kind);
      if (!entry || entry->schema().option_count == 0) return;
      dsl::CallExpr call;
      call.callee = {name, {}};
      spell_out(*entry, call.arguments, 0);
      if (!call.arguments.empty()) expr.node = std::move(call);
    } else if (auto* call = std::get_if<dsl::CallExpr>(&expr.node)) {
      const Entry* entry =
          is_function(call->callee.text) ? nullptr : entry_for(call->callee.text, kind);
      if (entry) {
        spell_out(*entry, call->arguments, static_cast<std::size_t>(entry->schema().input_count));
      } else {
        for (dsl::Argument& argument : call->arguments) {
          if (argument.value) expression(*argument.value, -1);
        }
      }
    } else if (auto* list = std::get_if<dsl::ListExpr>(&expr.node)) {
      for (dsl::Argument& item : list->items) {
        if (item.value) expression(*item.value, kind);
      }
    } else if (auto* range = std::get_if<dsl::RangeExpr>(&expr.node)) {
      expression(*range->first, -1);
      expression(*range->last, -1);
    } else if (auto* unary = std::get_if<dsl::UnaryExpr>(&expr.node)) {
      expression(*unary->operand, -1);
    } else if (auto* chain = std::get_if<dsl::ChainExpr>(&expr.node)) {
      expression(*chain->first, -1);
      for (auto& link : chain->rest) expression(*link.operand, -1);
    } else if (auto* conditional = std::get_if<dsl::ConditionalExpr>(&expr.node)) {
      for (auto& branch : conditional->branches) {
        expression(*branch.condition, -1);
        expression(*branch.value, kind);
      }
      if (conditional->otherwise) expression(*conditional->otherwise, kind);
    }
  }

  void body(std::vector<dsl::BodyStatement>& statements) {
    for (dsl::BodyStatement& statement : statements) {
      if (auto* let = std::get_if<dsl::LetStatement>(&statement.node)) {
        expression(let->value, -1);
      } else {
        flow(std::get<dsl::FlowStatement>(statement.node).flow, true);
      }
    }
  }

  void flow(dsl::Flow& stages, bool has_source) {
    for (std::size_t i = 0; i < stages.stages.size(); ++i) {
      dsl::Stage& stage = stages.stages[i];
      const bool is_source = has_source && i == 0;
      if (auto* call = std::get_if<dsl::CallStage>(&stage.node)) {
        if (!is_source || call->has_parentheses) call_stage(*call, is_source);
      } else if (auto* branches = std::get_if<dsl::IfStage>(&stage.node)) {
        for (auto& branch : branches->branches) {
          expression(*branch.condition, -1);
          if (branch.body) flow(*branch.body, false);
        }
        if (branches->otherwise) flow(*branches->otherwise, false);
      } else if (auto* loop = std::get_if<dsl::ForStage>(&stage.node)) {
        expression(*loop->values, -1);
        if (loop->body) flow(*loop->body, false);
      } else if (auto* repeat = std::get_if<dsl::RepeatStage>(&stage.node)) {
        expression(*repeat->count, -1);
        if (repeat->body) flow(*repeat->body, false);
      }
    }
  }

  void call_stage(dsl::CallStage& call, bool is_source) {
    if (BlockDecl* block = declarations_.find_block(call.callee.text)) {
      refer_block(block);
      for (dsl::Argument& argument : call.arguments) {
        if (argument.value) expression(*argument.value, -1);
      }
      return;
    }
    const Entry* entry = session_.registry.find(STRATA_LAYER, call.callee.text);
    if (!entry) return;
    spell_out(*entry, call.arguments, value_arguments(entry->schema(), call, !is_source));
    call.has_parentheses = call.has_parentheses || !call.arguments.empty();
  }

  Declarations& declarations_;
  Session& session_;
  std::unordered_set<const Constant*> constants_;
  std::unordered_set<const BlockDecl*> blocks_;
  std::vector<Constant*> open_constants_;
  std::vector<BlockDecl*> open_blocks_;
};

}  // namespace

std::string resolve(const Program& program, ModelDecl& model, const TrainDecl* train,
                    Declarations& declarations, Session& session) {
  Resolver resolver(declarations, session);
  resolver.model(*model.node);
  return resolver.text(program, model, train);
}

}  // namespace strata::graph
