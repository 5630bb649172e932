// Elaboration of train sections.
#include "framework/graph/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "framework/base/pattern.h"
#include "framework/base/text.h"
#include "framework/graph/bind.h"
#include "framework/graph/data.h"
#include "framework/graph/diagnostic_codes.h"
#include "framework/graph/figures.h"
#include "framework/graph/parameter_names.h"
#include "framework/graph/suggest.h"
#include "framework/graph/train_settings.h"

namespace strata::graph {
namespace {

using ListPtr = std::shared_ptr<const List>;
using CallPtr = std::shared_ptr<const CallValue>;

class Trainer {
 public:
  Trainer(const TrainContext& context, const Overrides* overrides, GlobalNames* globals,
          Session& session, TrainResult& out)
      : context_(context), overrides_(overrides), globals_(globals), session_(session), out_(out) {}

  void run() {
    const dsl::TrainSection& section = *context_.section->node;
    out_.settings.name = section.name ? section.name->text : "";
    read(section);
    require("loss", "what training makes small", "loss = CrossEntropy(logits, label)");
    require("optimizer", "how weights follow from gradients", "optimizer = Adam(lr = 1e-3)");
    choose_length();
    for (const std::string& name : train_setting_names()) {
      const auto value = out_.values.find(name);
      if (value != out_.values.end()) set(name, value->second, out_.spans.at(name));
    }
    if (!out_.settings.epochs && !out_.settings.steps) out_.settings.epochs = 10;
    check_figures();
    check_names_of_parameters();
  }

  void set(const std::string& name, const Value& value, Span span) {
    if (value.is_unknown()) return fail();
    if (name == "loss") {
      out_.settings.losses = terms(value, span, STRATA_LOSS);
      if (out_.settings.losses.empty() && out_.sound) {
        session_.error("missing-setting", span,
                       "an empty list of losses leaves nothing to train for");
        fail();
      }
    } else if (name == "metrics") {
      out_.settings.metrics = terms(value, span, STRATA_METRIC);
    } else if (name == "optimizer") {
      out_.settings.optimizer = plugin(value, span, STRATA_OPTIMIZER, "`optimizer`");
    } else if (name == "schedule") {
      out_.settings.schedule =
          value.is_none() ? nullptr : plugin(value, span, STRATA_SCHEDULE, "`schedule`");
    } else if (name == "lr_scale") {
      auto scales = read_rate_scales(value, span, session_);
      if (!scales) return fail();
      out_.settings.lr_scale = std::move(*scales);
    } else {
      scalar(name, value, span);
    }
  }

 private:
  void fail() { out_.sound = false; }

  void read(const dsl::TrainSection& section) {
    const std::vector<std::string> names = train_setting_names();
    std::unordered_map<std::string, Span> given;
    for (const dsl::Setting& setting : section.settings) {
      const std::string& key = setting.key.text;
      if (std::find(names.begin(), names.end(), key) == names.end()) {
        Diagnostic& error = session_.error("unknown-setting", setting.key.span,
                                           fmt::format("`train` has no setting `{}`", key));
        error.help = suggest_setting(key);
        misspelt_.insert(our_setting(key));
        if (error.help.empty()) error.notes.push_back({{}, "settings: " + list_names(names, 40)});
        fail();
        continue;
      }
      const auto [before, added] = given.try_emplace(key, setting.key.span);
      if (!added) {
        session_.error("duplicate-name", setting.key.span, fmt::format("`{}` is set already", key))
            .notes.push_back({before->second, "first set here"});
        fail();
        continue;
      }
      if (key == "model" || key == "data") continue;
      if (overrides_->setting(key)) continue;
      out_.values[key] = overrides_->apply_to_setting(
          key, evaluate(setting.value, *globals_, session_), *globals_, session_);
      out_.spans[key] = setting.value.span;
    }
    for (const std::string& key : names) {
      if (key == "model" || key == "data") continue;
      if (const dsl::Override* override_of_it = overrides_->setting(key)) {
        const Value value =
            override_value(*override_of_it, train_setting_option(key), *globals_, session_);
        out_.values[key] = overrides_->apply_to_setting(key, value, *globals_, session_);
        out_.spans[key] = override_of_it->value.span;
      } else if (!out_.values.contains(key) && setting_kind(key)) {
        overrides_->apply_to_setting(key, Value(None{}), *globals_,
                                     session_);  // says that there is no call to change
      }
    }
  }

  void require(const std::string& key, std::string_view what, std::string_view example) {
    if (out_.values.contains(key)) return;
    fail();
    if (misspelt_.contains(key)) return;
    session_
        .error("missing-setting", heading(*context_.section->section),
               fmt::format("`train` needs `{}`: {}", key, what))
        .help = fmt::format("for example `{}`", example);
  }

  // `epochs` or `steps`; one from the command line replaces the file's other one.
  void choose_length() {
    if (!out_.values.contains("epochs") || !out_.values.contains("steps")) return;
    const bool epochs_given = overrides_->setting("epochs"),
               steps_given = overrides_->setting("steps");
    if (epochs_given != steps_given) {
      out_.values.erase(epochs_given ? "steps" : "epochs");
      return;
    }
    fail();
    session_
        .error("setting-conflict", out_.spans.at("steps"),
               "`steps` and `epochs` both say how long to train")
        .notes.push_back({out_.spans.at("epochs"), "`epochs` is set here"});
    out_.values.erase("steps");
  }

  InstancePtr plugin(const Value& value, Span span, Kind kind, const std::string& where) {
    std::optional<PluginCall> bound = bind_plugin(value, span, kind, where, session_);
    InstancePtr made = bound ? make_instance(std::move(*bound), span, session_) : nullptr;
    if (!made) fail();
    return made;
  }

  void scalar(const std::string& name, const Value& value, Span span) {
    const strata_option* option = train_setting_option(name);
    const std::optional<OptionValue> bound = bind_value("`train`", *option, value, span, session_);
    if (!bound) return fail();
    TrainSettings& s = out_.settings;
    const auto as_int = [&] { return std::get<std::int64_t>(bound->data); };
    const auto as_text = [&] { return std::get<std::string>(bound->data); };
    if (name == "batch_size") {
      s.batch_size = as_int();
    } else if (name == "epochs") {
      s.epochs = as_int();
    } else if (name == "steps") {
      s.steps = as_int();
    } else if (name == "seed") {
      s.seed = as_int();
    } else if (name == "shuffle") {
      s.shuffle = std::get<bool>(bound->data);
    } else if (name == "precision") {
      s.precision = as_text() == "f64" ? Precision::kF64 : Precision::kF32;
    } else if (name == "last_batch") {
      s.last_batch = as_text() == "keep"   ? LastBatch::kKeep
                     : as_text() == "drop" ? LastBatch::kDrop
                                           : LastBatch::kMerge;
    } else if (name == "clip_value") {
      s.clip_value = as<double>(*bound);
    } else if (name == "clip_norm") {
      s.clip_norm = as<double>(*bound);
    } else if (name == "accumulate") {
      s.accumulate = as_int();
    } else if (name == "no_decay") {
      s.no_decay = texts(*bound);
    } else if (name == "frozen") {
      s.frozen = texts(*bound);
    } else if (name == "ema") {
      s.ema = as<double>(*bound);
    } else if (name == "monitor") {
      s.monitor = as<std::string>(*bound).value_or("");
    } else if (name == "patience") {
      s.patience = as<std::int64_t>(*bound);
    } else if (name == "min_delta") {
      s.min_delta = std::get<double>(bound->data);
    } else if (name == "checkpoint_steps") {
      s.checkpoint_steps = as<std::int64_t>(*bound);
    } else if (name == "checkpoint_minutes") {
      s.checkpoint_minutes = as<double>(*bound);
    } else if (name == "log_steps") {
      s.log_steps = as<std::int64_t>(*bound);
    } else if (name == "statistics") {
      s.statistics = as<std::int64_t>(*bound);
    } else if (name == "log") {
      s.log = as<std::string>(*bound).value_or("");
    } else if (name == "allow") {
      allow(std::get<OptionValue::List>(bound->data), span);
    }
  }

  // Nullopt for `none`.
  template <class T>
  static std::optional<T> as(const OptionValue& value) {
    return value.is_none() ? std::nullopt : std::optional<T>(std::get<T>(value.data));
  }

  static std::vector<std::string> texts(const OptionValue& value) {
    std::vector<std::string> texts;
    for (const OptionValue& item : std::get<OptionValue::List>(value.data))
      texts.push_back(std::get<std::string>(item.data));
    return texts;
  }

  void check_names_of_parameters() {
    if (!context_.graph) return;
    const TrainSettings& s = out_.settings;
    std::vector<std::string> scaled;
    for (const RateScale& scale : s.lr_scale) scaled.push_back(scale.pattern);
    for (const auto& [setting, patterns] :
         {std::pair("no_decay", &s.no_decay), {"frozen", &s.frozen}, {"lr_scale", &scaled}}) {
      if (!patterns->empty() &&
          !check_patterns(*patterns, *context_.graph, setting, out_.spans.at(setting), session_))
        fail();
    }
    const std::vector<std::string> names = parameter_names(*context_.graph);
    const auto is_frozen = [&](const std::string& name) { return fits_any(s.frozen, name); };
    if (s.frozen.empty() || !std::all_of(names.begin(), names.end(), is_frozen)) return;
    fail();
    session_
        .error("nothing-to-train", out_.spans.at("frozen"),
               "`frozen` means every parameter of the model, which leaves nothing to train")
        .help = "leave out what training is to change: `trainer summary` lists the layers";
  }

  // `monitor`, and what a schedule follows.
  void check_figures() {
    const TrainSettings& s = out_.settings;
    if (!s.monitor.empty()) check_figure(s.monitor, out_.spans.at("monitor"));
    if (!s.schedule || !s.schedule->functions<strata_schedule>().monitored) return;
    const char* followed = s.schedule->functions<strata_schedule>().monitored(s.schedule->raw());
    if (followed && *followed) check_figure(followed, out_.spans.at("schedule"));
  }

  // Against what the run will report, where all of that is known.
  void check_figure(const std::string& wanted, Span span) {
    const TrainSettings& s = out_.settings;
    if (!out_.sound || !context_.graph || !context_.data) return;
    const std::vector<FigureName> known = run_figures(s.losses, s.metrics, *context_.data);
    std::vector<std::string> names;
    for (const FigureName& figure : known) names.push_back(figure.name);
    if (std::find(names.begin(), names.end(), wanted) != names.end()) return;
    fail();
    Diagnostic& error = session_.error("unknown-report", item_span(span, wanted),
                                       fmt::format("a run has no figure `{}`", wanted));
    error.notes.push_back({{}, "figures: " + list_names(names, 20)});
    std::string near = nearest_name(wanted, names);
    for (const std::string& name : names) {  // "accuracy" lacks its split
      if (near.empty() && name == "val." + wanted) near = name;
    }
    if (near.empty() && std::find(names.begin(), names.end(), "train." + wanted) != names.end())
      near = "train." + wanted;
    if (!near.empty()) error.help = fmt::format("did you mean {}?", print_string(near));
  }

  void allow(const OptionValue::List& names, Span span) {
    for (const OptionValue& item : names) {
      const std::string& lint = std::get<std::string>(item.data);
      if (is_lint(lint)) {
        out_.settings.allow.push_back(lint);
        continue;
      }
      fail();
      Diagnostic& error = session_.error("unknown-lint", item_span(span, lint),
                                         fmt::format("no lint is called {}", print_string(lint)));
      error.notes.push_back({{}, "lints: " + list_names(lint_names(), 20)});
      const std::string near = nearest_name(lint, lint_names());
      if (!near.empty()) error.help = fmt::format("did you mean \"{}\"?", near);
    }
  }

  // ---- losses and metrics ----

  std::vector<Term> terms(const Value& value, Span span, Kind kind) {
    std::vector<Term> found;
    term_names_.clear();
    term_counts_.clear();
    if (const auto* list = value.get<ListPtr>()) {
      for (const Value& item : (*list)->items) term(item, span, kind, found);
    } else {
      term(value, span, kind, found);
    }
    return found;
  }

  void term(const Value& value, Span span, Kind kind, std::vector<Term>& found) {
    if (value.is_unknown()) return fail();
    const std::string where = kind == STRATA_LOSS ? "`loss`" : "an item of `metrics`";
    const auto* call = value.get<CallPtr>();
    const Entry* entry = call ? session_.registry.find(kind, (*call)->name) : nullptr;
    if (!entry) {
      bind_plugin(value, call ? (*call)->span : span, kind, where, session_);  // says what is wrong
      return fail();
    }
    if (kind == STRATA_METRIC && (*call)->weight != 1) {
      session_.error("option-type", (*call)->span, "only a loss can be weighted, not a metric");
      return fail();
    }
    Term made;
    made.span = (*call)->span;
    made.weight = (*call)->weight;
    const auto wanted = static_cast<std::size_t>(entry->schema().input_count);
    std::vector<CallArgument> options;
    std::vector<Input> inputs;
    std::vector<std::string> given;
    bool wired = true;
    for (const CallArgument& argument : (*call)->arguments) {
      if (!argument.name.empty() || given.size() == wanted) {
        options.push_back(argument);
        continue;
      }
      given.push_back(print_value(argument.value));
      wired = wire(argument, *entry, made, inputs) && wired;
    }
    if (given.size() < wanted) {
      std::vector<std::string> names(entry->schema().inputs, entry->schema().inputs + wanted);
      session_
          .error("argument-count", (*call)->span,
                 fmt::format("`{}` reads {} ({}), and here {} {}", entry->name(),
                             counted(static_cast<std::int64_t>(wanted), "value"), list_names(names),
                             given.size() == 1 ? "is" : "are", given.size()))
          .help = fmt::format("for example `{}`", entry->schema().example);
      wired = false;
    }
    std::optional<PluginCall> bound = bind_arguments(*entry, (*call)->span, options, session_);
    made.instance = bound ? make_instance(std::move(*bound), (*call)->span, session_) : nullptr;
    if (!wired || !made.instance) return fail();
    if (inputs.size() == wanted) {
      Result<InferredPlan> plan = infer(*made.instance, inputs);
      if (!plan && is_swapped(made, inputs)) {
        session_
            .error("bad-term", (*call)->span,
                   fmt::format("the values of `{}` are swapped", entry->name()))
            .help = fmt::format("write `{}({}, {})`: the model's output comes first", entry->name(),
                                inputs[1].name, inputs[0].name);
        return fail();
      }
      if (!plan) {
        Diagnostic& error =
            session_.error(code_for(plan.error(), "bad-term"), (*call)->span, plan.error().message);
        error.help = plan.error().hint;
        return fail();
      }
      made.plan = std::move(*plan);
    }
    const std::string base = snake_case(entry->name());
    int& count = term_counts_[base];
    do {
      made.name = ++count == 1 ? base : fmt::format("{}{}", base, count);
    } while (!term_names_.insert(made.name).second);
    found.push_back(std::move(made));
  }

  // `CrossEntropy(label, logits)`: what it cannot read in this order it could in the other.
  static bool is_swapped(const Term& term, const std::vector<Input>& inputs) {
    return inputs.size() == 2 && term.inputs[0].is_field && !term.inputs[1].is_field &&
           infer(*term.instance, {inputs[1], inputs[0]}).ok();
  }

  // One value that a term reads; `inputs` grows only where everything about it is known.
  bool wire(const CallArgument& argument, const Entry& entry, Term& made,
            std::vector<Input>& inputs) {
    if (argument.value.is_unknown()) return false;
    const auto* symbol = argument.value.get<Symbol>();
    if (!symbol) {
      Diagnostic& error =
          session_.error("unknown-term", argument.span,
                         fmt::format("`{}` reads model outputs and data fields by name, not {}",
                                     entry.name(), described(argument.value)));
      if (const auto* text = argument.value.get<std::string>())
        error.help = fmt::format("write it without quotes: `{}`", *text);
      return false;
    }
    if (!context_.model) return false;
    const std::vector<dsl::Name>& outputs = context_.model->node->outputs;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i].text != symbol->name) continue;
      made.inputs.push_back({false, static_cast<int>(i), symbol->name});
      if (context_.graph && context_.graph->outputs[i] >= 0) {
        const GraphValue& value =
            context_.graph->values[static_cast<std::size_t>(context_.graph->outputs[i])];
        inputs.push_back({symbol->name, value.shape, STRATA_REAL, false, 0});
      }
      return true;
    }
    if (!context_.data) return context_.data_section != nullptr;  // its own errors come first
    const DataDescription& fields = context_.data->result();
    const int index = fields.find_field(symbol->name);
    if (index >= 0) {
      const auto& field = fields.fields[static_cast<std::size_t>(index)];
      made.inputs.push_back({true, index, symbol->name});
      inputs.push_back({symbol->name, field.shape, field.dtype, true, field.classes});
      return true;
    }
    std::vector<std::string> names, output_names, field_names;
    for (const dsl::Name& output : outputs) output_names.push_back(output.text);
    for (const auto& field : fields.fields) field_names.push_back(field.name);
    names = output_names;
    names.insert(names.end(), field_names.begin(), field_names.end());
    Diagnostic& error = session_.error(
        "unknown-term", argument.span,
        fmt::format("`{}` is neither an output of model `{}` nor a field of data `{}`",
                    symbol->name, context_.model->node->name.text, context_.data->name));
    error.notes.push_back({{}, "outputs: " + list_names(output_names)});
    error.notes.push_back({{}, "fields: " + list_names(field_names)});
    error.help = did_you_mean(nearest_name(symbol->name, names));
    return false;
  }

  const TrainContext& context_;
  const Overrides* overrides_;
  GlobalNames* globals_;
  Session& session_;
  TrainResult& out_;
  std::unordered_set<std::string> misspelt_;    // settings that were given by another name
  std::unordered_set<std::string> term_names_;  // of the list at hand
  std::unordered_map<std::string, int> term_counts_;
};

}  // namespace

TrainResult elaborate_train(const TrainContext& context, const Overrides& overrides,
                            GlobalNames& globals, Session& session) {
  TrainResult result;
  Trainer(context, &overrides, &globals, session, result).run();
  return result;
}

bool check_setting(const TrainContext& context, const std::string& setting, const Value& value,
                   Span span, Session& session) {
  TrainResult result;
  Trainer(context, nullptr, nullptr, session, result).set(setting, value, span);
  return result.sound;
}

std::optional<std::string> named_setting(const TrainDecl& train, std::string_view key,
                                         const Overrides& overrides, Session& session, Span& span) {
  if (const dsl::Override* given = overrides.setting(key)) {
    span = given->value.span;
    return given->raw_value;
  }
  for (const dsl::Setting& setting : train.node->settings) {
    if (setting.key.text != key) continue;
    span = setting.value.span;
    if (const auto* text = std::get_if<dsl::StringLiteral>(&setting.value.node)) {
      session
          .error("option-type", span,
                 fmt::format("`{}` is the name of a section, without quotes", key))
          .help = fmt::format("write `{} = {}`", key, text->value);
      return text->value;
    }
    const auto* reference = std::get_if<dsl::Reference>(&setting.value.node);
    if (reference && reference->path.parts.size() == 1) return reference->path.parts[0].text;
    if (!std::holds_alternative<dsl::ErrorExpr>(setting.value.node)) {
      session
          .error("option-type", span,
                 fmt::format("`{}` is the name of a section of this file, and this is none", key))
          .help = key == "data" ? "write a section `data NAME = …`, and its name here"
                                : "write the name alone";
    }
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace strata::graph
