// What was run: the resolved file, how settings differ from it, and the environment.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "framework/report/line_difference.h"
#include "framework/report/markup.h"
#include "framework/report/page_parts.h"

namespace strata::report {
namespace {

constexpr std::size_t kDifferenceBytes = 30000;  // of all settings' differences
constexpr std::size_t kFileBytes = 40000;
constexpr std::size_t kMostFlaws = 10;   // of runs that are named
constexpr std::size_t kMostValues = 40;  // of a setting that are listed

std::string varied(const Comparison& all) {
  if (all.axes.empty()) return {};
  std::string out =
      "<div class=\"wide\"><table class=\"text\"><caption>What was varied</caption><thead><tr>"
      "<th scope=\"col\">setting</th><th scope=\"col\">values</th>"
      "<th scope=\"col\">changes with it</th></tr></thead><tbody>\n";
  for (const Axis& axis : all.axes) {
    std::string values, also;
    for (std::size_t i = 0; i < axis.values.size(); ++i) {
      if (axis.values.size() > kMostValues && i == kMostValues / 2) {
        values += fmt::format(", … {} more", axis.values.size() - kMostValues);
        i = axis.values.size() - kMostValues / 2;
      }
      values += (values.empty() ? "" : ", ") + ("<mark>" + html(axis.values[i]) + "</mark>");
    }
    for (const std::string& key : axis.also)
      also += (also.empty() ? "" : ", ") + ("<code>" + html(key) + "</code>");
    out += "<tr><th scope=\"row\"><code>" + html(axis.key) + "</code></th><td>" + values +
           "</td><td>" + also + "</td></tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

// The file of the first run, with the lines marked that are not the same in all runs.
std::string marked_file(const std::vector<std::string>& lines, const std::vector<bool>& marked) {
  std::string out = "<pre tabindex=\"0\">";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (out.size() > kFileBytes) {
      out += fmt::format("… and {} more lines\n", lines.size() - i);
      break;
    }
    out += marked[i] ? "<mark>" + html(lines[i]) + "</mark>\n" : html(lines[i]) + "\n";
  }
  return out + "</pre>";
}

std::string edits_text(const std::vector<LineEdit>& edits) {
  std::string out;
  for (const LineEdit& edit : edits)
    if (edit.kind != ' ')
      out += fmt::format("<{0}>{1} {2}</{0}>\n", edit.kind == '-' ? "del" : "ins", edit.kind,
                         html(edit.line));
  return out;
}

struct FactRow {
  std::string key;
  std::map<std::string, int> values;
};

std::vector<FactRow> facts_of(const Comparison& all) {
  static const std::set<std::string> kLeftOut = {"event", "seed", "resumed_from",
                                                 "start_state_sha256", "changes"};
  std::vector<FactRow> rows;
  for (const RunRecord& run : all.runs)
    for (const auto& [key, unused] : run.facts.items())
      if (!kLeftOut.contains(key) &&
          std::none_of(rows.begin(), rows.end(),
                       [&](const FactRow& row) { return row.key == key; }))
        rows.push_back({key, {}});
  for (FactRow& row : rows)
    for (const RunRecord& run : all.runs) {
      const std::string value = run.fact(row.key.c_str());
      ++row.values[value.empty() ? "not recorded" : value];
    }
  return rows;
}

}  // namespace

std::string file_section(const Comparison& all) {
  const std::vector<std::string> base = lines_of(all.runs[0].text);
  std::vector<bool> marked(base.size(), false);
  std::map<std::string, std::vector<LineEdit>> compared;  // by text, since many runs share one
  for (const RunRecord& run : all.runs) {
    const auto [at, added] = compared.try_emplace(run.text);
    if (!added) continue;
    at->second = line_difference(base, lines_of(run.text));
    std::size_t line = 0;
    for (const LineEdit& edit : at->second) {
      if (edit.kind == '-') marked[line] = true;
      line += edit.kind != '+';
    }
  }
  std::string out = "<section><h2>What was run</h2>\n" + varied(all);
  out += fmt::format("<details open><summary>The resolved file of {}{}</summary>{}</details>\n",
                     html(all.runs[0].name),
                     compared.size() > 1 ? ", with what is not the same in all runs marked" : "",
                     marked_file(base, marked));
  std::size_t bytes = 0;
  for (std::size_t g = 0; all.groups.size() > 1 && g < all.groups.size(); ++g) {
    const RunRecord& run = all.runs[static_cast<std::size_t>(all.groups[g].members[0])];
    const std::string text = edits_text(compared.at(run.text));
    if (text.empty()) continue;
    bytes += text.size();
    if (bytes > kDifferenceBytes) {
      out +=
          "<p class=\"note\">Further differences are left out; <code>trainer diff</code> shows "
          "those of any two runs.</p>\n";
      break;
    }
    out += fmt::format(
        "<details><summary>{}{}: {} against {}</summary><pre tabindex=\"0\">{}</pre></details>\n",
        swatch(all, static_cast<int>(g)), html(all.groups[g].label), html(run.name),
        html(all.runs[0].name), text);
  }
  return out + "</section>\n";
}

std::string environment_section(const Comparison& all) {
  std::string out =
      "<section><h2>Environment</h2>\n<div class=\"wide\"><table class=\"text\"><caption>What the "
      "logs say of how "
      "the runs began</caption><tbody>\n";
  std::vector<std::vector<std::string>> data = {{"fact", "value", "runs"}};
  for (const FactRow& row : facts_of(all)) {
    std::string values;
    for (const auto& [value, count] : row.values) {
      data.push_back({row.key, value, std::to_string(count)});
      if (row.values.size() == 1) {
        values = html(value);
      } else if (row.values.size() > kMostValues) {
        values = fmt::format("<mark>{} different values</mark>", row.values.size());
      } else {
        values += fmt::format("{}<mark>{}</mark> in {}", values.empty() ? "" : ", ", html(value),
                              count_text(count, "run"));
      }
    }
    out += "<tr><th scope=\"row\">" + html(figure_label(row.key)) + "</th><td>" + values +
           "</td></tr>\n";
  }
  out += "</tbody></table></div>\n" + csv_link("environment.csv", "CSV", csv(data)) + "\n";
  int resumed = 0, damaged = 0;
  std::vector<std::string> flaws;
  for (const RunRecord& run : all.runs) {
    resumed += run.resumed > 0, damaged += run.damaged_lines;
    for (const std::string& flaw : run.flaws) flaws.push_back(run.name + " " + flaw);
  }
  if (resumed > 0)
    out += fmt::format("<p class=\"note\">{} resumed.</p>\n",
                       resumed == 1 ? "One run was" : std::to_string(resumed) + " runs were");
  if (damaged > 0)
    out += fmt::format("<p class=\"note\">{} of the logs could not be read and {} left out.</p>\n",
                       count_text(damaged, "line"), damaged == 1 ? "is" : "are");
  for (std::size_t i = 0; i < std::min(flaws.size(), kMostFlaws); ++i)
    out += "<p class=\"note\">" + html(flaws[i]) + ".</p>\n";
  if (flaws.size() > kMostFlaws)
    out +=
        fmt::format("<p class=\"note\">And {} more like these.</p>\n", flaws.size() - kMostFlaws);
  return out + "</section>\n";
}

}  // namespace strata::report
