// The expansion.
#include "framework/graph/expand.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/graph/bind.h"
#include "framework/graph/expand_scope.h"
#include "framework/graph/expansion_budget.h"
#include "framework/graph/graph_builder.h"
#include "framework/graph/stage.h"
#include "framework/graph/suggest.h"

namespace strata::graph {
namespace {

using ListPtr = std::shared_ptr<const List>;

class Expander {
 public:
  Expander(Declarations& declarations, GlobalNames& globals, Session& session, Graph& graph)
      : declarations_(declarations),
        globals_(globals),
        session_(session),
        graph_(graph),
        budget_(session, graph) {}

  void run(const dsl::ModelSection& model) {
    graph_.name = model.name.text;
    Scope scope(globals_);
    PathScope paths("");
    for (const dsl::ModelInput& input : model.inputs) {
      const ValueId id = add_input(graph_, input, globals_, session_);
      scope.define(input.name.text, FlowRef{id});
    }
    body(model.body, model.outputs, scope, paths);
    for (const dsl::Name& output : model.outputs) {
      const std::optional<Value> value = scope.find(output.text, output.span);
      const auto* flow = value ? value->get<FlowRef>() : nullptr;
      graph_.output_names.push_back(output.text);
      graph_.outputs.push_back(flow ? flow->id : -1);
    }
  }

 private:
  struct Place {
    Scope& scope;
    PathScope& paths;
    bool in_loop = false;
  };

  // ---- bodies ----

  void body(const std::vector<dsl::BodyStatement>& statements,
            const std::vector<dsl::Name>& outputs, Scope& scope, PathScope& paths) {
    for (const dsl::BodyStatement& statement : statements) {
      if (const auto* flow = std::get_if<dsl::FlowStatement>(&statement.node)) {
        for (const dsl::Name& target : flow->targets) paths.reserve(target.text);
        paths.reserve(flow->flow);
      }
    }
    for (const dsl::BodyStatement& statement : statements) {
      if (const auto* let = std::get_if<dsl::LetStatement>(&statement.node)) {
        scope.define(let->name.text, evaluate(let->value, scope, session_));
      } else {
        flow_statement(std::get<dsl::FlowStatement>(statement.node), outputs, scope, paths);
      }
    }
  }

  void flow_statement(const dsl::FlowStatement& statement, const std::vector<dsl::Name>& outputs,
                      Scope& scope, PathScope& paths) {
    const dsl::Name* name = statement.targets.size() == 1 ? &statement.targets.front() : nullptr;
    if (name && std::any_of(outputs.begin(), outputs.end(),
                            [&](const auto& o) { return o.text == name->text; })) {
      name = nullptr;
    }
    Ids result;
    if (name && !is_one_call(statement.flow, scope)) {
      PathScope inner(paths.named(name->text) + ".");
      inner.reserve(statement.flow);
      result = flow(statement.flow, {}, true, Place{scope, inner}, nullptr);
    } else {
      result = flow(statement.flow, {}, true, Place{scope, paths}, name);
    }
    if (statement.targets.empty()) return;
    const std::size_t wanted = statement.targets.size();
    if (result.size() != wanted && !is_unknown(result)) {
      Span span = cover(statement.targets.front().span, statement.targets.back().span);
      session_
          .error("output-count", span,
                 fmt::format("this flow makes {} for {}",
                             counted(static_cast<std::int64_t>(result.size()), "value"),
                             counted(static_cast<std::int64_t>(wanted), "name")))
          .notes.push_back({statement.flow.stages.back().span, "made here"});
      result = {-1};
    }
    for (std::size_t i = 0; i < wanted; ++i) {
      const ValueId id = result.size() == wanted ? result[i] : -1;
      name_value(graph_, id, paths.named(statement.targets[i].text));
      scope.define(statement.targets[i].text, FlowRef{id});
    }
  }

  static bool is_unknown(const Ids& ids) {
    return ids.empty() || std::find(ids.begin(), ids.end(), -1) != ids.end();
  }

  // `Layer(x, …)` or `x -> Layer(…)`: an assignment then names that one instance.
  static bool is_one_call(const dsl::Flow& flow, Scope& scope) {
    if (flow.stages.empty() || flow.stages.size() > 2) return false;
    const auto* first = std::get_if<dsl::CallStage>(&flow.stages[0].node);
    const auto* last = std::get_if<dsl::CallStage>(&flow.stages.back().node);
    if (!first || !last || flow.stages.back().alias) return false;
    return flow.stages.size() == 1 || is_value(*first, scope);
  }
  static bool is_value(const dsl::CallStage& stage, Scope& scope) {
    if (stage.has_parentheses) return false;
    const std::optional<Value> value = scope.find(stage.callee.text, stage.callee.span);
    return value && value->get<FlowRef>();
  }

  // ---- flows ----

  // `name` is what an assignment calls the flow's one call.
  Ids flow(const dsl::Flow& flow, Ids carried, bool has_source, Place place,
           const dsl::Name* name) {
    const ExpansionBudget::Level level(budget_, flow.span);
    if (!level.fits()) return {-1};
    for (std::size_t i = 0; i < flow.stages.size(); ++i) {
      const dsl::Stage& stage = flow.stages[i];
      if (!budget_.stage(stage.span)) {
        carried = {-1};
        break;
      }
      const bool is_source = has_source && i == 0;
      if (!is_source && carried.size() > 1) {
        session_
            .error("several-values", stage.span,
                   fmt::format("{} values arrive here, and a flow carries one", carried.size()))
            .help = "name them and go on from each: `a, b = …`";
        carried = {-1};
      }
      const dsl::Name* own = i + 1 == flow.stages.size() ? name : nullptr;
      carried =
          run_stage(stage, std::move(carried), is_source, place, stage.alias ? &*stage.alias : own);
      if (!stage.alias) continue;
      if (carried.size() > 1) {
        session_
            .error("several-values", stage.alias->span,
                   fmt::format("`as` names one value, and here are {}", carried.size()))
            .help = "give each a name: `a, b = …`";
        carried = {-1};
      }
      name_value(graph_, carried.empty() ? -1 : carried[0], place.paths.named(stage.alias->text));
      place.scope.define(stage.alias->text, FlowRef{carried.empty() ? -1 : carried[0]});
    }
    return carried;
  }

  Ids run_stage(const dsl::Stage& stage, Ids carried, bool is_source, Place place,
                const dsl::Name* name) {
    if (const auto* call = std::get_if<dsl::CallStage>(&stage.node)) {
      return call_stage(stage, *call, std::move(carried), is_source, place, name);
    }
    if (std::holds_alternative<dsl::ErrorStage>(stage.node)) return {-1};
    if (is_source) {
      session_.error("no-input", stage.span, "this has nothing to read: a flow begins with a value")
          .help = "write the value first: `x -> …`";
      return {-1};
    }
    if (stage.alias && !place.in_loop) {
      PathScope inner(place.paths.named(stage.alias->text) + ".");
      return control(stage, std::move(carried), Place{place.scope, inner, false});
    }
    return control(stage, std::move(carried), place);
  }

  Ids control(const dsl::Stage& stage, Ids carried, Place place) {
    const auto braces = [&](const dsl::Flow& inner_flow, Ids value, Scope& scope, bool in_loop) {
      if (stage.alias) place.paths.reserve(inner_flow);
      return flow(inner_flow, std::move(value), false,
                  Place{scope, place.paths, in_loop || place.in_loop}, nullptr);
    };
    if (const auto* branches = std::get_if<dsl::IfStage>(&stage.node)) {
      for (const auto& branch : branches->branches) {
        const std::optional<bool> chosen =
            evaluate_condition(*branch.condition, place.scope, session_);
        if (!chosen) return {-1};
        if (!*chosen) continue;
        Scope scope(place.scope);
        return branch.body ? braces(*branch.body, std::move(carried), scope, false) : Ids{-1};
      }
      if (!branches->otherwise) return carried;
      Scope scope(place.scope);
      return braces(*branches->otherwise, std::move(carried), scope, false);
    }
    if (const auto* loop = std::get_if<dsl::ForStage>(&stage.node)) {
      return for_loop(stage, *loop, std::move(carried), place, braces);
    }
    const auto& repeat = std::get<dsl::RepeatStage>(stage.node);
    const Value count = evaluate(*repeat.count, place.scope, session_);
    if (count.is_unknown() || !repeat.body || repeat.body->stages.empty()) return {-1};
    const auto* times = count.get<std::int64_t>();
    if (!times || *times < 0) {
      session_.error(
          "wrong-type", repeat.count->span,
          fmt::format("`repeat` counts with an int from 0 on, not {}", described(count)));
      return {-1};
    }
    if (!budget_.rounds(*times, repeat.count->span)) return {-1};
    for (std::int64_t i = 0; i < *times && !budget_.spent(); ++i) {
      session_.frames.push_back({stage.span, fmt::format("in round {} of `repeat`", i + 1)});
      Scope scope(place.scope);
      carried = braces(*repeat.body, std::move(carried), scope, true);
      session_.frames.pop_back();
    }
    return carried;
  }

  template <class Braces>
  Ids for_loop(const dsl::Stage& stage, const dsl::ForStage& loop, Ids carried, Place place,
               const Braces& braces) {
    const Value values = evaluate(*loop.values, place.scope, session_);
    if (values.is_unknown() || !loop.body || loop.body->stages.empty()) return {-1};
    const auto* list = values.get<ListPtr>();
    const auto* range = values.get<Range>();
    if (!list && !range) {
      Diagnostic& error = session_.error(
          "wrong-type", loop.values->span,
          fmt::format("`for` goes over a list or a range, not {}", described(values)));
      if (values.get<std::int64_t>())
        error.help = fmt::format("write `repeat {0}`, or `1..{0}`", print_value(values));
      return {-1};
    }
    const std::int64_t rounds =
        list ? static_cast<std::int64_t>((*list)->items.size()) : range->size();
    if (!budget_.rounds(rounds, loop.values->span)) return {-1};
    for (std::int64_t i = 0; i < rounds && !budget_.spent(); ++i) {
      const Value value =
          list ? (*list)->items[static_cast<std::size_t>(i)] : Value(range->first + i);
      session_.frames.push_back({stage.span, fmt::format("in round {} of `for`: {} = {}", i + 1,
                                                         loop.variable.text, print_value(value))});
      Scope scope(place.scope);
      if (loop.index) scope.define(loop.index->text, i);
      scope.define(loop.variable.text, value);
      carried = braces(*loop.body, std::move(carried), scope, true);
      session_.frames.pop_back();
    }
    return carried;
  }

  // ---- calls ----

  Ids call_stage(const dsl::Stage& stage, const dsl::CallStage& call, Ids carried, bool is_source,
                 Place place, const dsl::Name* name) {
    if (is_source && !call.has_parentheses) {
      if (const std::optional<Value> value = place.scope.find(call.callee.text, call.callee.span)) {
        const auto* flow_value = value->get<FlowRef>();
        return {flow_value ? flow_value->id
                           : -1};  // what is no value was reported by the check of names
      }
    }
    if (BlockDecl* block = declarations_.find_block(call.callee.text)) {
      return block_call(stage, call, *block, std::move(carried), is_source, place, name);
    }
    const Entry* entry = session_.registry.find(STRATA_LAYER, call.callee.text);
    if (!entry) {
      path_for(call.callee.text, place, name);
      return {-1};
    }
    return layer_call(stage, call, *entry, std::move(carried), is_source, place, name);
  }

  std::string path_for(const std::string& kind, Place place, const dsl::Name* name) {
    if (name && !place.in_loop) return place.paths.named(name->text);
    return place.paths.counted(name ? name->text : kind_word(kind));
  }

  Ids layer_call(const dsl::Stage& stage, const dsl::CallStage& call, const Entry& entry,
                 Ids inputs, bool is_source, Place place, const dsl::Name* name) {
    const Span span = call_span(stage, call);
    const std::string path = path_for(entry.name(), place, name);
    const std::size_t values = value_arguments(entry.schema(), call, !is_source);
    if (is_source && values == 0) {
      report_no_input(call, call.callee.span, session_);
      return {-1};
    }
    std::size_t first_option = 0;
    for (; first_option < values && !call.arguments[first_option].name; ++first_option) {
      const dsl::Argument& argument = call.arguments[first_option];
      const Value value =
          argument.value ? evaluate(*argument.value, place.scope, session_) : Value{};
      const auto* flow_value = value.get<FlowRef>();
      if (!flow_value && !value.is_unknown()) {
        if (is_source && first_option == 0) {
          if (!session_.has_error_at(argument.value->span))
            report_no_input(call, call.callee.span, session_);
          return {-1};
        }
        report_not_a_value(call, *argument.value, session_);
      }
      inputs.push_back(flow_value ? flow_value->id : -1);
    }
    std::vector<CallArgument> arguments;
    arguments.reserve(call.arguments.size() - first_option);
    for (std::size_t i = first_option; i < call.arguments.size(); ++i) {
      const dsl::Argument& argument = call.arguments[i];
      if (!argument.value) return {-1};
      CallArgument& evaluated = arguments.emplace_back();
      if (argument.name) {
        evaluated.name = argument.name->text;
        evaluated.name_span = argument.name->span;
      }
      evaluated.value = evaluate(*argument.value, place.scope, session_);
      evaluated.span = argument.value->span;
    }
    std::optional<PluginCall> bound = bind_arguments(entry, span, arguments, session_);
    if (!check_input_count(entry, inputs.size(), span, session_) || !bound) return {-1};
    const InstancePtr instance = make_instance(std::move(*bound), span, session_);
    if (!instance || is_unknown(inputs)) return {-1};
    return add_node(graph_, path, instance, std::move(inputs), span, session_);
  }

  Ids block_call(const dsl::Stage& stage, const dsl::CallStage& call, BlockDecl& declared,
                 Ids carried, bool is_source, Place place, const dsl::Name* name) {
    const dsl::BlockSection& block = *declared.node;
    const std::string path = path_for(block.name.text, place, name);
    bool sound = true;
    const std::vector<int> matched =
        match_block_arguments(block, call, !is_source, session_, sound);
    std::vector<Value> given(block.parameters.size());
    std::vector<bool> is_given(block.parameters.size(), false);
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
      if (!call.arguments[i].value) return {-1};
      Value value = evaluate(*call.arguments[i].value, place.scope, session_);
      if (matched[i] < 0) continue;
      if (matched[i] == 0 && !value.is_unknown() && !value.get<FlowRef>()) {
        report_no_input(call, call.callee.span, session_);
        return {-1};
      }
      given[static_cast<std::size_t>(matched[i])] = std::move(value);
      is_given[static_cast<std::size_t>(matched[i])] = true;
    }
    if (!sound || declared.recursive || block.parameters.empty()) return {-1};
    if (!is_source) {
      given[0] = FlowRef{carried.empty() ? -1 : carried[0]};
      is_given[0] = true;
    }
    session_.frames.push_back(
        {call_span(stage, call), fmt::format("in block `{}`, here `{}`", block.name.text, path)});
    Scope scope(globals_);
    for (std::size_t i = 0; i < block.parameters.size(); ++i) {
      const dsl::BlockParameter& parameter = block.parameters[i];
      if (!is_given[i] && parameter.default_value)
        given[i] = evaluate(*parameter.default_value, scope, session_);
      scope.define(parameter.name.text, given[i]);
    }
    PathScope paths(path + ".");
    if (const ExpansionBudget::Level level(budget_, call.callee.span); level.fits())
      body(block.body, block.outputs, scope, paths);
    session_.frames.pop_back();
    Ids outputs;
    for (const dsl::Name& output : block.outputs) {
      const std::optional<Value> value = scope.find(output.text, output.span);
      const auto* flow_value = value ? value->get<FlowRef>() : nullptr;
      outputs.push_back(flow_value ? flow_value->id : -1);
    }
    return outputs;
  }

  Declarations& declarations_;
  GlobalNames& globals_;
  Session& session_;
  Graph& graph_;
  ExpansionBudget budget_;
};

}  // namespace

bool expand_model(const dsl::ModelSection& model, Declarations& declarations, GlobalNames& globals,
                  Session& session, Graph& graph) {
  const int before = session.errors();
  const Graph* around = session.graph;
  session.graph = &graph;
  Expander(declarations, globals, session, graph).run(model);
  session.graph = around;
  const auto known = [](ValueId id) { return id >= 0; };
  return session.errors() == before &&
         std::all_of(graph.outputs.begin(), graph.outputs.end(), known) &&
         std::all_of(graph.inputs.begin(), graph.inputs.end(), known);
}

}  // namespace strata::graph
