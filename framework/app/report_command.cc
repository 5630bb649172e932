// trainer report: runs as a page.
#include <boost/program_options/value_semantic.hpp>

#include "framework/app/files.h"
#include "framework/app/format.h"
#include "framework/app/model_files.h"
#include "framework/base/utf8.h"
#include "framework/report/page.h"

namespace strata::app {
namespace {

namespace po = boost::program_options;

void options(po::options_description_easy_init add) {
  add("output,o", po::value<std::string>()->value_name("FILE"),
      "write to this file; report.html in the folder that was named by default, in the current one "
      "for several");
}

ExitCode run(Invocation& invocation) {
  invocation.expect_words(1, std::string::npos, "a run folder");
  std::string output = invocation.text("output");
  if (output.empty())
    output = invocation.words.size() == 1 ? invocation.words[0] + "/report.html" : "report.html";
  const report::Comparison all = report::compare(value_or_end(report::read_runs(invocation.words)));
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
        "report runs/mnist_mlp/1 runs/mnist_mlp_bn/1\n",
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
