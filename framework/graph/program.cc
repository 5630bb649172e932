// From files to a program: the order of the passes, and which of a file's sections are meant.
#include "framework/graph/program.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/graph/check_names.h"
#include "framework/graph/data.h"
#include "framework/graph/declarations.h"
#include "framework/graph/expand.h"
#include "framework/graph/graph_builder.h"
#include "framework/graph/lints.h"
#include "framework/graph/paths.h"
#include "framework/graph/resolved.h"
#include "framework/graph/session.h"
#include "framework/graph/study_check.h"
#include "framework/graph/suggest.h"
#include "framework/graph/train.h"

namespace strata {
namespace {

using namespace graph;  // NOLINT: the parts of this one pass

struct ExpandedModel {
  Graph graph;
  bool sound = false;
};

constexpr std::int64_t kTrialWork = 200'000;  // layers that are made while studies are tried
constexpr int kCombinations = 4;
constexpr std::size_t kDrawnTried = 24;

// Whether an axis' values come from a range: then their place is the whole line.
bool is_drawn(const StudyAxis& axis) {
  return !axis.spans.empty() && axis.spans[0].begin == axis.span.begin &&
         axis.spans[0].end == axis.span.end;
}

class Elaboration {
 public:
  Elaboration(const SourceFile& source, Session& session)
      : source_(source), session_(session), globals_(declarations_, session) {}

  std::optional<Program> run() {
    load(source_, session_, declarations_);
    overrides_.read(session_.options.overrides, declarations_, session_);
    check_names(declarations_, session_);
    for (Constant& constant : declarations_.constants) globals_.evaluate_constant(constant);
    expand_models();
    for (const DataDecl& data : declarations_.data) {
      data_.push_back(elaborate_data(data, overrides_, globals_, session_));
    }
    const bool chosen = choose();
    train_sections();
    check_studies();
    try_studies();
    std::optional<Program> program;
    if (chosen && model_ && !session_.has_errors()) program = assemble();
    session_.flush_lints(chosen_train_ ? chosen_result_.settings.allow
                                       : std::vector<std::string>{});
    if (session_.has_errors() || !program) return std::nullopt;
    const TrainDecl* train = program->has_train ? chosen_train_ : nullptr;
    program->resolved = resolve(*program, *model_, train, declarations_, session_);
    return program;
  }

 private:
  void expand_models() {
    for (const ModelDecl& model : declarations_.models) {
      ExpandedModel& expanded = models_.emplace_back();
      expanded.sound = expand_model(*model.node, declarations_, globals_, session_, expanded.graph);
      if (!expanded.sound) continue;
      prune(expanded.graph);
      lint_graph(expanded.graph, session_);
    }
  }

  template <class T>
  static std::vector<std::string> names_of(const std::deque<T>& all) {
    std::vector<std::string> names;
    for (const T& declared : all) {
      if (!declared.repeated) names.push_back(declared.node->name.text);
    }
    return names;
  }

  // ---- which sections are meant ----

  Span whole_file() const { return {&source_, 0, 0}; }

  // The only section of its kind, or the one that is named; null where that is not clear (reported
  // where `report`).
  template <class T>
  T* only(std::deque<T>& all, const std::string& kind, Span at, bool report) {
    const auto meant =
        std::count_if(all.begin(), all.end(), [](const T& x) { return !x.repeated; });
    if (meant == 1) return &all.front();
    if (!report) return nullptr;
    if (all.empty()) {
      if (declarations_.incomplete.empty() && !declarations_.unread)
        session_.error("missing-section", at, fmt::format("the file has no {}", kind));
    } else {
      session_
          .error("ambiguous-section", at,
                 fmt::format("the file has several sections `{}`: {}", kind,
                             list_names(names_of(all))))
          .help =
          declarations_.trains.empty()
              ? fmt::format("choose one on the command line: `{}={}`", kind,
                            all.front().node->name.text)
              : fmt::format("say which: `{} = {}` in `train`", kind, all.front().node->name.text);
    }
    return nullptr;
  }

  template <class T>
  T* named(std::deque<T>& all, const std::string& kind, const std::string& name, Span at) {
    for (T& declared : all) {
      if (declared.node->name.text == name) return &declared;
    }
    if (declarations_.is_incomplete(name)) return nullptr;
    Diagnostic& error =
        session_.error("unknown-section", at, fmt::format("the file has no {} `{}`", kind, name));
    error.help = did_you_mean(nearest_name(name, names_of(all)));
    return nullptr;
  }

  ModelDecl* model_of(const TrainDecl& train) {
    Span at = train.section->span;
    if (const auto name = named_setting(train, "model", overrides_, session_, at)) {
      return named(declarations_.models, "model", *name, at);
    }
    return only(declarations_.models, "model", heading(*train.section), true);
  }
  DataDecl* data_of(const TrainDecl& train) {
    Span at = train.section->span;
    if (const auto name = named_setting(train, "data", overrides_, session_, at)) {
      return named(declarations_.data, "data", *name, at);
    }
    return only(declarations_.data, "data", heading(*train.section), true);
  }

  // The train section that is meant, where the file has several; null, and an error, where that is
  // not clear.
  TrainDecl* one_of_trains(const std::string& wanted) {
    const dsl::Override* given = overrides_.chosen("train");
    const std::string& name = given ? given->raw_value : wanted;
    std::vector<std::string> names;
    std::vector<TrainDecl*> fitting;
    std::ptrdiff_t meant = 0;
    for (TrainDecl& train : declarations_.trains) {
      if (train.repeated) continue;
      ++meant;
      names.push_back(train.node->name ? train.node->name->text : "train");
      if (train.node->name && train.node->name->text == name) return &train;
      Span at;
      const std::optional<std::string> model =
          named_setting(train, "model", overrides_, session_, at);
      if (!given && model && *model == name) fitting.push_back(&train);
    }
    if (given) {
      Diagnostic& error = session_.error("unknown-section", given->value.span,
                                         fmt::format("the file has no train section `{}`", name));
      std::erase(names, "train");  // stands for a section without a name
      error.help = did_you_mean(nearest_name(name, names));
      if (names.empty() && meant == 1) {
        error.notes.push_back({heading(*declarations_.trains[0].section),
                               "the only train section, which has no name"});
        error.help = fmt::format(
            "leave `train={}` out, or set one of its settings: "
            "`train.epochs=3`",
            name);
      }
      return nullptr;
    }
    if (fitting.size() == 1) return fitting.front();
    if (meant == 1) return &declarations_.trains.front();
    if (session_.options.any_file) return nullptr;
    session_
        .error("ambiguous-section", heading(*declarations_.trains[1].section),
               fmt::format("the file has several train sections: {}", list_names(names)))
        .help = fmt::format("choose one on the command line: `train={}`", names.front());
    return nullptr;
  }

  // The train section, model and data that the program is made of. False after an error.
  bool choose() {
    const dsl::Override* given = overrides_.chosen("model");
    const std::string& wanted = given ? given->raw_value : session_.options.model;
    const bool strictly = !session_.options.any_file;
    if (!declarations_.trains.empty()) {
      chosen_train_ = one_of_trains(wanted);
      if (!chosen_train_) return false;
    }
    if (chosen_train_) {
      model_ = model_of(*chosen_train_);
      chosen_data_ = data_of(*chosen_train_);
      const bool other = !wanted.empty() && model_ && model_->node->name.text != wanted &&
                         !(chosen_train_->node->name && chosen_train_->node->name->text == wanted);
      if (!other) return model_ && chosen_data_;
      chosen_train_ = nullptr;  // the file trains another model than is asked for
      chosen_data_ = nullptr;
      model_ = nullptr;
    }
    if (!wanted.empty()) {
      model_ =
          named(declarations_.models, "model", wanted, given ? given->value.span : whole_file());
    } else {
      model_ = only(declarations_.models, "model", whole_file(), strictly);
    }
    chosen_data_ = only(declarations_.data, "data", whole_file(), false);
    return model_ != nullptr;
  }

  // ---- train and studies ----

  template <class T>
  static std::size_t index_of(const std::deque<T>& all, const T* one) {
    return static_cast<std::size_t>(
        std::find_if(all.begin(), all.end(), [&](const T& x) { return &x == one; }) - all.begin());
  }

  TrainContext context_of(const TrainDecl& train, const ModelDecl* model, const DataDecl* data) {
    TrainContext context;
    context.section = &train;
    context.model = model;
    if (model) {
      const ExpandedModel& expanded = models_[index_of(declarations_.models, model)];
      if (expanded.sound) context.graph = &expanded.graph;
    }
    context.data_section = data;
    if (data && data_[index_of(declarations_.data, data)])
      context.data = &*data_[index_of(declarations_.data, data)];
    return context;
  }

  void train_sections() {
    for (const TrainDecl& train : declarations_.trains) {
      const bool chosen = &train == chosen_train_;
      const ModelDecl* model = chosen ? model_ : model_of(train);
      const DataDecl* data = chosen ? chosen_data_ : data_of(train);
      const TrainContext context = context_of(train, model, data);
      if (context.graph && context.data) {
        auto fields = bind_inputs(*model->node, *context.graph, *context.data, session_);
        if (chosen && fields) input_fields_ = std::move(*fields);
      } else if (model && context.data) {
        // Whatever is wrong further down, the inputs can be compared.
        const Graph& graph = models_[index_of(declarations_.models, model)].graph;
        if (graph.inputs.size() <= model->node->inputs.size())
          bind_inputs(*model->node, graph, *context.data, session_);
      }
      TrainResult result = elaborate_train(context, overrides_, globals_, session_);
      if (!chosen) continue;
      chosen_result_ = std::move(result);
      chosen_context_ = context;
    }
  }

  void check_studies() {
    const StudyContext context{declarations_,
                               globals_,
                               session_,
                               chosen_train_ ? &chosen_context_ : nullptr,
                               chosen_train_ ? &chosen_result_ : nullptr,
                               chosen_context_.data};
    for (const StudyDecl& study : declarations_.studies) {
      std::optional<Study> checked = check_study(study, context);
      if (checked) studies_.push_back(std::move(*checked));
    }
  }

  // ---- values of studies ----

  // Every value of every axis by itself, in the whole file: a width that fits its option may still
  // not fit the model. What a few combinations with others mend is left alone.
  void try_studies() {
    if (!session_.options.try_studies || session_.has_errors() || !model_) return;
    const auto index = index_of(declarations_.models, static_cast<const ModelDecl*>(model_));
    const auto cost = static_cast<std::int64_t>(models_[index].graph.nodes.size() + 20 +
                                                source_.text().size() / 50);
    std::int64_t left = kTrialWork;
    for (const Study& study : studies_) {
      for (std::size_t axis = 0; axis < study.axes.size(); ++axis) {
        // Of values that were drawn some tell what all would.
        const std::size_t all = study.axes[axis].values.size();
        const std::size_t tried = is_drawn(study.axes[axis]) ? std::min(all, kDrawnTried) : all;
        for (std::size_t point = 0; point < tried; ++point) {
          if (!try_point(study, axis, point, cost, left)) return;
        }
      }
    }
  }

  // False where the work is used up.
  bool try_point(const Study& study, std::size_t axis, std::size_t point, std::int64_t cost,
                 std::int64_t& left) {
    const auto has_point = [&](const std::vector<int>& run) {
      return run[axis] == static_cast<int>(point);
    };
    auto run = std::find_if(study.runs.begin(), study.runs.end(), has_point);
    if (run == study.runs.end()) return true;
    const StudyAxis& values = study.axes[axis];
    std::vector<std::string> alone;
    for (std::size_t i = 0; i < values.paths.size(); ++i)
      alone.push_back(values.paths[i] + "=" + values.values[point][i]);
    if ((left -= cost) < 0) return false;
    const std::optional<Diagnostic> wrong = error_with(alone);
    if (!wrong) return true;
    for (int tries = 0; tries < kCombinations && run != study.runs.end(); ++tries) {
      if ((left -= cost) < 0) return false;
      if (!error_with(study.overrides(*run))) return true;
      run = std::find_if(run + 1, study.runs.end(), has_point);
    }
    std::string said;
    for (const std::string& one : alone) said += (said.empty() ? "`" : ", `") + one + "`";
    Diagnostic& error = session_.error(
        "study-value", point < values.spans.size() ? values.spans[point] : values.span,
        fmt::format("with {} the file has a mistake: {}", said, wrong->message));
    if (wrong->span.file && wrong->span.file->name() != "command line")
      error.notes.push_back({wrong->span, "it shows here"});
    error.help = wrong->help;
    return true;
  }

  // The first error of the file with these overrides; none where it is sound.
  std::optional<Diagnostic> error_with(const std::vector<std::string>& overrides) {
    ElaborateOptions options = session_.options;
    options.try_studies = false;
    options.strict = false;
    for (const std::string& one : overrides) {
      const std::string path = one.substr(0, one.find('=') + 1);
      std::erase_if(options.overrides,
                    [&](const std::string& given) { return given.starts_with(path); });
    }
    options.overrides.insert(options.overrides.end(), overrides.begin(), overrides.end());
    Diagnostics said;
    const auto program = elaborate_text(source_.name(), std::string(source_.text()),
                                        session_.registry, session_.sources, said, options);
    if (!said.has_errors()) return std::nullopt;
    for (Diagnostic& diagnostic : said.sorted()) {
      if (diagnostic.severity == Severity::kError) return std::move(diagnostic);
    }
    return std::nullopt;
  }

  std::optional<Program> assemble() {
    Program program;
    program.graph = std::move(
        models_[index_of(declarations_.models, static_cast<const ModelDecl*>(model_))].graph);
    if (chosen_data_) {
      std::optional<DataPipeline>& data =
          data_[index_of(declarations_.data, static_cast<const DataDecl*>(chosen_data_))];
      if (data) {
        program.data = std::move(*data);
        program.has_data = true;
      }
    }
    program.studies = std::move(studies_);
    program.fusions = session_.registry.all(STRATA_FUSION);
    if (chosen_train_) {
      program.has_train = true;
      program.train = chosen_result_.settings;
      program.input_fields = input_fields_;
      lint_program(program, *model_->node, chosen_result_, *chosen_train_, session_);
    } else if (program.has_data) {
      auto fields = bind_inputs(*model_->node, program.graph, program.data, session_);
      if (!fields) return std::nullopt;
      program.input_fields = std::move(*fields);
    }
    return program;
  }

  const SourceFile& source_;
  Session& session_;
  Declarations declarations_;
  GlobalNames globals_;
  Overrides overrides_;
  std::vector<ExpandedModel> models_;
  std::vector<std::optional<DataPipeline>> data_;
  ModelDecl* model_ = nullptr;
  DataDecl* chosen_data_ = nullptr;
  TrainDecl* chosen_train_ = nullptr;
  TrainContext chosen_context_;
  TrainResult chosen_result_;
  std::vector<int> input_fields_;
  std::vector<Study> studies_;
};

}  // namespace

Result<std::optional<Program>> elaborate_text(std::string name, std::string text,
                                              const Registry& registry, Sources& sources,
                                              Diagnostics& diagnostics,
                                              const ElaborateOptions& options) {
  Session session(registry, sources, diagnostics, options);
  const SourceFile& source = sources.add(std::move(name), std::move(text));
  return Elaboration(source, session).run();
}

Result<std::optional<Program>> load_program(const std::string& path, const Registry& registry,
                                            Sources& sources, Diagnostics& diagnostics,
                                            const ElaborateOptions& options) {
  Result<std::string> text = read_text(path);
  if (!text) return text.error();
  return elaborate_text(path, std::move(*text), registry, sources, diagnostics, options);
}

}  // namespace strata
