// Keys, facts and figures of two runs side by side.
#include "framework/report/difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "framework/base/text.h"
#include "framework/base/utf8.h"
#include "framework/report/comparison.h"
#include "framework/report/markup.h"

namespace strata::report {
namespace {

using Json = nlohmann::ordered_json;

// Facts that repeat the file, or that the text says elsewhere.
const std::set<std::string> kKnownFacts = {
    "event",        "model",       "epochs",          "seed",
    "batch_size",   "total_steps", "steps_per_epoch", "start_state_sha256",
    "resumed_from", "precision",   "parameters",      "changes"};

bool is_data_fact(const std::string& key) {
  return key.ends_with("_samples") || key.starts_with("data_");
}
bool is_plugin_fact(const std::string& key) { return key.find("plugin") != std::string::npos; }

bool is_seed(const std::string& key) { return key == "train.seed"; }

void compare_settings(const RunRecord& first, const RunRecord& second, RunDifference& found) {
  for (const std::string& key : differing_keys({first, second})) {
    SettingKind kind = SettingKind::kTrain;
    for (const RunRecord* run : {&first, &second})
      for (const Setting& setting : run->settings)
        if (setting.key == key) kind = setting.kind;
    auto& list = is_seed(key)                   ? found.seed
                 : kind == SettingKind::kData   ? found.data
                 : kind == SettingKind::kPlugin ? found.plugins
                                                : found.file;
    list.push_back({key, value_of(first, key), value_of(second, key)});
  }
}

// The library of that name in the list that a run has of those it used.
Json library_of(const Json& libraries, const std::string& name) {
  for (const Json& library : libraries)
    if (library.is_object() && library.value("name", Json()) == name) return library;
  return {};
}

// Each library of plugins by its name: its version, its bytes, its place.
void compare_libraries(const Json& first, const Json& second, RunDifference& found) {
  std::set<std::string> names;
  for (const Json* libraries : {&first, &second})
    for (const Json& library : *libraries)
      if (library.is_object()) names.insert(fact_text(library.value("name", Json())));
  for (const std::string& name : names) {
    const Json a = library_of(first, name), b = library_of(second, name);
    for (const char* what : {"version", "sha256", "path"}) {
      const auto text = [&](const Json& library) {
        return library.is_object() ? fact_text(library.value(what, Json())) : "not used";
      };
      if (text(a) != text(b)) found.plugins.push_back({name + " " + what, text(a), text(b)});
    }
  }
}

void compare_facts(const RunRecord& first, const RunRecord& second, RunDifference& found) {
  std::vector<std::string> keys;
  for (const RunRecord* run : {&first, &second})
    for (const auto& [key, unused] : run->facts.items())
      if (!kKnownFacts.contains(key) && std::find(keys.begin(), keys.end(), key) == keys.end())
        keys.push_back(key);
  for (const std::string& key : keys) {
    const std::string a = first.fact(key.c_str()), b = second.fact(key.c_str());
    const auto whole = [&](const RunRecord& run) {
      return run.facts.contains(key) ? run.facts[key] : Json();
    };
    if (first.facts.contains(key) == second.facts.contains(key) && whole(first) == whole(second))
      continue;
    if (key == "plugins" && whole(first).is_array() && whole(second).is_array()) {
      compare_libraries(whole(first), whole(second), found);
      continue;
    }
    auto& list = is_data_fact(key)     ? found.data
                 : is_plugin_fact(key) ? found.plugins
                                       : found.environment;
    list.push_back({key, a.empty() ? "not recorded" : a, b.empty() ? "not recorded" : b});
  }
}

bool same_number(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

std::string all_digits(double value) {
  return std::isfinite(value) ? print_float(value) : "not finite";
}

// " (last 3 bits)" where the numbers are that close.
std::string bits_apart(double a, double b) {
  if (!std::isfinite(a) || !std::isfinite(b) || std::signbit(a) != std::signbit(b)) return {};
  const auto x = std::bit_cast<std::uint64_t>(a), y = std::bit_cast<std::uint64_t>(b);
  const int bits = std::bit_width(x > y ? x - y : y - x);
  return bits > 32 ? "" : fmt::format(" (last {})", count_text(bits, "bit"));
}

void compare_figures(const RunRecord& first, const RunRecord& second, RunDifference& found) {
  const std::size_t common = std::min(first.epochs.size(), second.epochs.size());
  for (std::size_t i = 0; i < common; ++i) {
    const EpochRecord &a = first.epochs[i], &b = second.epochs[i];
    std::vector<ChangedValue> differing;
    for (const std::string& name : first.figures) {
      const double x = a.figure(name), y = b.figure(name);
      if (a.figures.contains(name) && b.figures.contains(name) && !same_number(x, y))
        differing.push_back({name, all_digits(x), all_digits(y) + bits_apart(x, y)});
    }
    if (!a.checksum.empty() && !b.checksum.empty() && a.checksum != b.checksum)
      differing.push_back({"weights", "CRC-32 " + a.checksum, b.checksum});
    if (differing.empty() && a.step == b.step) {
      ++found.common_epochs;
      found.parting.equal_until = a.step;
      continue;
    }
    found.parted = true;
    found.parting.epoch = a.epoch;
    found.parting.first_step = a.step;
    found.parting.second_step = b.step;
    found.parting.figures = std::move(differing);
    return;
  }
}

void compare_steps(const RunRecord& first, const RunRecord& second, RunDifference& found) {
  StepParting& parting = found.steps;
  for (auto a = first.steps.begin(), b = second.steps.begin();
       a != first.steps.end() && b != second.steps.end();) {
    if (a->step != b->step) {
      a->step < b->step ? ++a : ++b;
      continue;
    }
    ++parting.compared;
    const bool same_loss = same_number(a->loss, b->loss);
    if (!same_loss || a->checksum != b->checksum) {
      parting.step = a->step;
      if (!same_loss) {
        parting.first_loss = all_digits(a->loss);
        parting.second_loss = all_digits(b->loss) + bits_apart(a->loss, b->loss);
      }
      return;
    }
    parting.equal_until = a->step;
    ++a, ++b;
  }
}

std::string steps_text(const StepParting& at) {
  if (at.compared == 0) return {};
  if (at.step == 0)
    return fmt::format("  {:<12} equal to the last bit in all {} that both logs have\n", "steps",
                       at.compared);
  std::string out = fmt::format("  {:<12} part at step {}", "steps", at.step);
  out += at.equal_until > 0 ? fmt::format(", equal at step {}", at.equal_until)
                            : ", the first that both logs have";
  out += at.first_loss.empty()
             ? "; the loss is the same there, the weights after it are not\n"
             : fmt::format("\n  {:<12} loss  {} -> {}\n", "", at.first_loss, at.second_loss);
  return out;
}

void compare_outcomes(const RunRecord& first, const RunRecord& second, RunDifference& found) {
  const auto note = [&](const char* what, std::string a, std::string b) {
    if (a != b) found.outcome.push_back({what, std::move(a), std::move(b)});
  };
  note("status", first.status, second.status);
  note("epochs done", std::to_string(first.epochs.size()), std::to_string(second.epochs.size()));
  const auto best = [](const RunRecord& run) {
    return run.best_epoch > 0 ? std::to_string(run.best_epoch) : "none";
  };
  note("best epoch", best(first), best(second));
}

std::string section(const char* name, const std::vector<ChangedValue>& changes) {
  std::string out;
  std::size_t width = 0;
  for (const ChangedValue& change : changes) width = std::max(width, change.what.size());
  for (const ChangedValue& change : changes)
    out +=
        fmt::format("  {:<12} {:<{}}  {} -> {}\n", out.empty() ? name : "", safe_text(change.what),
                    width, safe_text(change.first), safe_text(change.second));
  return out.empty() ? fmt::format("  {:<12} same\n", name) : out;
}

std::string results_text(const RunRecord& first, const RunRecord& second,
                         const RunDifference& found) {
  std::string out;
  if (!found.first_start.empty() && !found.second_start.empty())
    out += fmt::format("  {:<12} {}\n", "start",
                       found.first_start == found.second_start
                           ? "same weights"
                           : "other weights: " + short_hash(found.first_start) + " -> " +
                                 short_hash(found.second_start));
  out += steps_text(found.steps);
  if (found.parted) {
    const Parting& at = found.parting;
    out += fmt::format("  {:<12} part in epoch {}: ", "figures", at.epoch);
    out += at.equal_until > 0 ? fmt::format("all equal after step {}, not after step {}",
                                            at.equal_until, std::max(at.first_step, at.second_step))
                              : "its end is the first that the logs have figures of";
    out += "\n";
    if (at.first_step != at.second_step)
      out +=
          fmt::format("  {:<12} it ends with step {} -> {}\n", "", at.first_step, at.second_step);
    for (const ChangedValue& figure : at.figures)
      out += fmt::format("  {:<12} {}  {} -> {}\n", "", safe_text(figure.what), figure.first,
                         figure.second);
  } else if (found.common_epochs > 0) {
    out += fmt::format("  {:<12} equal to the last digit in {}\n", "figures",
                       count_text(found.common_epochs, "epoch"));
  } else {
    out += fmt::format("  {:<12} nothing to compare: {}\n", "figures",
                       first.epochs.empty() && second.epochs.empty() ? "no run finished an epoch"
                                                                     : "one run finished no epoch");
  }
  if (!found.first_weights.empty() && !found.second_weights.empty())
    out += fmt::format("  {:<12} {}\n", "end",
                       found.first_weights == found.second_weights
                           ? "same weights"
                           : "other weights: " + short_hash(found.first_weights) + " -> " +
                                 short_hash(found.second_weights));
  return out + (found.outcome.empty() ? "" : section("outcome", found.outcome));
}

Json json_of(const std::vector<ChangedValue>& changes) {
  Json list = Json::array();
  for (const ChangedValue& change : changes)
    list.push_back({{"what", change.what}, {"first", change.first}, {"second", change.second}});
  return list;
}

}  // namespace

RunDifference difference_of(const RunRecord& first, const RunRecord& second) {
  RunDifference found;
  compare_settings(first, second, found);
  compare_facts(first, second, found);
  compare_figures(first, second, found);
  compare_steps(first, second, found);
  compare_outcomes(first, second, found);
  const auto hash = [](const RunRecord& run) {
    const auto at = run.facts.find("start_state_sha256");
    return at != run.facts.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  found.first_start = hash(first);
  found.second_start = hash(second);
  found.first_weights = first.weights_hash;
  found.second_weights = second.weights_hash;
  return found;
}

std::string difference_text(const RunRecord& first, const RunRecord& second,
                            const RunDifference& found) {
  return fmt::format("{} -> {}\n\n", safe_text(first.name), safe_text(second.name)) +
         section("file", found.file) + section("data", found.data) + section("seed", found.seed) +
         section("plugins", found.plugins) + section("environment", found.environment) + "\n" +
         results_text(first, second, found);
}

std::string difference_json(const RunRecord& first, const RunRecord& second,
                            const RunDifference& found) {
  Json json = {{"first", first.path},
               {"second", second.path},
               {"file", json_of(found.file)},
               {"data", json_of(found.data)},
               {"seed", json_of(found.seed)},
               {"plugins", json_of(found.plugins)},
               {"environment", json_of(found.environment)},
               {"equal_epochs", found.common_epochs},
               {"parting", nullptr},
               {"outcome", json_of(found.outcome)},
               {"same_weights", nullptr}};
  if (found.parted) {
    json["parting"] = {{"epoch", found.parting.epoch},
                       {"equal_until_step", found.parting.equal_until},
                       {"first_step", found.parting.first_step},
                       {"second_step", found.parting.second_step},
                       {"figures", json_of(found.parting.figures)}};
  }
  if (found.steps.compared > 0)
    json["steps"] = {{"compared", found.steps.compared},
                     {"equal_until_step", found.steps.equal_until},
                     {"parting_step", found.steps.step > 0 ? Json(found.steps.step) : Json()}};
  if (!found.first_weights.empty() && !found.second_weights.empty())
    json["same_weights"] = first.weights_hash == second.weights_hash;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace strata::report
