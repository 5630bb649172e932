// Checking of studies.
#include "framework/graph/study_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "framework/base/text.h"
#include "framework/graph/bind.h"
#include "framework/graph/study_draw.h"
#include "framework/graph/study_names.h"
#include "framework/graph/study_runs.h"
#include "framework/graph/study_settings.h"
#include "framework/graph/suggest.h"
#include "framework/graph/train_settings.h"

namespace strata {

std::vector<std::string> Study::overrides(const std::vector<int>& run) const {
  std::vector<std::string> out;
  for (std::size_t a = 0; a < axes.size(); ++a) {
    const std::vector<std::string>& point = axes[a].values[static_cast<std::size_t>(run[a])];
    for (std::size_t i = 0; i < point.size(); ++i) out.push_back(axes[a].paths[i] + "=" + point[i]);
  }
  return out;
}

namespace graph {
namespace {

using ListPtr = std::shared_ptr<const List>;

class StudyChecker {
 public:
  StudyChecker(const StudyDecl& declared, const StudyContext& context)
      : section_(*declared.node),
        context_(context),
        session_(context.session),
        settings_(context) {}

  std::optional<Study> run() {
    study_.name = section_.name.text;
    study_.span = section_.name.span;
    has_random_ = std::any_of(section_.statements.begin(), section_.statements.end(),
                              [](const dsl::StudyStatement& statement) {
                                const auto* one = std::get_if<dsl::StudySetting>(&statement.node);
                                return one && one->key.text == "random";
                              });
    const int before = session_.errors();
    for (const dsl::StudyStatement& statement : section_.statements) {
      std::visit([&](const auto& node) { add(node, statement.span); }, statement.node);
    }
    if (!context_.train) {
      if (context_.declarations.trains.empty()) {
        session_.error("missing-section", section_.name.span,
                       "a study repeats training, and the file has no train section");
      }
      return std::nullopt;
    }
    if (axes_.empty() && !failed_) {
      session_
          .error("empty-study", section_.name.span,
                 fmt::format("study `{}` varies nothing", section_.name.text))
          .help = "write `grid train.batch_size = [16, 64, 256]` in it";
      return std::nullopt;
    }
    if (!settings_.finish(study_, reports_, paths_)) fail();
    if (failed_ || session_.errors() != before) return std::nullopt;
    StudyRuns runs(section_.name, context_, axes_, wheres_);
    const bool draws = std::any_of(axes_.begin(), axes_.end(), [](const StudyAxisValues& axis) {
      return axis.drawn.has_value();
    });
    const auto add = [this](StudyAxisValues& axis, Value value) {
      return add_drawn(axis, std::move(value));
    };
    const bool sound = draws ? runs.draw(study_, settings_.random_span(), add)
                             : runs.combine(study_) && settings_.draw(study_);
    if (!sound) fail();
    if (failed_) return std::nullopt;
    for (const StudyAxisValues& axis : axes_) {
      StudyAxis& out = study_.axes.emplace_back();
      out.span = axis.span;
      out.spans = axis.spans;
      for (const dsl::Path& path : axis.paths) out.paths.push_back(path.text());
      for (const std::vector<Value>& point : axis.points) {
        std::vector<std::string>& texts = out.values.emplace_back();
        for (const Value& value : point) texts.push_back(full_text(value));
      }
    }
    return std::move(study_);
  }

 private:
  // ---- axes ----

  void add(const dsl::GridStatement& grid, Span span) {
    StudyAxisValues axis;
    axis.span = span;
    axis.paths = {grid.path};
    if (!targets(axis)) return;
    DrawnRange range;
    const RangeKind kind = read_range(grid.values, has_random_, context_.globals, session_, range);
    if (kind == RangeKind::kWrong) return fail();
    if (kind == RangeKind::kDrawn) {
      Value first = range.first, last = range.last;  // a check makes floats of ints for a param
      check(axis.targets[0], first, range.first_span);
      if (!failed_) check(axis.targets[0], last, range.last_span);
      axis.drawn = std::move(range);
      return finish(std::move(axis), grid.values.span);
    }
    points_of(grid.values, [&](const dsl::Expr* item, const Value* value, Span at) {
      axis.points.push_back({item ? item_value(*item, axis.targets[0]) : *value});
      axis.spans.push_back(at);
      check(axis.targets[0], axis.points.back()[0], at);
    });
    finish(std::move(axis), grid.values.span);
  }

  void add(const dsl::ZipStatement& zip, Span span) {
    StudyAxisValues axis;
    axis.span = span;
    axis.paths = zip.paths;
    if (!targets(axis)) return;
    const std::size_t wanted = zip.paths.size();
    points_of(zip.values, [&](const dsl::Expr* item, const Value* value, Span at) {
      const auto* tuple = item ? std::get_if<dsl::ListExpr>(&item->node) : nullptr;
      std::vector<Value> point;
      std::vector<Span> spans;
      if (tuple) {
        for (std::size_t i = 0; i < tuple->items.size(); ++i) {
          if (!tuple->items[i].value) continue;
          point.push_back(
              item_value(*tuple->items[i].value, i < wanted ? axis.targets[i] : std::nullopt));
          spans.push_back(tuple->items[i].value->span);
        }
      } else {
        const Value whole = item ? evaluate(*item, context_.globals, session_) : *value;
        if (whole.is_unknown()) return fail();
        if (const auto* list = whole.get<ListPtr>()) {
          point = (*list)->items;
        } else {
          point = {whole};
        }
        spans.assign(point.size(), at);
      }
      if (point.size() != wanted) {
        session_
            .error("zip-length", at,
                   fmt::format("this gives {}, and {} set together",
                               counted(static_cast<std::int64_t>(point.size()), "value"),
                               wanted == 1 ? std::string("one path is")
                                           : fmt::format("{} paths are", wanted)))
            .notes.push_back({cover(zip.paths.front().span, zip.paths.back().span), "these paths"});
        return fail();
      }
      for (std::size_t i = 0; i < wanted; ++i) check(axis.targets[i], point[i], spans[i]);
      axis.points.push_back(std::move(point));
      axis.spans.push_back(at);
    });
    finish(std::move(axis), zip.values.span);
  }

  bool targets(StudyAxisValues& axis) {
    bool sound = true;
    for (const dsl::Path& path : axis.paths) {
      axis.targets.push_back(resolve_path(path, context_.declarations, session_));
      sound = sound && axis.targets.back();
      const auto [before, added] = paths_.try_emplace(path.text(), path.span);
      if (added) continue;
      session_
          .error("duplicate-name", path.span, fmt::format("`{}` is varied already", path.text()))
          .notes.push_back({before->second, "first here"});
      sound = false;
    }
    if (!sound) fail();
    return sound;
  }

  // Calls each(expression or null, value or null, span) for every item of a list or range.
  template <class Each>
  void points_of(const dsl::Expr& values, const Each& each) {
    if (const auto* list = std::get_if<dsl::ListExpr>(&values.node)) {
      for (const dsl::Argument& item : list->items) {
        if (item.value) each(item.value.get(), nullptr, item.value->span);
      }
      return;
    }
    const Value value = evaluate(values, context_.globals, session_);
    if (value.is_unknown()) return fail();
    if (const auto* list = value.get<ListPtr>()) {
      for (const Value& item : (*list)->items) each(nullptr, &item, values.span);
    } else if (const auto* range = value.get<Range>(); range && range->size() <= kMaxRuns) {
      for (std::int64_t i = 0; i < range->size(); ++i) {
        const Value item = range->first + i;
        each(nullptr, &item, values.span);
      }
    } else {
      session_
          .error("wrong-type", values.span,
                 fmt::format("an axis is a list of values, not {}", described(value)))
          .help = fmt::format("write `[{}]`", print_value(value));
      fail();
    }
  }

  Value item_value(const dsl::Expr& item, const std::optional<Target>& target) {
    const auto* reference = std::get_if<dsl::Reference>(&item.node);
    const bool names = target && target->kind == Target::kSetting &&
                       (target->setting == "model" || target->setting == "data");
    if (names && reference && reference->path.parts.size() == 1)
      return Symbol{reference->path.parts[0].text};
    return evaluate(item, context_.globals, session_);
  }

  void check(const std::optional<Target>& target, Value& value, Span span) {
    if (value.is_unknown() || !target) return fail();
    bool good = true;
    switch (target->kind) {
      case Target::kParam: {
        const Value checked = context_.globals.check_param(*target->param, value, span);
        good = !checked.is_unknown();
        if (good) value = checked;
        break;
      }
      case Target::kSetting:
        good = check_whole_setting(target->setting, value, span);
        break;
      case Target::kSettingOption:
        good = check_setting_option(*target, value, span);
        break;
      case Target::kDataOption:
        good = check_data_option(*target, value, span);
        break;
    }
    if (!good) fail();
  }

  bool check_whole_setting(const std::string& setting, const Value& value, Span span) {
    if (setting == "model" || setting == "data") {
      const auto* name = value.get<Symbol>();
      const bool known =
          name && (setting == "model" ? context_.declarations.find_model(name->name) != nullptr
                                      : context_.declarations.find_data(name->name) != nullptr);
      if (known) return true;
      session_.error("unknown-section", span,
                     fmt::format("the file has no {} `{}`", setting, print_value(value)));
      return false;
    }
    return !context_.train || check_setting(*context_.train, setting, value, span, session_);
  }

  bool check_setting_option(const Target& target, const Value& value, Span span) {
    if (!context_.result || paths_.contains("train." + target.setting)) return true;
    const auto base = context_.result->values.find(target.setting);
    if (base == context_.result->values.end()) {
      session_.error("unknown-path", target.option.span,
                     fmt::format("`{}` is not set, and has no options", target.setting));
      return false;
    }
    const Value changed = with_option(base->second, *setting_kind(target.setting), target.option,
                                      value, span, session_);
    return !changed.is_unknown() &&
           check_setting(*context_.train, target.setting, changed, span, session_);
  }

  bool check_data_option(const Target& target, const Value& value, Span span) {
    if (!context_.data || context_.data->name != target.data->node->name.text) return true;
    const Instance* instance = target.transform.empty() ? context_.data->dataset.get() : nullptr;
    for (const InstancePtr& transform : context_.data->transforms) {
      if (snake_name(*transform) == target.transform) instance = transform.get();
    }
    const Entry* entry = instance ? &instance->entry() : nullptr;
    const int index = entry ? entry->find_option(target.option.text) : -1;
    if (index < 0) {
      Diagnostic& error = session_.error(
          "unknown-path", target.option.span,
          entry ? fmt::format("`{}` has no option `{}`", entry->name(), target.option.text)
                : fmt::format("data `{}` has no transform `{}`", context_.data->name,
                              target.transform));
      if (entry) error.notes.push_back({{}, describe_options(*entry)});
      return false;
    }
    return bind_option(*entry, entry->schema().options[index], value, span, session_).has_value();
  }

  static std::string snake_name(const Instance& instance) {
    return snake_case(instance.entry().name());
  }

  void finish(StudyAxisValues axis, Span values) {
    if (failed_) return;
    if (axis.points.empty() && !axis.drawn) {
      session_.error("empty-axis", values, "an axis without values leaves nothing to run");
      return fail();
    }
    std::set<std::string> different;
    for (const std::vector<Value>& point : axis.points) {
      std::string text;
      for (const Value& value : point) text += full_text(value) + "\n";
      different.insert(std::move(text));
    }
    if (different.size() == 1 || (axis.drawn && equal(axis.drawn->first, axis.drawn->last))) {
      session_.lint("study-axis-changes-nothing", axis.span, "all values of this axis are the same")
          .help = "give it several, or leave it out";
    }
    for (const std::optional<Target>& target : axis.targets) {
      if (!target->param || target->param->used) continue;
      session_
          .lint("study-axis-changes-nothing", axis.span,
                fmt::format("nothing reads the param `{}`: every value gives the same run",
                            target->param->name->text))
          .notes.push_back({target->param->name->span, "defined here"});
    }
    axes_.push_back(std::move(axis));
  }

  // ---- the rest ----

  void add(const dsl::WhereStatement& where, Span) { wheres_.push_back(&where); }

  void add(const dsl::ReportStatement& report, Span) {
    reports_.insert(reports_.end(), report.paths.begin(), report.paths.end());
  }

  void add(const dsl::StudySetting& setting, Span) {
    if (!settings_.read(setting)) fail();
  }

  // A value that was drawn, as one of the axis' points; false where it does not fit.
  bool add_drawn(StudyAxisValues& axis, Value value) {
    check(axis.targets[0], value, axis.span);
    axis.points.push_back({std::move(value)});
    axis.spans.push_back(axis.span);
    return !failed_;
  }

  void fail() { failed_ = true; }

  const dsl::StudySection& section_;
  const StudyContext& context_;
  Session& session_;
  Study study_;
  StudySettingsReader settings_;
  std::vector<StudyAxisValues> axes_;
  std::vector<const dsl::WhereStatement*> wheres_;
  std::vector<dsl::Path> reports_;
  std::map<std::string, Span> paths_;
  bool has_random_ = false, failed_ = false;
};

}  // namespace

std::optional<Study> check_study(const StudyDecl& study, const StudyContext& context) {
  return StudyChecker(study, context).run();
}

}  // namespace graph
}  // namespace strata
