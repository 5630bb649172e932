// trainer report: runs as a page.
#include <boost/program_options/value_semantic.hpp>
#include <filesystem>

#include "framework/app/files.h"
#include "framework/app/format.h"
#include "framework/app/interrupt.h"
#include "framework/app/model_files.h"
#include "framework/base/utf8.h"
#include "framework/report/live/server.h"
#include "framework/report/page.h"
#include "framework/report/svg_files.h"

namespace strata::app {
namespace {

namespace po = boost::program_options;

void options(po::options_description_easy_init add) {
  add("output,o", po::value<std::string>()->value_name("FILE"),
      "write to this file; report.html in the folder that was named by default, in the current one "
      "for several");
  add("svg", po::value<std::string>()->value_name("DIR"),
      "write each chart as an SVG file into this folder instead; they can be shown on other pages");
  add("serve", po::bool_switch(),
      "show the page at an address of this machine and keep it up to date while runs train");
  add("port", po::value<std::string>()->value_name("N"),
      "where --serve listens; a free port by default");
}

// The page over HTTP until Ctrl-C, made again whenever a run has gone on.
ExitCode serve_page(Invocation& invocation) {
  const InterruptGuard interrupt("ending");
  const std::vector<std::string>& folders = invocation.words;
  value_or_end(report::read_runs(folders));  // what is wrong with them is said here, once
  const report::LivePage live = {.mark = [&] { return report::runs_mark(folders); },
                                 .page = [&]() -> Result<std::string> {
                                   auto runs = report::read_runs(folders);
                                   if (!runs) return runs.error();
                                   return report::draw_page(report::compare(std::move(*runs)),
                                                            true);
                                 }};
  report::ServeOptions options;
  options.port = static_cast<std::uint16_t>(invocation.integer("port", 0, 0, 65535));
  options.stop = &interrupt.flag();
  options.ready = [&](const std::string& url) {
    invocation.console().out(fmt::format(
        "{} shows {}; Ctrl-C ends it\n", url,
        folders.size() == 1 ? safe_text(folders[0])
                            : counted(static_cast<std::int64_t>(folders.size()), "folder")));
  };
  end_unless(report::serve(live, options));
  return ExitCode::kDone;
}

// Each chart as a file of its own.
ExitCode write_charts(Invocation& invocation, const report::Comparison& all) {
  const std::string folder = invocation.text("svg");
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed)
    usage_failure(fmt::format("cannot make the folder `{}`: {}", folder, failed.message()));
  const std::vector<report::SvgFile> files = report::svg_files(all);
  if (files.empty())
    throw Failure{
        make_error(ExitCode::kData, "there is nothing to draw: no run has finished an epoch")};
  for (const report::SvgFile& file : files)
    end_unless(write_output(folder + "/" + file.name, file.text));
  for (const report::SvgFile& file : files)
    invocation.console().out(safe_text(folder + "/" + file.name) + "\n");
  return ExitCode::kDone;
}

ExitCode run(Invocation& invocation) {
  invocation.expect_words(1, std::string::npos, "a run folder");
  for (const char* option : {"output", "svg"})
    if (invocation.has(option) && invocation.text(option).empty())
      usage_failure(fmt::format("`--{}` needs a path, and got an empty one", option));
  for (const auto& [a, b] : {std::pair("output", "svg"), {"output", "serve"}, {"svg", "serve"}})
    if (invocation.has(a) && invocation.has(b))
      usage_failure(fmt::format("`--{}` and `--{}` exclude each other", a, b));
  if (invocation.has("port") && !invocation.has("serve"))
    usage_failure("`--port` belongs to `--serve`");
  if (invocation.has("serve")) return serve_page(invocation);
  std::string output = invocation.text("output");
  if (output.empty())
    output = invocation.words.size() == 1 ? invocation.words[0] + "/report.html" : "report.html";
  const report::Comparison all = report::compare(value_or_end(report::read_runs(invocation.words)));
  if (invocation.has("svg")) return write_charts(invocation, all);
  const std::string page = report::draw_page(all);
  if (output == "-") {
    invocation.console().out(page);
    return ExitCode::kDone;
  }
  end_unless(write_output(output, page));
  invocation.console().out(fmt::format(
      "{}: {} of {}, {} KB\n", safe_text(output),
      counted(static_cast<std::int64_t>(all.runs.size()), "run"),
      counted(static_cast<std::int64_t>(all.groups.size()), "setting"), page.size() / 1000 + 1));
  return ExitCode::kDone;
}

}  // namespace

const Command kReportCommand = {
    .name = "report",
    .summary = "show runs as a page: curves, tables, what differs",
    .usage = "RUN…",
    .about =
        "Writes one HTML page about runs, with everything in it: curves over epochs, steps and "
        "seconds, tables that sort,\n"
        "a heat map where two settings were varied, the resolved file with what differs marked, "
        "and data as CSV. Runs that\n"
        "differ by their seed alone are one curve with a band. A folder that holds runs stands for "
        "all of them. Opens in\n"
        "any browser, without a network. Reads run folders only: neither the data nor the plugins "
        "have to be there.\n",
    .examples =
        "report runs/mnist_mlp_bn/1\n"
        "report runs/mnist_mlp_bn -o mnist.html\n"
        "report runs/mnist_mlp/1 runs/mnist_mlp_bn/1\n"
        "report runs/mnist_mlp_bn --svg pictures\n"
        "report runs/mnist_mlp_bn --serve --port 8080\n",
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
