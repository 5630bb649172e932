// trainer lr: which learning rates train, by a short training in which the rate grows.
#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "framework/app/files.h"
#include "framework/app/format.h"
#include "framework/app/model_files.h"
#include "framework/base/utf8.h"
#include "framework/report/markup.h"
#include "framework/report/svg_files.h"
#include "framework/train/lr_range.h"

namespace strata::app {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

constexpr std::size_t kRows = 20;  // of the table for people

void options(po::options_description_easy_init add) {
  add("from", po::value<std::string>()->value_name("RATE"), "the first rate; 1e-7 by default");
  add("to", po::value<std::string>()->value_name("RATE"), "the last rate; 10 by default");
  add("steps", po::value<std::string>()->value_name("N"), "how many steps; 200 by default");
  add("init", po::value<std::string>()->value_name("WEIGHTS"),
      "start from these weights (a run folder, a checkpoint or a safetensors file)");
  add("svg", po::value<std::string>()->value_name("FILE"), "draw the losses into this file");
  add("csv", po::bool_switch(), "print all steps as CSV");
  add_threads_option(add);
  add_json_option(add);
  add_strict_option(add);
}

double rate_of(const Invocation& invocation, const char* flag, double fallback) {
  if (!invocation.has(flag)) return fallback;
  const std::string text = invocation.text(flag);
  double rate = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(rate) ||
      !(rate > 0)) {
    usage_failure(fmt::format("`--{}` is a rate above 0, not `{}`", flag, safe_text(text)));
  }
  return rate;
}

std::string rate_text(double rate) { return fmt::format("{:.2g}", rate); }

std::string as_json(const std::string& model, const LearningRateRange& range) {
  const auto or_null = [](const std::optional<double>& rate) {
    return rate ? Json(*rate) : Json(nullptr);
  };
  Json json = {{"model", model},
               {"diverged", range.diverged},
               {"fall", range.fall},
               {"noise", range.noise},
               {"steepest", or_null(range.steepest)},
               {"lowest", or_null(range.lowest)},
               {"steps", Json::array()}};
  for (const LearningRateStep& step : range.steps) {
    json["steps"].push_back(
        {{"learning_rate", step.rate}, {"loss", step.loss}, {"smooth_loss", step.smooth}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string as_csv(const LearningRateRange& range) {
  std::vector<std::vector<std::string>> rows = {{"learning_rate", "loss", "smooth_loss"}};
  for (const LearningRateStep& step : range.steps) {
    rows.push_back({fmt::format("{}", step.rate), fmt::format("{}", step.loss),
                    fmt::format("{}", step.smooth)});
  }
  return report::csv(rows);
}

std::string ending(const LearningRateRange& range, double to) {
  const std::size_t steps = range.steps.size();
  if (!range.diverged) {
    return fmt::format("the loss never grew fourfold up to {}: --to goes further\n", rate_text(to));
  }
  if (steps == 0) return "the first step diverged: --from begins with smaller rates\n";
  return fmt::format("stopped at {}: the loss had grown fourfold or was no number any more\n",
                     rate_text(range.steps.back().rate));
}

// Why no rate is suggested.
std::string nothing_to_suggest(const LearningRateRange& range) {
  const std::size_t steps = range.steps.size();
  if (steps < kFewestRateSteps) {
    return fmt::format("the test ended after {}; --from begins with smaller rates",
                       counted(static_cast<std::int64_t>(steps), "step"));
  }
  if (range.fall <= 0) return "the loss never fell";
  return fmt::format("the smoothed loss falls by {} at most, and that of single steps varies by {}",
                     figure("loss", range.fall), figure("loss", range.noise));
}

std::string suggestion(const LearningRateRange& range, bool trained) {
  if (!range.steepest) {
    std::string out = "no suggestion: " + nothing_to_suggest(range) + "\n";
    if (range.fall <= 0) return out;
    return out + (trained ? "weights that are trained already may have nothing left to learn\n"
                          : "a larger train.batch_size or more --steps tell more\n");
  }
  std::string out =
      fmt::format("suggestion: {} (the loss falls fastest)", rate_text(*range.steepest));
  if (*range.lowest < range.steps.back().rate) {
    out += fmt::format("; {} and more is too large (from there the loss rises)",
                       rate_text(*range.lowest));
  }
  return out + "\n";
}

std::string as_text(const std::string& model, std::int64_t batch, const LearningRateRange& range,
                    const LearningRateOptions& options) {
  std::string out = fmt::format("{}: {} of {}, nothing was written\n\n", model,
                                counted(static_cast<std::int64_t>(range.steps.size()), "step"),
                                counted(batch, "sample"));
  std::vector<std::vector<std::string>> rows = {{"learning rate", "loss", ""}};
  double most = 0;
  for (const LearningRateStep& step : range.steps) most = std::max(most, step.smooth);
  const std::size_t stride = std::max<std::size_t>(1, range.steps.size() / kRows);
  for (std::size_t i = 0; i < range.steps.size(); i += stride) {
    const LearningRateStep& step = range.steps[i];
    std::string bar;
    for (int cell = 0; most > 0 && cell < static_cast<int>(30 * step.smooth / most); ++cell)
      bar += "█";
    rows.push_back({rate_text(step.rate), figure("loss", step.smooth), bar});
  }
  // The bars lead the eye down the column; to the left of it all is right-aligned.
  for (std::vector<std::string>& row : rows) {
    while (cells(row[2]) < 30) row[2] += ' ';
  }
  out += table(rows, 0) + "\n" + ending(range, options.to);
  return out + suggestion(range, !options.weights.empty());
}

std::string as_svg(const std::string& model, const LearningRateRange& range) {
  report::Chart chart;
  chart.title = model + ": loss while the learning rate grows";
  chart.figure = "loss";
  chart.across = "learning rate";
  chart.text = range.steepest
                   ? fmt::format("The smoothed loss falls fastest at {} and is lowest at {}.",
                                 rate_text(*range.steepest), rate_text(*range.lowest))
                   : fmt::format("No rate is suggested: {}.", nothing_to_suggest(range));
  report::ChartLine& line = chart.lines.emplace_back();
  line.label = "loss";
  chart.low = chart.high = range.steps[0].smooth;
  for (const LearningRateStep& step : range.steps) {
    report::CurvePoint point;
    point.value = step.rate;
    point.mean = point.low = point.high = step.smooth;
    chart.low = std::min(chart.low, step.smooth), chart.high = std::max(chart.high, step.smooth);
    line.points.push_back(point);
  }
  // Powers of ten between the first rate and the last.
  chart.stops = {range.steps[0].rate};
  const double last = range.steps.back().rate;
  for (double power = std::pow(10, std::floor(std::log10(chart.stops[0])) + 1); power < last;
       power *= 10)
    chart.stops.push_back(power);
  chart.stops.push_back(last);
  return report::chart_svg(chart, report::Along::kValues, false);
}

ExitCode run(Invocation& invocation) {
  const std::string& path = invocation.only_word("a model file");
  LearningRateOptions range_options;
  range_options.threads = invocation.threads();
  range_options.from = rate_of(invocation, "from", range_options.from);
  range_options.to = rate_of(invocation, "to", range_options.to);
  range_options.steps = invocation.integer("steps", range_options.steps,
                                           static_cast<std::int64_t>(kFewestRateSteps), 1'000'000);
  range_options.weights = invocation.text("init");
  if (!(range_options.from < range_options.to)) {
    usage_failure(fmt::format("rates grow from {} to {}: `--to` has to be the larger one",
                              rate_text(range_options.from), rate_text(range_options.to)));
  }
  if (invocation.has("json") && invocation.has("csv"))
    usage_failure("`--json` and `--csv` exclude each other");
  const std::string svg = invocation.text("svg");
  if (!svg.empty()) refuse_overwriting(svg, path);
  const auto loaded = load_model(invocation, path);
  const Program& program = loaded->program;
  const std::string& model = program.graph.name;
  const LearningRateRange range = value_or_end(learning_rate_range(program, range_options));
  if (!svg.empty() && !range.steps.empty()) end_unless(write_output(svg, as_svg(model, range)));
  invocation.console().out(invocation.has("json") ? as_json(model, range)
                           : invocation.has("csv")
                               ? as_csv(range)
                               : as_text(model, program.train.batch_size, range, range_options));
  return ExitCode::kDone;
}

}  // namespace

const Command kLrCommand = {
    .name = "lr",
    .summary = "find out which learning rates train",
    .usage = "FILE [path=value …]",
    .about =
        "The learning-rate range test (Smith, 2017): trains for some steps while the rate grows "
        "from step to step, on\n"
        "weights of its own or on a copy of those that --init names, and prints the loss at each "
        "rate. A good rate is where\n"
        "the loss falls fastest. Writes no run folder.\n",
    .examples =
        "lr models/mnist_mlp_bn.model\n"
        "lr models/mnist_mlp_bn.model --svg rates.svg\n"
        "lr models/mnist_mlp_bn.model --init runs/mnist_mlp_bn/1 --from 1e-6 --to 1 --json\n",
    .overrides = true,
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
