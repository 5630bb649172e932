// The keys of a `train` section: one table that checks them, documents them and suggests them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/plugin/abi.h"

namespace strata {

struct TrainSettingDoc {
  std::string name;
  std::string type;           // as messages say it: "int at least 1"
  std::string default_value;  // as the language writes it; empty where the setting is required
  std::string doc;            // one sentence
  std::string example;        // a line of a train section
};

// In the order in which resolved files print them.
const std::vector<TrainSettingDoc>& train_setting_docs();

namespace graph {

// What checks a setting's value: null for an unknown one. Those that want a plugin have its kind;
// `loss` and `metrics` accept one call or a list of them.
const strata_option* train_setting_option(std::string_view name);
std::vector<std::string> train_setting_names();

}  // namespace graph
}  // namespace strata
