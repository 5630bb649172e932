// Elaboration of data sections.
#include "framework/graph/data.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/base/text.h"
#include "framework/graph/bind.h"
#include "framework/graph/expand_scope.h"
#include "framework/graph/split_stage.h"
#include "framework/graph/stage.h"
#include "framework/graph/suggest.h"

namespace strata::graph {
namespace {

using ListPtr = std::shared_ptr<const List>;

constexpr std::size_t kMaxTransforms = 1000;

std::string_view dtype_name(strata_dtype dtype) {
  static constexpr std::string_view kNames[] = {"f32", "f64", "bytes", "class numbers", "floats"};
  return kNames[dtype];
}

class DataElaborator {
 public:
  DataElaborator(const DataDecl& declared, const Overrides& overrides, GlobalNames& globals,
                 Session& session)
      : declared_(declared), overrides_(overrides), globals_(globals), session_(session) {}

  std::optional<DataPipeline> run() {
    pipeline_.name = declared_.node->name.text;
    pipeline_.span = declared_.node->name.span;
    flow(declared_.node->flow, true, globals_);
    overrides_.check_transforms(&declared_, transforms_, session_);
    if (!sound_ || !pipeline_.dataset) return std::nullopt;
    return std::move(pipeline_);
  }

 private:
  void flow(const dsl::Flow& flow, bool has_source, Names& names) {
    for (std::size_t i = 0; i < flow.stages.size(); ++i) {
      const dsl::Stage& stage = flow.stages[i];
      if (const auto* call = std::get_if<dsl::CallStage>(&stage.node)) {
        call_stage(stage, *call, has_source && i == 0, names);
      } else if (const auto* branches = std::get_if<dsl::IfStage>(&stage.node)) {
        if_stage(*branches, names);
      } else if (std::holds_alternative<dsl::ErrorStage>(stage.node)) {
        sound_ = false;
      } else {
        sound_ = false;
        session_.error("loop-in-data", stage.span,
                       "data goes through transforms one by one: there are no loops");
      }
    }
  }

  void if_stage(const dsl::IfStage& branches, Names& names) {
    for (const auto& branch : branches.branches) {
      const std::optional<bool> chosen = evaluate_condition(*branch.condition, names, session_);
      if (!chosen) sound_ = false;
      if (!chosen || !*chosen) continue;
      if (branch.body) flow(*branch.body, false, names);
      return;
    }
    if (branches.otherwise) flow(*branches.otherwise, false, names);
  }

  void call_stage(const dsl::Stage& stage, const dsl::CallStage& call, bool is_source,
                  Names& names) {
    if (!is_source && is_split_stage(call.callee.text)) return split_stage(stage, call, names);
    const Kind kind = is_source ? STRATA_DATASET : STRATA_TRANSFORM;
    const Span span = call_span(stage, call);
    const Entry* entry = find_wanted(call.callee.text, call.callee.span, kind, session_);
    const std::string transform = is_source || !entry ? "" : snake_case(entry->name());
    if (!is_source && entry) transforms_.push_back(transform);
    const std::shared_ptr<const CallValue> value =
        entry ? evaluate_call(call, span, names) : nullptr;
    if (!value) {
      sound_ = false;
      return;
    }
    const Value changed =
        overrides_.apply_to_data(&declared_, transform, value, globals_, session_);
    const auto* final_call = changed.get<std::shared_ptr<const CallValue>>();
    std::optional<PluginCall> bound;
    if (final_call) bound = bind_arguments(*entry, span, (*final_call)->arguments, session_);
    const InstancePtr instance = bound ? make_instance(std::move(*bound), span, session_) : nullptr;
    if (!instance) {
      sound_ = false;
      return;
    }
    if (is_source) {
      pipeline_.dataset = instance;
      describe_source(*instance, span);
    } else if (sound_ && pipeline_.dataset && pipeline_.transforms.size() < kMaxTransforms) {
      pipeline_.transforms.push_back(instance);
      add_stage(infer_transform(*instance, pipeline_.result()), span);
    }
  }

  void describe_source(const Instance& dataset, Span span) {
    Result<DataDescription> description = describe_dataset(dataset);
    const std::optional<DescribedData>& before = session_.options.trained_on;
    if (!description && before && before->dataset == dataset.entry().name())
      description = before->description;
    if (description) pipeline_.source = {dataset.entry().name(), *description};
    add_stage(std::move(description), span);
  }

  // Null where an argument was not read.
  std::shared_ptr<const CallValue> evaluate_call(const dsl::CallStage& call, Span span,
                                                 Names& names) {
    auto value = std::make_shared<CallValue>();
    value->name = call.callee.text;
    value->span = span;
    for (const dsl::Argument& argument : call.arguments) {
      if (!argument.value) return nullptr;
      CallArgument& evaluated = value->arguments.emplace_back();
      if (argument.name) {
        evaluated.name = argument.name->text;
        evaluated.name_span = argument.name->span;
      }
      evaluated.value = evaluate(*argument.value, names, session_);
      evaluated.span = argument.value->span;
    }
    return value;
  }

  // Samples are chosen where the data comes from, wherever the stage stands.
  void split_stage(const dsl::Stage& stage, const dsl::CallStage& call, Names& names) {
    const auto value = evaluate_call(call, call_span(stage, call), names);
    std::optional<SplitRule> rule = value ? read_split_stage(*value, session_) : std::nullopt;
    if (!rule) {
      sound_ = false;
      return;
    }
    if (!sound_ || !pipeline_.dataset) return;
    for (DataDescription& description : pipeline_.stages) {
      Status fits = check_stratify(*rule, pipeline_.stages.front().fields);
      if (fits) fits = apply_to_sizes(*rule, description.splits);
      if (fits) continue;
      sound_ = false;
      session_.error("bad-split", value->span, fits.error().message).help = fits.error().hint;
      return;
    }
    pipeline_.split_rules.push_back(std::move(*rule));
  }

  void add_stage(Result<DataDescription> description, Span span) {
    if (description && description->fields.size() > kMostDataFields) {
      description = make_error(ExitCode::kModel, "data has at most {} fields, and here it has {}",
                               kMostDataFields, description->fields.size());
    }
    if (description) {
      pipeline_.stages.push_back(std::move(*description));
      return;
    }
    sound_ = false;
    const Error& failure = description.error();
    Diagnostic& error = session_.error(code_for(failure, "bad-data"), span, failure.message);
    error.help = failure.hint;
    if (pipeline_.stages.empty()) return;
    for (const auto& field : pipeline_.result().fields) {
      error.notes.push_back({{}, "a field here is " + describe_field(field)});
    }
  }

  const DataDecl& declared_;
  const Overrides& overrides_;
  GlobalNames& globals_;
  Session& session_;
  DataPipeline pipeline_;
  std::vector<std::string> transforms_;
  bool sound_ = true;
};

// Without leading axes of extent 1.
std::vector<std::int64_t> core(const Shape& shape) {
  const std::int64_t* begin = shape.begin();
  while (begin != shape.end() && *begin == 1) ++begin;
  return {begin, shape.end()};
}

}  // namespace

std::string describe_field(const DataDescription::FieldInfo& field) {
  return fmt::format("`{}`: {} {}", field.name, dtype_name(field.dtype), field.shape.text());
}

std::optional<DataPipeline> elaborate_data(const DataDecl& data, const Overrides& overrides,
                                           GlobalNames& globals, Session& session) {
  return DataElaborator(data, overrides, globals, session).run();
}

bool reads_indices(const Graph& graph, ValueId value) {
  bool read = false;
  for (const GraphNode& node : graph.nodes) {
    if (std::find(node.inputs.begin(), node.inputs.end(), value) == node.inputs.end()) continue;
    read = true;
    const bool looks_up = node.plan.has_trait("takes-indices") ||
                          (node.plan.has(STRATA_VIEW) && reads_indices(graph, node.outputs[0]));
    if (!looks_up) return false;
  }
  return read;
}

std::optional<std::vector<int>> bind_inputs(const dsl::ModelSection& model, const Graph& graph,
                                            const DataPipeline& data, Session& session) {
  std::vector<int> bound;
  bool sound = true;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    const dsl::ModelInput& input = model.inputs[i];
    const int index = data.result().find_field(input.name.text);
    bound.push_back(index);
    if (index < 0) {
      sound = false;
      std::vector<std::string> names;
      for (const auto& field : data.result().fields) names.push_back(field.name);
      Diagnostic& error =
          session.error("unknown-field", input.name.span,
                        fmt::format("data `{}` has no field `{}` to feed this input", data.name,
                                    input.name.text));
      for (const auto& field : data.result().fields)
        error.notes.push_back({{}, "it has " + describe_field(field)});
      error.help = did_you_mean(nearest_name(input.name.text, names));
      const auto& first = data.result().fields.front();
      const bool same_shape =
          graph.inputs[i] >= 0 &&
          core(graph.values[static_cast<std::size_t>(graph.inputs[i])].shape) == core(first.shape);
      if (error.help.empty() && graph.inputs.size() == 1 && same_shape) {
        error.help = fmt::format("inputs are named as the fields that feed them: `{}: {}`",
                                 first.name, first.shape.text());
      }
      continue;
    }
    if (graph.inputs[i] < 0) continue;
    const auto& field = data.result().fields[static_cast<std::size_t>(index)];
    const Shape& shape = graph.values[static_cast<std::size_t>(graph.inputs[i])].shape;
    if (core(shape) != core(field.shape)) {
      sound = false;
      session
          .error("input-mismatch", input.shape.span,
                 fmt::format("`{}` of data `{}` has the shape {}, and the model's input {}",
                             field.name, data.name, field.shape.text(), shape.text()))
          .help = fmt::format("write `{}: {}`", input.name.text, field.shape.text());
    } else if (field.dtype == STRATA_I32 && !reads_indices(graph, graph.inputs[i])) {
      sound = false;
      session
          .error("input-mismatch", input.name.span,
                 fmt::format("`{}` of data `{}` holds class numbers, and a model reads amounts",
                             field.name, data.name))
          .help = "an Embedding makes amounts of them: it must be the first to read them";
    }
  }
  if (!sound) return std::nullopt;
  return bound;
}

}  // namespace strata::graph
