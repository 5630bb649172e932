// Settings of studies. Numbers are checked by the same code as those of a train section.
#include "framework/graph/study_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <memory>

#include "framework/base/random.h"
#include "framework/base/text.h"
#include "framework/graph/bind.h"
#include "framework/graph/figures.h"
#include "framework/graph/suggest.h"

namespace strata::graph {
namespace {

using ListPtr = std::shared_ptr<const List>;

constexpr const char *kSeeds = "seeds", *kTarget = "target", *kRandom = "random",
                     *kHalving = "halving", *kFactor = "halving_factor",
                     *kEpochs = "halving_epochs";
constexpr double kMostDrawn = 100'000;

// What bind_value checks values against.
const std::deque<strata_option>& table() {
  static const std::deque<strata_option> kTable = [] {
    std::deque<strata_option> options;
    const auto add = [&](const char* name, std::uint32_t kinds, double least, const char* doc) {
      strata_option& option = options.emplace_back();
      option.struct_size = sizeof(strata_option);
      option.name = name;
      option.doc = doc;
      option.kinds = kinds;
      option.plugin_kind = -1;
      option.minimum = least;
      option.maximum = std::numeric_limits<double>::infinity();
    };
    add(kTarget, STRATA_FLOAT, -std::numeric_limits<double>::infinity(),
        "what the figure that `monitor` names has to reach");
    add(kRandom, STRATA_INT, 1, "how many of the combinations to draw");
    options.back().maximum = kMostDrawn;
    add(kHalving, STRATA_STRING, 0, "the figure by which combinations are compared");
    add(kFactor, STRATA_INT, 2, "one of so many combinations goes on");
    add(kEpochs, STRATA_INT, 1, "after how many epochs they are compared first");
    return options;
  }();
  return kTable;
}

std::vector<std::string> names() {
  std::vector<std::string> all = {kSeeds};
  for (const strata_option& option : table()) all.push_back(option.name);
  return all;
}

}  // namespace

bool StudySettingsReader::read(const dsl::StudySetting& setting) {
  Session& session = context_.session;
  const std::string& key = setting.key.text;
  const std::vector<std::string> known = names();
  if (std::find(known.begin(), known.end(), key) == known.end()) {
    const std::string near = nearest_name(key, known);
    session
        .error("unknown-setting", setting.key.span, fmt::format("a study has no setting `{}`", key))
        .help = near.empty()
                    ? fmt::format("a study varies a setting with `grid`; of its own it has {}",
                                  list_names(known, 20))
                    : did_you_mean(near);
    return false;
  }
  const auto [before, added] = given_.try_emplace(key, setting.key.span);
  if (!added) {
    session.error("duplicate-name", setting.key.span, fmt::format("`{}` is set already", key))
        .notes.push_back({before->second, "first set here"});
    return false;
  }
  values_[key] = setting.value.span;
  if (key == kSeeds) return read_seeds(setting.value);
  unread_.insert(key);  // until it is
  const Value value = evaluate(setting.value, context_.globals, session);
  if (value.is_unknown()) return false;
  const auto option = std::find_if(table().begin(), table().end(),
                                   [&](const strata_option& one) { return key == one.name; });
  const std::optional<OptionValue> bound =
      bind_value("`study`", *option, value, setting.value.span, session);
  if (!bound) return false;
  unread_.erase(key);
  if (key == kTarget) settings_.target = std::get<double>(bound->data);
  if (key == kRandom) settings_.random = std::get<std::int64_t>(bound->data);
  if (key == kHalving) halving_.figure = std::get<std::string>(bound->data);
  if (key == kFactor) halving_.factor = std::get<std::int64_t>(bound->data);
  if (key == kEpochs) halving_.epochs = std::get<std::int64_t>(bound->data);
  return true;
}

bool StudySettingsReader::read_seeds(const dsl::Expr& expr) {
  const Value value = evaluate(expr, context_.globals, context_.session);
  if (value.is_unknown()) return false;
  const std::int64_t first = context_.result ? context_.result->settings.seed : 0;
  if (const auto* count = value.get<std::int64_t>(); count && *count >= 1 && *count <= 10'000) {
    for (std::int64_t i = 0; i < *count; ++i) seeds_.push_back(first + i);
    return true;
  }
  if (const auto* list = value.get<ListPtr>(); list && !(*list)->items.empty()) {
    for (const Value& item : (*list)->items) {
      const auto* seed = item.get<std::int64_t>();
      if (!seed || *seed < 0) break;
      seeds_.push_back(*seed);
    }
    for (std::size_t i = 0; i < seeds_.size(); ++i) {
      if (std::find(seeds_.begin(), seeds_.begin() + static_cast<std::ptrdiff_t>(i), seeds_[i]) ==
          seeds_.begin() + static_cast<std::ptrdiff_t>(i)) {
        continue;
      }
      context_.session.error(
          "option-range", expr.span,
          fmt::format("`seeds` has {} twice, which would be the same run again", seeds_[i]));
      return false;
    }
    if (seeds_.size() == (*list)->items.size()) return true;
  }
  context_.session.error(
      "option-range", expr.span,
      fmt::format("`seeds` is how many (from 1 to 10000), or a list of seeds, not {}",
                  print_value(value)));
  return false;
}

bool StudySettingsReader::finish(Study& study, const std::vector<dsl::Path>& reports,
                                 const std::map<std::string, Span>& axes) {
  std::vector<std::string> known;
  if (complete()) {
    const TrainSettings& train = context_.result->settings;
    known = study_figures(train.losses, train.metrics, *context_.data);
  }
  bool sound = true;
  for (const dsl::Path& path : reports) {
    study.reports.push_back(path.text());
    sound = check_report(path, known) && sound;
  }
  sound = check_halving(axes) && sound;
  study.settings = settings_;
  study.seeds = seeds_;
  if (study.seeds.empty()) study.seeds = {context_.result->settings.seed};
  return sound;
}

// `known` is empty where errors elsewhere leave it open.
bool StudySettingsReader::check_report(const dsl::Path& path,
                                       const std::vector<std::string>& known) {
  const std::string text = path.text();
  if (!known.empty() && std::find(known.begin(), known.end(), text) == known.end()) {
    Diagnostic& error = context_.session.error("unknown-report", path.span,
                                               fmt::format("a run has no figure `{}`", text));
    error.notes.push_back({{}, "figures: " + list_names(known, 40)});
    error.help = did_you_mean(nearest_name(text, known));
    return false;
  }
  if (needs_target(text) && !given_.contains(kTarget)) {
    context_.session
        .error(
            "missing-setting", path.span,
            fmt::format("`{}` needs a `target`: what the figure that `monitor` names has to reach",
                        text))
        .help = "for example `target = 0.97`";
    return false;
  }
  return true;
}

bool StudySettingsReader::check_halving(const std::map<std::string, Span>& axes) {
  Session& session = context_.session;
  if (!given_.contains(kHalving)) {
    for (const char* key : {kFactor, kEpochs}) {
      if (!given_.contains(key)) continue;
      session
          .error("missing-setting", given_.at(key),
                 fmt::format("`{}` needs `halving`: the figure by which combinations are compared",
                             key))
          .help = "for example `halving = \"val.accuracy\"`";
      return false;
    }
    return true;
  }
  for (const char* path : {"train.epochs", "train.steps"}) {
    const auto axis = axes.find(path);
    if (axis == axes.end()) continue;
    session
        .error("setting-conflict", axis->second,
               fmt::format("`halving` decides how long a combination trains, and `{}` is varied",
                           path))
        .notes.push_back({given_.at(kHalving), "`halving` is set here"});
    return false;
  }
  if (!complete() || unread_.contains(kHalving)) return true;
  const TrainSettings& train = context_.result->settings;
  if (!train.epochs) {
    session.error("setting-conflict", given_.at(kHalving),
                  "`halving` counts epochs, and `train` has `steps`");
    return false;
  }
  if (halving_.epochs >= *train.epochs) {
    session.error("option-range", given_.at(given_.contains(kEpochs) ? kEpochs : kHalving),
                  fmt::format("`halving` first compares after {}, and a run has {}",
                              counted(halving_.epochs, "epoch"), *train.epochs));
    return false;
  }
  std::vector<std::string> names;
  for (const FigureName& figure : run_figures(train.losses, train.metrics, *context_.data)) {
    names.push_back(figure.name);
    if (figure.name != halving_.figure) continue;
    halving_.higher_is_better = figure.higher_is_better;
    settings_.halving = halving_;
  }
  if (settings_.halving) return true;
  Diagnostic& error = session.error("unknown-report", values_.at(kHalving),
                                    fmt::format("an epoch has no figure `{}`", halving_.figure));
  error.notes.push_back({{}, "figures: " + list_names(names, 20)});
  error.help = did_you_mean(nearest_name(halving_.figure, names));
  return false;
}

Span StudySettingsReader::random_span() const { return values_.at(kRandom); }

bool StudySettingsReader::draw(Study& study) const {
  if (!study.settings.random) return true;
  const auto all = static_cast<std::int64_t>(study.runs.size());
  if (*study.settings.random > all) {
    context_.session.error("option-range", values_.at(kRandom),
                           fmt::format("`random` draws {} of {}", *study.settings.random,
                                       counted(all, "combination")));
    return false;
  }
  const auto seed = static_cast<std::uint64_t>(context_.result->settings.seed);
  const StreamKey key =
      stream_key(seed, Purpose::kStudy, name_hash(study.name.data(), study.name.size()), 0);
  const std::vector<std::uint32_t> order = random_permutation(key, static_cast<std::uint32_t>(all));
  std::vector<std::vector<int>> drawn;
  for (std::int64_t i = 0; i < *study.settings.random; ++i)
    drawn.push_back(study.runs[order[static_cast<std::size_t>(i)]]);
  study.runs = std::move(drawn);
  return true;
}

}  // namespace strata::graph
