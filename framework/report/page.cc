// The page around its sections.
#include "framework/report/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/base/atomic_file.h"
#include "framework/base/version.h"
#include "framework/report/chart.h"
#include "framework/report/markup.h"
#include "framework/report/page_assets.h"
#include "framework/report/page_parts.h"

namespace strata::report {
namespace {

std::string title_of(const Comparison& all) {
  if (all.runs.size() == 1) return all.runs[0].name;
  std::string model = all.runs[0].fact("model");
  for (const RunRecord& run : all.runs)
    if (run.fact("model") != model)
      return count_text(static_cast<std::int64_t>(all.runs.size()), "run");
  return fmt::format("{}: {}", model,
                     count_text(static_cast<std::int64_t>(all.runs.size()), "run"));
}

}  // namespace

std::string csv_link(std::string_view name, std::string_view label, std::string_view text) {
  return fmt::format("<a class=\"csv\" download=\"{}\" href=\"{}\">{}</a>", html(name),
                     csv_uri(text), html(label));
}

std::string data_link(std::string_view whole, std::string_view columns, std::string_view run) {
  return fmt::format("<a class=\"csv part\" data-figures=\"{}\"{} href=\"#{}\">CSV</a>",
                     html(columns), run.empty() ? "" : " data-run=\"" + html(run) + "\"", whole);
}

std::string swatch(const Comparison& all, int group) {
  if (!std::binary_search(all.drawn.begin(), all.drawn.end(), group)) return {};
  return fmt::format("<i class=\"dot g{}\" aria-hidden=\"true\"></i>", group);
}

std::string draw_page(const Comparison& all, bool live) {
  const std::string title = html(title_of(all));
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=\"color-scheme\" content=\"light dark\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
         "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:" +
         std::string(live ? "; connect-src 'self'" : "") +
         "\">\n"
         "<link rel=\"icon\" href=\"data:,\">\n<title>" +
         title + "</title>\n<style>\n" + kPageStyle + line_colours("g", all.drawn) +
         "\n</style>\n</head>\n<body>\n<header>\n<h1>" + title + "</h1>\n" + verdict_section(all) +
         "</header>\n<main>\n" + curves_section(all) + values_section(all) +
         heat_maps_section(all) + tables_section(all) + predictions_section(all) +
         layers_section(all) + file_section(all) + environment_section(all) +
         "</main>\n<footer>Made by <code>trainer report</code>, strata " + kVersion +
         ".</footer>\n<script>\n" + kPageScript + (live ? kPageLiveScript : "") +
         "</script>\n</body>\n</html>\n";
}

Status write_run_page(const std::string& folder) {
  auto runs = read_runs({folder});
  if (!runs) return runs.error();
  return write_file_atomically(folder + "/report.html", draw_page(compare(std::move(*runs))));
}

}  // namespace strata::report
