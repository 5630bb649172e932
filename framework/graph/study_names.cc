// Names in `where`.
#include "framework/graph/study_names.h"

namespace strata::graph {

std::optional<Value> RunNames::find(std::string_view name, Span use) {
  if (std::optional<Value> value = of_axis(name)) return value;
  return context_.globals.find(name, use);
}

std::optional<Value> RunNames::find_path(const dsl::Path& path) {
  if (std::optional<Value> value = of_axis(path.text())) return value;
  const std::optional<Target> target = resolve_path(path, context_.declarations, context_.session);
  if (!target) return Value{};
  return current(*target);
}

std::optional<Value> RunNames::of_axis(std::string_view path) const {
  for (std::size_t a = 0; a < axes_.size(); ++a) {
    for (std::size_t i = 0; i < axes_[a].paths.size(); ++i) {
      if (axes_[a].paths[i].text() == path)
        return axes_[a].points[static_cast<std::size_t>(run[a])][i];
    }
  }
  return std::nullopt;
}

Value RunNames::current(const Target& target) const {
  if (target.kind == Target::kSetting && context_.result) {
    const TrainSettings& s = context_.result->settings;
    const auto given = context_.result->values.find(target.setting);
    if (given != context_.result->values.end()) return given->second;
    if (target.setting == "batch_size") return s.batch_size;
    if (target.setting == "seed") return s.seed;
    if (target.setting == "shuffle") return s.shuffle;
    if (target.setting == "last_batch") return std::string("keep");
    if (target.setting == "precision") return std::string("f32");
    if (target.setting == "epochs" && s.epochs) return *s.epochs;
    return None{};
  }
  const InstancePtr* instance = nullptr;
  if (target.kind == Target::kSettingOption && context_.result) {
    if (target.setting == "optimizer") instance = &context_.result->settings.optimizer;
    if (target.setting == "schedule") instance = &context_.result->settings.schedule;
  }
  if (target.kind == Target::kDataOption && context_.data && target.transform.empty())
    instance = &context_.data->dataset;
  if (!instance || !*instance) return {};
  const OptionValue* option = (*instance)->call().option(target.option.text);
  return option ? from_option(*option) : Value{};
}

}  // namespace strata::graph
