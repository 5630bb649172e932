// Paths to what a file lets one change from outside: `norm`, `train.batch_size`,
// `train.optimizer.lr`, `data.mnist.path`, `data.mnist.normalize.mean`. Overrides and studies use
// them.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/graph/declarations.h"

namespace strata::graph {

struct Target {
  enum Kind { kParam, kSetting, kSettingOption, kDataOption } kind = kParam;
  Constant* param = nullptr;
  std::string setting;  // of train
  DataDecl* data = nullptr;
  std::string transform;  // snake case; empty: the data set itself
  dsl::Name option;       // of the call that the setting, data set or transform is
};

// Nullopt after an error at the guilty part of the path.
std::optional<Target> resolve_path(const dsl::Path& path, Declarations& declarations,
                                   Session& session);

// The command line's `path=value`s.
class Overrides {
 public:
  // Parses them; params get theirs at once (Constant::overridden).
  void read(const std::vector<std::string>& texts, Declarations& declarations, Session& session);

  // `train=NAME` and `model=NAME`: which section of several is meant; null where nothing is said.
  const dsl::Override* chosen(std::string_view kind) const;
  const dsl::Override* setting(std::string_view name) const;
  // Gives `value` (a call) the options that are overridden for it; `transform` and `data` as in
  // Target.
  Value apply_to_setting(std::string_view setting, Value value, GlobalNames& globals,
                         Session& session) const;
  Value apply_to_data(const DataDecl* data, std::string_view transform, Value value,
                      GlobalNames& globals, Session& session) const;
  // Says so where a transform that was named does not exist.
  void check_transforms(const DataDecl* data, const std::vector<std::string>& transforms,
                        Session& session) const;

 private:
  struct One {
    dsl::Override parsed;
    Target target;
  };
  std::deque<One> all_;
  std::deque<dsl::Override> chosen_;
};

// The value of an override for an option: the bare text where a str is wanted.
Value override_value(const dsl::Override& given, const strata_option* option, GlobalNames& globals,
                     Session& session);

// `call` with one option replaced or added; anything else unchanged, with an error.
Value with_option(const Value& call, Kind kind, const dsl::Name& option, Value value, Span span,
                  Session& session);

// The kind of plugin that a setting is; nullopt for plain settings.
std::optional<Kind> setting_kind(std::string_view setting);

}  // namespace strata::graph
