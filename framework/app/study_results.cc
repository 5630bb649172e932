// Tables, CSV and JSON of studies.
#include "framework/app/study_results.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "framework/app/format.h"
#include "framework/report/predictions.h"

namespace strata::app {
namespace {

using Json = nlohmann::ordered_json;

// "98.10 ± 0.12 %". Where some of the `done` runs have no such figure, behind it how many have:
// "4.5 ± 0.7 (2)".
std::string spread_text(const std::string& name, const Spread& spread, std::int64_t done) {
  if (spread.count == 0) return "–";
  const std::string few = spread.count < done ? fmt::format(" ({})", spread.count) : "";
  std::string mean = figure(name, spread.mean);
  if (spread.count < 2) return mean + few;
  std::string deviation = figure(name, spread.deviation);
  // A small one has the places of the mean: "0.0254 ± 0.0007".
  if (const std::size_t point = mean.find('.');
      point != std::string::npos && deviation.find('e') != std::string::npos) {
    const std::size_t end = mean.find_first_not_of("0123456789", point + 1);
    if (end == std::string::npos)
      deviation = fmt::format("{:.{}f}", spread.deviation, mean.size() - point - 1);
  }
  for (const std::string_view unit : {" %", " MB", " s"}) {
    if (mean.ends_with(unit) && deviation.ends_with(unit)) mean.resize(mean.size() - unit.size());
  }
  return mean + " ± " + deviation + few;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string csv_line(const std::vector<std::string>& fields) {
  std::string line;
  for (std::size_t i = 0; i < fields.size(); ++i) line += (i ? "," : "") + csv_field(fields[i]);
  return line + "\n";
}

// With all digits; nothing where it is not finite.
std::string number_text(const double* value) {
  return value && std::isfinite(*value) ? fmt::format("{}", *value) : "";
}

std::vector<std::string> figure_names(const std::vector<RunRecord>& runs) {
  std::vector<std::string> names;
  for (const RunRecord& run : runs) {
    for (const auto& [name, value] : run.last) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

Json value_json(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  return json.is_discarded() ? Json(text) : json;
}

Json number_json(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json values_json(const StudyRecord& study, const std::vector<std::string>& values) {
  Json json = Json::object();
  for (std::size_t i = 0; i < study.paths.size() && i < values.size(); ++i)
    json[study.paths[i]] = value_json(values[i]);
  return json;
}

Json figures_json(const NamedFigures& figures) {
  Json json = Json::object();
  for (const auto& [name, value] : figures) json[name] = number_json(value);
  return json;
}

Json spreads_json(const Combination& combination, const std::vector<std::string>& names,
                  bool best) {
  Json json = Json::object();
  for (const std::string& name : names) {
    const Spread one = spread(combination, name, best);
    if (one.count == 0) continue;
    json[name] = {{"mean", one.mean},
                  {"deviation", one.count > 1 ? Json(one.deviation) : Json(nullptr)},
                  {"n", one.count}};
  }
  return json;
}

}  // namespace

std::string unquoted(const std::string& value) {
  const Json json = Json::parse(value, nullptr, false);
  return json.is_string() ? json.get<std::string>() : value;
}

std::vector<std::string> short_paths(const std::vector<std::string>& paths) {
  std::vector<std::string> out;
  for (const std::string& path : paths) {
    const std::string last = path.substr(path.rfind('.') + 1);
    const auto same = std::count_if(paths.begin(), paths.end(), [&](const std::string& other) {
      return other.substr(other.rfind('.') + 1) == last;
    });
    out.push_back(same == 1 ? last : path);
  }
  return out;
}

std::vector<Combination> combinations(const std::vector<RunRecord>& runs) {
  std::vector<Combination> all;
  std::map<std::vector<std::string>, std::size_t> places;
  for (const RunRecord& run : runs) {
    const auto [at, added] = places.try_emplace(run.values, all.size());
    if (added) all.emplace_back().values = run.values;
    Combination& one = all[at->second];
    one.runs.push_back(&run);
    const bool done = run.status == kDone || run.status == kStopped;
    (done ? one.done : run.to_do() ? one.to_do : one.failed) += 1;
  }
  return all;
}

Spread spread(const Combination& combination, const std::string& name, bool best) {
  Spread out;
  std::vector<double> values;
  for (const RunRecord* run : combination.runs) {
    if (run->status != kDone && run->status != kStopped) continue;
    const double* value = find_figure(best ? run->best : run->last, name);
    if (value && std::isfinite(*value)) values.push_back(*value);
  }
  out.count = static_cast<std::int64_t>(values.size());
  if (values.empty()) return out;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  out.low = *low, out.high = *high;
  for (const double value : values) out.mean += value / static_cast<double>(values.size());
  double squares = 0;
  for (const double value : values) squares += (value - out.mean) * (value - out.mean);
  if (values.size() > 1)
    out.deviation = std::sqrt(squares / static_cast<double>(values.size() - 1));
  return out;
}

std::vector<std::string> reported_figures(const StudyRecord& study,
                                          const std::vector<RunRecord>& runs) {
  if (!study.reports.empty()) return study.reports;
  const std::vector<std::string> known = figure_names(runs);
  for (const char* split : {"val.", "train."}) {
    std::vector<std::string> of_split;
    std::copy_if(known.begin(), known.end(), std::back_inserter(of_split),
                 [&](const std::string& name) {
                   return name.starts_with(split) && !report::is_confusion_cell(name);
                 });
    if (!of_split.empty()) return of_split;
  }
  return known;
}

std::string state_text(const std::vector<RunRecord>& runs) {
  std::map<std::string, std::int64_t> counts;
  for (const RunRecord& run : runs) ++counts[run.status];
  const bool ended =
      std::none_of(runs.begin(), runs.end(), [](const RunRecord& run) { return run.to_do(); });
  const std::string all = counted(static_cast<std::int64_t>(runs.size()), "run"),
                    done = grouped(counts[kDone]);
  // Of a halving that has ended, "1 of 12 runs done" would read as if others were to come.
  std::string text = ended && counts[kStopped] > 0 ? fmt::format("{}: {} done", all, done)
                                                   : fmt::format("{} of {} done", done, all);
  for (const auto& [status, words] : {std::pair(kPaused, "paused by the halving"),
                                      {kStopped, "stopped early by the halving"},
                                      {kDiverged, kDiverged},
                                      {kFailed, kFailed}}) {
    if (counts[status] > 0) text += fmt::format(", {} {}", grouped(counts[status]), words);
  }
  return text;
}

std::string results_table(const StudyRecord& study, const std::vector<RunRecord>& runs, bool best) {
  const std::vector<std::string> names = reported_figures(study, runs);
  std::vector<std::vector<std::string>> rows = {short_paths(study.paths)};
  rows[0].push_back("n");
  for (const std::string& name : names) rows[0].push_back(figure_label(name));
  rows[0].push_back("");
  for (const Combination& one : combinations(runs)) {
    std::vector<std::string>& row = rows.emplace_back();
    for (const std::string& value : one.values) row.push_back(unquoted(value));
    row.push_back(grouped(one.done));
    for (const std::string& name : names)
      row.push_back(spread_text(name, spread(one, name, best), one.done));
    std::string notes;
    std::map<std::string, int> others;
    for (const RunRecord* run : one.runs) {
      if (run->status == kDiverged || run->status == kFailed) ++others[run->status];
      if (run->status == kStopped || run->status == kPaused)
        ++others[fmt::format("{} after epoch {}", run->status, run->epochs)];
    }
    for (const auto& [status, count] : others)
      notes += fmt::format("{}{} {}", notes.empty() ? "" : ", ", count, status);
    row.push_back(notes);
  }
  return table(rows, static_cast<int>(study.paths.size()));
}

std::string results_csv(const StudyRecord& study, const std::vector<RunRecord>& runs) {
  const std::vector<std::string> names = figure_names(runs);
  std::vector<std::string> heading = {"study", "run", "status"};
  heading.insert(heading.end(), study.paths.begin(), study.paths.end());
  heading.insert(heading.end(), {"seed", "epochs"});
  heading.insert(heading.end(), names.begin(), names.end());
  heading.push_back("best_epoch");
  for (const std::string& name : names) heading.push_back("best." + name);
  heading.insert(heading.end(), {"memory", "weights_sha256", "folder", "message"});
  std::string text = csv_line(heading);
  for (const RunRecord& run : runs) {
    std::vector<std::string> row = {study.name, std::to_string(run.number), run.status};
    for (const std::string& value : run.values) row.push_back(unquoted(value));
    row.insert(row.end(), {std::to_string(run.seed), std::to_string(run.epochs)});
    for (const std::string& name : names) row.push_back(number_text(find_figure(run.last, name)));
    row.push_back(std::to_string(run.best_epoch));
    for (const std::string& name : names) row.push_back(number_text(find_figure(run.best, name)));
    row.insert(row.end(),
               {fmt::format("{:.0f}", run.memory), run.weights_sha256, run.folder, run.message});
    text += csv_line(row);
  }
  return text;
}

std::string results_json(const StudyRecord& study, const std::vector<RunRecord>& runs) {
  const std::vector<std::string> names = figure_names(runs);
  Json json = {{"model", study.model}, {"study", study.name},      {"overrides", study.overrides},
               {"paths", study.paths}, {"reports", study.reports}, {"combinations", Json::array()},
               {"runs", Json::array()}};
  for (const Combination& one : combinations(runs)) {
    json["combinations"].push_back({{"values", values_json(study, one.values)},
                                    {"done", one.done},
                                    {"failed", one.failed},
                                    {"to_do", one.to_do},
                                    {"last", spreads_json(one, names, false)},
                                    {"best", spreads_json(one, names, true)}});
  }
  for (const RunRecord& run : runs) {
    json["runs"].push_back({{"run", run.number},
                            {"status", run.status},
                            {"message", run.message},
                            {"values", values_json(study, run.values)},
                            {"seed", run.seed},
                            {"epochs", run.epochs},
                            {"last", figures_json(run.last)},
                            {"best_epoch", run.best_epoch},
                            {"best", figures_json(run.best)},
                            {"memory", run.memory},
                            {"weights_sha256", run.weights_sha256},
                            {"folder", run.folder}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace strata::app
