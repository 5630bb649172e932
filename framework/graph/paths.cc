// Paths and overrides.
#include "framework/graph/paths.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/base/text.h"
#include "framework/dsl/parser.h"
#include "framework/graph/suggest.h"
#include "framework/graph/train_settings.h"

namespace strata::graph {
namespace {

using CallPtr = std::shared_ptr<const CallValue>;

std::vector<std::string> param_names(const Declarations& declarations) {
  std::vector<std::string> names;
  for (const Constant& constant : declarations.constants) {
    if (constant.param) names.push_back(constant.name->text);
  }
  return names;
}

// The path of a setting whose plugin has the option `name`: `train.optimizer.lr` for `lr`, or for
// another framework's name of it. Empty where none has.
std::string setting_with_option(const std::string& name, const Declarations& declarations,
                                const Session& session) {
  for (const TrainDecl& train : declarations.trains) {
    for (const dsl::Setting& setting : train.node->settings) {
      const std::optional<Kind> kind = setting_kind(setting.key.text);
      const auto* call = std::get_if<dsl::CallExpr>(&setting.value.node);
      const auto* word = std::get_if<dsl::Reference>(&setting.value.node);
      if (!kind || !(call || (word && word->path.parts.size() == 1))) continue;
      const Entry* entry =
          session.registry.find(*kind, call ? call->callee.text : word->path.parts[0].text);
      const std::string option = entry ? our_option(*entry, name) : "";
      if (!option.empty()) return fmt::format("train.{}.{}", setting.key.text, option);
    }
  }
  return {};
}

std::optional<Target> resolve_param(const dsl::Path& path, Declarations& declarations,
                                    Session& session) {
  const dsl::Name& name = path.parts[0];
  Constant* constant = declarations.find_constant(name.text);
  if (constant && constant->param && path.parts.size() == 1) {
    Target target;
    target.param = constant;
    return target;
  }
  if (declarations.is_incomplete(name.text)) return std::nullopt;
  if (constant) {
    const bool is_param = constant->param != nullptr;
    Diagnostic& error = session.error(
        "unknown-path", is_param ? path.parts[1].span : name.span,
        is_param
            ? fmt::format("the param `{}` has no parts", name.text)
            : fmt::format("`{}` is a constant: only a param can be set from outside", name.text));
    error.notes.push_back({constant->name->span, "defined here"});
    if (!is_param)
      error.help =
          fmt::format("write `param {}: int = …` in the file to make it a knob", name.text);
    return std::nullopt;
  }
  std::vector<std::string> names = param_names(declarations);
  Diagnostic& error = session.error("unknown-path", name.span,
                                    fmt::format("the file has no param `{}`", name.text));
  if (path.parts.size() > 1 && declarations.find_data(name.text)) {
    error.help = did_you_mean("data." + path.text());
    return std::nullopt;
  }
  if (const std::string setting = setting_with_option(name.text, declarations, session);
      path.parts.size() == 1 && !setting.empty()) {
    error.help = did_you_mean(setting);
    return std::nullopt;
  }
  if (train_setting_option(name.text) || name.text == "model" || name.text == "data") {
    error.help = did_you_mean("train." + name.text);
    return std::nullopt;
  }
  error.notes.push_back({{},
                         names.empty()
                             ? "the file has no params; `train.` and `data.` begin the other paths"
                             : "params: " + list_names(names)});
  names.insert(names.end(), {"train", "data"});
  error.help = did_you_mean(nearest_name(name.text, names));
  return std::nullopt;
}

std::optional<Target> resolve_train(const dsl::Path& path, Declarations& declarations,
                                    Session& session) {
  if (declarations.trains.empty()) {
    session.error("unknown-path", path.parts[0].span, "the file has no train section");
    return std::nullopt;
  }
  if (path.parts.size() == 1) {
    session.error("unknown-path", path.span, "`train` alone is no setting").help =
        "name one: `train.batch_size`";
    return std::nullopt;
  }
  const dsl::Name& key = path.parts[1];
  const std::vector<std::string> names = train_setting_names();
  if (std::find(names.begin(), names.end(), key.text) == names.end()) {
    Diagnostic& error = session.error("unknown-path", key.span,
                                      fmt::format("`train` has no setting `{}`", key.text));
    if (const std::string setting = setting_with_option(key.text, declarations, session);
        !setting.empty()) {
      error.help = did_you_mean(setting);
      return std::nullopt;
    }
    error.help = suggest_setting(key.text);
    if (error.help.empty()) error.notes.push_back({{}, "settings: " + list_names(names, 40)});
    return std::nullopt;
  }
  Target target;
  target.kind = Target::kSetting;
  target.setting = key.text;
  if (path.parts.size() == 2) return target;
  if (path.parts.size() > 3 || !setting_kind(key.text)) {
    const std::size_t guilty = path.parts.size() > 3 ? 3 : 2;
    session.error("unknown-path", path.parts[guilty].span,
                  fmt::format("`{}` has no parts that can be set", path.parts[guilty - 1].text));
    return std::nullopt;
  }
  target.kind = Target::kSettingOption;
  target.option = path.parts[2];
  return target;
}

std::optional<Target> resolve_data(const dsl::Path& path, Declarations& declarations,
                                   Session& session) {
  std::vector<std::string> names;
  for (const DataDecl& data : declarations.data) names.push_back(data.node->name.text);
  if (path.parts.size() < 3) {
    session
        .error("unknown-path", path.span,
               "an option of a data set is `data`, its name and the option")
        .help = fmt::format("for example `data.{}.{}`", names.empty() ? "mnist" : names[0],
                            path.parts.size() < 2 || declarations.find_data(path.parts[1].text)
                                ? "path"
                                : path.parts[1].text);
    return std::nullopt;
  }
  Target target;
  target.kind = Target::kDataOption;
  target.data = declarations.find_data(path.parts[1].text);
  if (!target.data) {
    if (declarations.is_incomplete(path.parts[1].text)) return std::nullopt;
    Diagnostic& error = session.error("unknown-path", path.parts[1].span,
                                      fmt::format("the file has no data `{}`", path.parts[1].text));
    if (!names.empty()) error.notes.push_back({{}, "data: " + list_names(names)});
    error.help = did_you_mean(nearest_name(path.parts[1].text, names));
    for (const DataDecl& data : declarations.data) {  // data.normalize.std
      for (const dsl::Stage& stage : data.node->flow.stages) {
        const auto* call = std::get_if<dsl::CallStage>(&stage.node);
        if (call && snake_case(call->callee.text) == path.parts[1].text && path.parts.size() == 3) {
          error.help = did_you_mean(fmt::format("data.{}.{}.{}", data.node->name.text,
                                                path.parts[1].text, path.parts[2].text));
        }
      }
    }
    return std::nullopt;
  }
  if (path.parts.size() > 4) {
    session.error("unknown-path", path.parts[4].span,
                  fmt::format("`{}` has no parts", path.parts[3].text));
    return std::nullopt;
  }
  if (path.parts.size() == 4) target.transform = path.parts[2].text;
  target.option = path.parts.back();
  return target;
}

}  // namespace

std::optional<Target> resolve_path(const dsl::Path& path, Declarations& declarations,
                                   Session& session) {
  if (path.parts.empty()) return std::nullopt;
  const std::string& head = path.parts[0].text;
  const bool is_param = declarations.find_constant(head) != nullptr;
  if (head == "train" && !is_param) return resolve_train(path, declarations, session);
  if (head == "data" && !is_param) return resolve_data(path, declarations, session);
  return resolve_param(path, declarations, session);
}

std::optional<Kind> setting_kind(std::string_view setting) {
  const strata_option* option = train_setting_option(setting);
  if (!option || !(option->kinds & STRATA_PLUGIN)) return std::nullopt;
  return static_cast<Kind>(option->plugin_kind);
}

void Overrides::read(const std::vector<std::string>& texts, Declarations& declarations,
                     Session& session) {
  for (const std::string& text : texts) {
    const SourceFile& source = session.sources.add("command line", text);
    dsl::Override parsed = dsl::parse_override(source, session.diagnostics());
    if (parsed.path.parts.empty()) continue;
    const std::string head = parsed.path.parts[0].text;
    const bool chooses = head == "model" || (head == "train" && !declarations.trains.empty());
    if (chooses && parsed.path.parts.size() == 1 && !declarations.find_constant(head) &&
        !chosen(head)) {
      chosen_.push_back(std::move(parsed));
      continue;
    }
    std::optional<Target> target = resolve_path(parsed.path, declarations, session);
    if (!target) continue;
    const auto same = std::find_if(all_.begin(), all_.end(), [&](const One& o) {
      return o.parsed.path.text() == parsed.path.text();
    });
    if (same != all_.end()) {
      session
          .error("duplicate-override", parsed.path.span,
                 fmt::format("`{}` is set twice", parsed.path.text()))
          .notes.push_back({same->parsed.path.span, "first set here"});
      continue;
    }
    One& added = all_.emplace_back(One{std::move(parsed), std::move(*target)});
    if (added.target.param) added.target.param->overridden = &added.parsed;
  }
}

const dsl::Override* Overrides::chosen(std::string_view kind) const {
  for (const dsl::Override& one : chosen_) {
    if (one.path.parts[0].text == kind) return &one;
  }
  return nullptr;
}

const dsl::Override* Overrides::setting(std::string_view name) const {
  for (const One& one : all_) {
    if (one.target.kind == Target::kSetting && one.target.setting == name) return &one.parsed;
  }
  return nullptr;
}

Value override_value(const dsl::Override& given, const strata_option* option, GlobalNames& globals,
                     Session& session) {
  if (const auto* reference = std::get_if<dsl::Reference>(&given.value.node);
      reference && reference->path.parts.size() == 1) {
    const dsl::Name& word = reference->path.parts[0];  // a word that names nothing is a text
    if (!globals.find(word.text, word.span) && session.registry.find(word.text).empty())
      return given.raw_value;
  }
  if (option && (option->kinds & STRATA_STRING)) {
    const bool literal = std::holds_alternative<dsl::StringLiteral>(given.value.node);
    const bool is_none =
        (option->kinds & STRATA_NONE) && std::holds_alternative<dsl::NoneLiteral>(given.value.node);
    const bool only_text =
        !(option->kinds & ~static_cast<std::uint32_t>(STRATA_STRING | STRATA_NONE));
    const bool bare_word = std::holds_alternative<dsl::Reference>(given.value.node);
    if (!literal && !is_none && (only_text || bare_word)) return given.raw_value;
  }
  return evaluate(given.value, globals, session);
}

Value with_option(const Value& value, Kind kind, const dsl::Name& option, Value given, Span span,
                  Session& session) {
  if (value.is_unknown()) return {};
  const auto* call = value.get<CallPtr>();
  if (value.is_none()) {
    session.error(
        "unknown-path", option.span,
        fmt::format("there is no {} here to have the option `{}`", kind_name(kind), option.text));
    return {};
  }
  if (!call) {
    session.error("unknown-path", option.span,
                  fmt::format("`{}` has no options: it is {}", print_value(value), a_type(value)));
    return {};
  }
  auto changed = std::make_shared<CallValue>(**call);
  const Entry* entry = session.registry.find(kind, changed->name);
  const bool positional =
      entry && entry->schema().input_count == 0 && entry->find_option(option.text) == 0;
  std::erase_if(changed->arguments, [&](const CallArgument& argument) {
    return argument.name == option.text || (positional && argument.name.empty());
  });
  changed->arguments.push_back({option.text, option.span, std::move(given), span});
  return CallPtr(std::move(changed));
}

namespace {

// The option that an override means, for how its text is read.
const strata_option* option_of(const Value& value, Kind kind, std::string_view name,
                               Session& session) {
  const auto* call = value.get<CallPtr>();
  const Entry* entry = call ? session.registry.find(kind, (*call)->name) : nullptr;
  const int index = entry ? entry->find_option(name) : -1;
  return index < 0 ? nullptr : &entry->schema().options[index];
}

}  // namespace

Value Overrides::apply_to_setting(std::string_view setting, Value value, GlobalNames& globals,
                                  Session& session) const {
  const std::optional<Kind> kind = setting_kind(setting);
  for (const One& one : all_) {
    if (one.target.kind != Target::kSettingOption || one.target.setting != setting || !kind)
      continue;
    const strata_option* option = option_of(value, *kind, one.target.option.text, session);
    const Value given = option ? override_value(one.parsed, option, globals, session) : Value{};
    value = with_option(value, *kind, one.target.option, given, one.parsed.value.span, session);
  }
  return value;
}

Value Overrides::apply_to_data(const DataDecl* data, std::string_view transform, Value value,
                               GlobalNames& globals, Session& session) const {
  const Kind kind = transform.empty() ? STRATA_DATASET : STRATA_TRANSFORM;
  for (const One& one : all_) {
    if (one.target.kind != Target::kDataOption || one.target.data != data ||
        one.target.transform != transform)
      continue;
    const strata_option* option = option_of(value, kind, one.target.option.text, session);
    const Value given = option ? override_value(one.parsed, option, globals, session) : Value{};
    value = with_option(value, kind, one.target.option, given, one.parsed.value.span, session);
  }
  return value;
}

void Overrides::check_transforms(const DataDecl* data, const std::vector<std::string>& transforms,
                                 Session& session) const {
  for (const One& one : all_) {
    if (one.target.kind != Target::kDataOption || one.target.data != data ||
        one.target.transform.empty())
      continue;
    if (std::find(transforms.begin(), transforms.end(), one.target.transform) != transforms.end())
      continue;
    Diagnostic& error = session.error("unknown-path", one.parsed.path.parts[2].span,
                                      fmt::format("data `{}` has no transform `{}`",
                                                  data->node->name.text, one.target.transform));
    if (!transforms.empty()) error.notes.push_back({{}, "transforms: " + list_names(transforms)});
    error.help = did_you_mean(nearest_name(one.target.transform, transforms));
  }
}

}  // namespace strata::graph
