// The lints of graphs and programs. Those of names are in check_names.cc, those of studies in
// study.cc.
#include "framework/graph/lints.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/graph/data.h"
#include "framework/graph/suggest.h"

namespace strata::graph {
namespace {

// Who reads each value: the number of readers, outputs of the model counting as one each.
std::vector<int> readers(const Graph& graph) {
  std::vector<int> count(graph.values.size(), 0);
  for (const GraphNode& node : graph.nodes) {
    for (const ValueId id : node.inputs) ++count[static_cast<std::size_t>(id)];
  }
  for (const ValueId id : graph.outputs) ++count[static_cast<std::size_t>(id)];
  return count;
}

const GraphNode* producer(const Graph& graph, ValueId id) {
  const int node = graph.values[static_cast<std::size_t>(id)].producer;
  return node < 0 ? nullptr : &graph.nodes[static_cast<std::size_t>(node)];
}

// The node that made `id`, behind those that only give it another shape.
const GraphNode* maker(const Graph& graph, ValueId id) {
  const GraphNode* node = producer(graph, id);
  while (node && node->plan.has(STRATA_VIEW)) node = producer(graph, node->inputs[0]);
  return node;
}

const char* kTwice = "softmax is applied twice: the gradient all but vanishes";

// Samples of the training split; nullopt where that is not known before the data is read.
std::optional<std::int64_t> training_samples(const Program& program) {
  if (!program.has_data) return std::nullopt;
  const int split = program.data.result().find_split("train");
  if (split < 0) return std::nullopt;
  const std::int64_t samples =
      program.data.result().splits[static_cast<std::size_t>(split)].samples;
  if (samples <= 0) return std::nullopt;
  return samples;
}

// Values per feature that one sample brings to batch statistics: [channels, positions…] have
// several.
std::int64_t values_per_feature(const Graph& graph, const GraphNode& node) {
  const Shape& shape = graph.values[static_cast<std::size_t>(node.inputs[0])].shape;
  return shape.rank() == 0 ? 1 : shape.elements(1, shape.rank());
}

void batch_of_one(const Program& program, const TrainResult& train, Span section,
                  Session& session) {
  const TrainSettings& settings = program.train;
  const auto at = [&](const char* name) {
    const auto span = train.spans.find(name);
    return span == train.spans.end() ? section : span->second;
  };
  for (const GraphNode& node : program.graph.nodes) {
    if (!node.plan.has(STRATA_BATCH_STATISTICS) || values_per_feature(program.graph, node) > 1)
      continue;
    const std::string layer = node.layer->entry().name();
    if (settings.batch_size == 1) {
      Diagnostic& lint = session.lint(
          "batch-of-one", at("batch_size"),
          fmt::format("a batch of one sample has no statistics for `{}` to use", layer));
      lint.notes.push_back({node.span, "used here"});
      lint.help = "take at least two samples per batch";
      return;
    }
    const std::optional<std::int64_t> samples = training_samples(program);
    if (!samples || settings.last_batch != LastBatch::kKeep || *samples % settings.batch_size != 1)
      continue;
    const Span kept = at("last_batch");
    const bool chosen = kept.file && kept.file->name() == "command line";
    Diagnostic& lint = session.lint("batch-of-one", chosen ? kept : at("batch_size"),
                                    fmt::format("{} samples in batches of {} leave a last one of a "
                                                "single sample, which has no statistics for `{}`",
                                                *samples, settings.batch_size, layer));
    lint.notes.push_back({node.span, "used here"});
    lint.help = "write `last_batch = \"merge\"` or `last_batch = \"drop\"`";
    return;
  }
}

// The setting that came from the command line, if one did: the file's own were fine without it.
Span guilty_of_length(const TrainResult& train) {
  const auto given = [](Span span) { return span.file && span.file->name() == "command line"; };
  const auto* call = train.values.at("schedule").get<std::shared_ptr<const CallValue>>();
  if (call) {
    for (const CallArgument& argument : (*call)->arguments) {
      if (argument.name == "warmup" && given(argument.span)) return argument.span;
    }
  }
  for (const char* name : {"schedule", "steps", "epochs", "batch_size", "last_batch"}) {
    const auto span = train.spans.find(name);
    if (span != train.spans.end() && given(span->second)) return span->second;
  }
  return train.spans.at("schedule");
}

void schedule_length(const Program& program, const TrainResult& train, Session& session) {
  const TrainSettings& settings = program.train;
  if (!settings.schedule) return;
  const OptionValue* warmup = settings.schedule->call().option("warmup");
  const auto* rise = warmup ? std::get_if<std::int64_t>(&warmup->data) : nullptr;
  std::optional<std::int64_t> total = settings.steps;
  if (const auto samples = training_samples(program); !total && samples && settings.epochs) {
    const std::int64_t whole = *samples / settings.batch_size,
                       rest = *samples % settings.batch_size;
    const std::int64_t per_epoch = std::max<std::int64_t>(
        1, whole + (rest > 0 && settings.last_batch == LastBatch::kKeep ? 1 : 0));
    std::int64_t steps = 0;
    if (!__builtin_mul_overflow(per_epoch, *settings.epochs, &steps)) total = steps;
  }
  if (!rise || !total || *rise < *total) return;
  Diagnostic& lint = session.lint(
      "schedule-longer-than-run", guilty_of_length(train),
      fmt::format(
          "the learning rate still rises when the run ends: {} steps of warm-up, and {} in all",
          *rise, *total));
  lint.help = fmt::format("a warm-up of a tenth of the run would be {}",
                          std::max<std::int64_t>(1, *total / 10));
}

void softmax_before_loss(const Program& program, Session& session) {
  for (const Term& loss : program.train.losses) {
    if (!loss.plan.has_trait("applies-softmax") || loss.inputs.empty() || loss.inputs[0].is_field)
      continue;
    const ValueId id = program.graph.outputs[static_cast<std::size_t>(loss.inputs[0].index)];
    const GraphNode* node = maker(program.graph, id);
    if (!node || !node->plan.has_trait("softmax")) continue;
    Diagnostic& lint = session.lint("softmax-twice", node->span, kTwice);
    lint.notes.push_back({loss.span, fmt::format("`{}` applies it to what it reads",
                                                 loss.instance->entry().name())});
    lint.help = fmt::format("leave `{}` out", node->layer->entry().name());
    if (loss.instance->entry().find_option("from_logits") >= 0)
      lint.help += ", or tell the loss `from_logits = false`";
  }
}

void unread_outputs(const Program& program, const dsl::ModelSection& model, Session& session) {
  for (std::size_t i = 0; i < program.graph.outputs.size(); ++i) {
    const auto reads = [&](const Term& term) {
      return std::any_of(term.inputs.begin(), term.inputs.end(), [&](const TermInput& t) {
        return !t.is_field && t.index == static_cast<int>(i);
      });
    };
    const TrainSettings& t = program.train;
    if (std::any_of(t.losses.begin(), t.losses.end(), reads) ||
        std::any_of(t.metrics.begin(), t.metrics.end(), reads)) {
      continue;
    }
    session.lint("unread-output", model.outputs[i].span,
                 fmt::format("no loss and no metric reads the output `{}`", model.outputs[i].text));
  }
}

void unscaled_bytes(const Program& program, const dsl::ModelSection& model, Session& session) {
  for (std::size_t i = 0; i < program.input_fields.size(); ++i) {
    const auto& field =
        program.data.result().fields[static_cast<std::size_t>(program.input_fields[i])];
    if (field.dtype != STRATA_U8 || reads_indices(program.graph, program.graph.inputs[i])) continue;
    Diagnostic& lint =
        session.lint("unscaled-bytes", program.data.span,
                     fmt::format("`{}` reaches the model as bytes, from 0 to 255", field.name));
    lint.notes.push_back({model.inputs[i].name.span, "read here"});
    lint.help = "bring it near 0 and 1 first: `-> Rescale(1 / 255)` or `-> Normalize(…)`";
  }
}

}  // namespace

void lint_graph(const Graph& graph, Session& session) {
  const std::vector<int> read = readers(graph);
  for (const GraphNode& node : graph.nodes) {
    if (node.inputs.empty()) continue;
    const std::string name = node.layer->entry().name();
    const GraphNode* before = producer(graph, node.inputs[0]);
    if (!before) continue;
    const std::string earlier = before->layer->entry().name();
    const bool alone = read[static_cast<std::size_t>(node.inputs[0])] == 1;
    if (node.plan.has_trait("cancels-bias") && before->plan.has_trait("bias") && alone) {
      Diagnostic& lint =
          session.lint("cancelled-bias", before->span,
                       fmt::format("the bias of this `{}` does nothing: `{}` takes the mean away",
                                   earlier, name));
      lint.notes.push_back({node.span, "here"});
      lint.help = "write `bias = false`";
    }
    if (node.plan.has(STRATA_BATCH_STATISTICS)) {
      const GraphNode* mask = before;  // behind layers that work value by value
      while (mask && mask->plan.parameters.empty() && mask->plan.has(STRATA_IN_PLACE) &&
             !mask->plan.has_trait("random-mask") && !mask->inputs.empty()) {
        mask = producer(graph, mask->inputs[0]);
      }
      if (mask && mask->plan.has_trait("random-mask")) {
        Diagnostic& lint =
            session.lint("dropout-before-batchnorm", mask->span,
                         fmt::format("`{}` before `{}`: the variance that it learns in training is "
                                     "not the one it meets afterwards",
                                     mask->layer->entry().name(), name));
        lint.notes.push_back({node.span, "here"});
        lint.help = fmt::format("put `{}` behind the last `{}`", mask->layer->entry().name(), name);
      }
    }
    const GraphNode* made = maker(graph, node.inputs[0]);
    if (node.plan.has_trait("softmax") && made && made->plan.has_trait("softmax")) {
      Diagnostic& lint = session.lint("softmax-twice", node.span, kTwice);
      lint.notes.push_back({made->span, "first here"});
      lint.help = "leave one of them out";
    }
  }
}

void lint_program(const Program& program, const dsl::ModelSection& model, const TrainResult& train,
                  const TrainDecl& section, Session& session) {
  softmax_before_loss(program, session);
  batch_of_one(program, train, heading(*section.section), session);
  schedule_length(program, train, session);
  unread_outputs(program, model, session);
  unscaled_bytes(program, model, session);
}

}  // namespace strata::graph
