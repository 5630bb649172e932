// What a resolved model file sets, one key each, so that two runs can be compared key by key.
//
// Reads the canonical text that run folders hold, by its tokens alone: a section begins at the
// margin, and no plugin has to be registered. Comments and layout do not count.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace strata::report {

enum class SettingKind { kParam, kTrain, kData, kModel, kPlugin, kWiring };

struct Setting {
  // "norm" of a param, "train.batch_size", "train.optimizer" and "train.optimizer.lr",
  // "data.points.noise", "batch_norm1" and "batch_norm1.eps" of the first BatchNorm.
  std::string key;
  std::string value;  // as in the file, on one line; of a call its name and what has no name
  SettingKind kind = SettingKind::kTrain;
};

std::vector<Setting> settings_of(std::string_view resolved);

// "train.optimizer.lr" → "lr": the key without what leads to it.
std::string short_key(const std::string& key);

}  // namespace strata::report
