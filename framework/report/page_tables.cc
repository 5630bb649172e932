// The verdict, and tables of settings and runs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/report/markup.h"
#include "framework/report/page_parts.h"

namespace strata::report {
namespace {

constexpr std::size_t kManyRows = 100;

struct Cell {
  std::string text;          // of the page, not yet escaped
  std::string exact;         // of the CSV, and what is sorted by
  int group = -1;            // whose dot stands before it
  std::string colours = {};  // class names: "bad"
};

struct Table {
  std::vector<std::string> head;
  std::vector<std::vector<Cell>> rows;
};

Cell number_cell(std::string text, double value) { return {std::move(text), plain_number(value)}; }
Cell text_cell(const std::string& text) { return {text, text}; }

std::string table_html(const Comparison& all, const Table& table, std::string_view caption,
                       std::string_view file) {
  // The browser lays a long table out when it comes into sight.
  const std::string later =
      table.rows.size() > kManyRows
          ? fmt::format(" long\" style=\"contain-intrinsic-size:auto {}px", 30 * table.rows.size())
          : std::string();
  std::string out = fmt::format(
      "<div class=\"wide{}\"><table class=\"sortable\"><caption>{}</caption><thead><tr>", later,
      html(caption));
  for (const std::string& name : table.head)
    out += "<th scope=\"col\"><button type=\"button\">" + html(name) + "</button></th>";
  out += "</tr></thead><tbody>\n";
  std::vector<std::vector<std::string>> data = {table.head};
  for (const std::vector<Cell>& cells : table.rows) {
    out += "<tr>";
    auto& row = data.emplace_back();
    for (const Cell& cell : cells) {
      row.push_back(cell.exact);
      out += "<td";
      if (cell.exact != cell.text) out += " data-v=\"" + html(cell.exact) + "\"";
      if (!cell.colours.empty()) out += " class=\"" + cell.colours + "\"";
      out += ">" + (cell.group >= 0 ? swatch(all, cell.group) : std::string()) + html(cell.text) +
             "</td>";
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n" + csv_link(file, "CSV", csv(data)) + "\n";
}

std::vector<Cell> axis_cells(const Comparison& all, int group) {
  std::vector<Cell> cells;
  const Group& own = all.groups[static_cast<std::size_t>(group)];
  for (std::size_t i = 0; i < all.axes.size(); ++i)
    cells.push_back(text_cell(all.axes[i].values[static_cast<std::size_t>(own.points[i])]));
  return cells;
}

Table settings_table(const Comparison& all) {
  Table table;
  for (const Axis& axis : all.axes) table.head.push_back(axis.label);
  table.head.push_back("runs");
  for (const auto* names : {&all.figures, &all.measured})
    for (const std::string& figure : *names) table.head.push_back(figure_label(figure));
  table.head.insert(table.head.end(), {"best epoch", "time"});
  for (std::size_t g = 0; g < all.groups.size(); ++g) {
    const Group& group = all.groups[g];
    std::vector<Cell> row = axis_cells(all, static_cast<int>(g));
    row[0].group = static_cast<int>(g);
    row.push_back(text_cell(std::to_string(group.counted.size())));
    for (const auto* names : {&all.figures, &all.measured})
      for (const std::string& figure : *names) {
        const Spread spread = all.at_best(group, figure);
        row.push_back(number_cell(spread_text(figure, spread.mean, spread.deviation), spread.mean));
      }
    std::vector<double> epochs, seconds;
    for (const int member : group.counted) {
      const RunRecord& run = all.runs[static_cast<std::size_t>(member)];
      if (run.best_epoch > 0) epochs.push_back(static_cast<double>(run.best_epoch));
      seconds.push_back(run.seconds);
    }
    const double epoch = spread_of(epochs).mean, time = spread_of(seconds).mean;
    row.push_back(number_cell(std::isfinite(epoch) ? fmt::format("{:.1f}", epoch) : "–", epoch));
    row.push_back(number_cell(duration_text(time), time));
    table.rows.push_back(std::move(row));
  }
  return table;
}

// What a study with successive halving leaves in the logs of those that do not go on, or not yet.
constexpr const char *kStopped = "stopped", *kPaused = "paused";

bool by_halving(const RunRecord& run) { return run.status == kStopped || run.status == kPaused; }

Table runs_table(const Comparison& all) {
  Table table;
  table.head = {"run"};
  for (const Axis& axis : all.axes) table.head.push_back(axis.label);
  table.head.insert(table.head.end(), {"seed", "status", "epochs", "best epoch"});
  for (const std::string& figure : all.figures)
    table.head.push_back("best " + figure_label(figure));
  for (const std::string& figure : all.figures)
    if (figure.starts_with("val.")) table.head.push_back("last " + figure_label(figure));
  for (const std::string& figure : all.measured) table.head.push_back(figure_label(figure));
  table.head.insert(table.head.end(), {"time", "samples/s"});
  for (std::size_t i = 0; i < all.runs.size(); ++i) {
    const RunRecord& run = all.runs[i];
    const int group = all.group_of[i];
    std::vector<Cell> row = {text_cell(run.name)};
    row[0].group = group;
    for (Cell& cell : axis_cells(all, group)) row.push_back(std::move(cell));
    row.push_back(text_cell(run.seed()));
    row.push_back(text_cell(run.status));
    if (run.status != "done" && !by_halving(run)) row.back().colours = "bad";
    row.push_back(text_cell(std::to_string(run.epochs.size())));
    row.push_back(text_cell(run.best_epoch > 0 ? std::to_string(run.best_epoch) : "–"));
    const EpochRecord none;
    const EpochRecord& best = run.best() ? *run.best() : none;
    const EpochRecord& last = run.epochs.empty() ? none : run.epochs.back();
    for (const std::string& figure : all.figures)
      row.push_back(number_cell(figure_text(figure, best.figure(figure)), best.figure(figure)));
    for (const std::string& figure : all.figures)
      if (figure.starts_with("val."))
        row.push_back(number_cell(figure_text(figure, last.figure(figure)), last.figure(figure)));
    for (const std::string& figure : all.measured) {
      const auto at = run.measured.find(figure);
      const double value = at == run.measured.end() ? std::nan("") : at->second;
      row.push_back(number_cell(figure_text(figure, value), value));
    }
    std::vector<double> speeds;
    for (const EpochRecord& epoch : run.epochs) speeds.push_back(epoch.samples_per_second);
    const double speed = spread_of(speeds).mean;
    row.push_back(number_cell(duration_text(run.seconds), run.seconds));
    row.push_back(number_cell(figure_text("samples_per_second", speed), speed));
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string single_verdict(const Comparison& all) {
  const RunRecord& run = all.runs[0];
  std::string status = run.status;
  if (!status.empty() && status[0] >= 'a' && status[0] <= 'z')
    status[0] = static_cast<char>(status[0] - 'a' + 'A');
  std::string out = fmt::format("<p class=\"verdict\">{} after {} in {}", html(status),
                                count_text(static_cast<std::int64_t>(run.epochs.size()), "epoch"),
                                duration_text(run.seconds));
  if (const EpochRecord* best = run.best()) {
    out += fmt::format(". Best in epoch {}:", best->epoch);
    bool first = true;
    for (const std::string& figure : all.figures) {
      if (!figure.starts_with("val.") && figure != all.monitor) continue;
      out += fmt::format("{} {} <b>{}</b>", first ? "" : ",", html(figure_label(figure)),
                         figure_text(figure, best->figure(figure)));
      first = false;
    }
  }
  out += ".</p>\n";
  if (!run.reason.empty()) out += "<p class=\"note\">" + html(run.reason) + "</p>\n";
  return out;
}

}  // namespace

std::string verdict_section(const Comparison& all) {
  if (all.runs.size() == 1) return single_verdict(all);
  std::string out =
      fmt::format("<p class=\"verdict\">{} of {}",
                  count_text(static_cast<std::int64_t>(all.runs.size()), "run"),
                  count_text(static_cast<std::int64_t>(all.groups.size()), "setting"));
  if (!all.axes.empty()) {
    out += ", varied by ";
    for (std::size_t i = 0; i < all.axes.size(); ++i)
      out += (i > 0 ? ", " : "") + ("<code>" + html(all.axes[i].key) + "</code>");
  }
  out += ". ";
  if (all.best_group >= 0) {
    const Group& best = all.groups[static_cast<std::size_t>(all.best_group)];
    const Spread spread = all.at_best(best, all.monitor);
    out += fmt::format("{} {}: <b>{}</b>", all.more_is_better ? "Highest" : "Lowest",
                       html(figure_label(all.monitor)),
                       spread_text(all.monitor, spread.mean, spread.deviation));
    if (all.groups.size() > 1) out += ", with " + swatch(all, all.best_group) + html(best.label);
    out += spread.count > 1
               ? fmt::format(" (mean ± standard deviation of {}, each at its best epoch).",
                             count_text(spread.count, "run"))
               : " (at its best epoch).";
  }
  int unfinished = 0, stopped = 0, paused = 0;
  for (const RunRecord& run : all.runs) {
    unfinished += run.status != "done" && !by_halving(run);
    stopped += run.status == kStopped;
    paused += run.status == kPaused;
  }
  for (const auto& [count, what] : {std::pair(stopped, "stopped early"), {paused, "paused"}})
    if (count > 0) out += fmt::format(" {} {} by the halving.", count_text(count, "run"), what);
  if (unfinished > 0)
    out += fmt::format(" <span class=\"bad\">{} not done; the table says which.</span>",
                       count_text(unfinished, "run"));
  return out + "</p>\n";
}

std::string measured_note(const Comparison& all) {
  std::string names;
  for (std::size_t i = 0; i < all.measured.size(); ++i)
    names += (i == 0                         ? ""
              : i + 1 == all.measured.size() ? " and "
                                             : ", ") +
             figure_label(all.measured[i]);
  return names.empty() ? "" : "Measured when a run had ended: " + html(names) + ".";
}

std::string tables_section(const Comparison& all) {
  std::string out = "<section><h2 id=\"results\">Results</h2>\n", notes;
  if (!all.measured.empty()) notes += "<p class=\"note\">" + measured_note(all) + "</p>\n";
  if (all.has_repeated_seeds())
    notes +=
        "<p class=\"note\">Of runs with the same settings and the same seed one counts: the one "
        "that got furthest, and of equals the last.</p>\n";
  if (all.has_seeds() && !all.axes.empty())
    out += table_html(all, settings_table(all),
                      "Settings: mean ± standard deviation over runs, each at its best epoch",
                      "settings.csv");
  return out +
         table_html(all, runs_table(all), "Runs, at the best epoch and at the last", "runs.csv") +
         notes + "</section>\n";
}

}  // namespace strata::report
