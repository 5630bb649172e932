// trainer time: where the time of a training step goes, against what the machine could do.
#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <nlohmann/json.hpp>

#include "framework/app/files.h"
#include "framework/app/format.h"
#include "framework/app/model_files.h"
#include "framework/train/step_timing.h"

namespace strata::app {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

constexpr const char* kWorks[] = {"forward", "loss", "backward", "update"};
constexpr int kBarCells = 10;

void options(po::options_description_easy_init add) {
  add("batch", po::value<std::string>()->value_name("N"),
      "samples in a step; the file's batch size by default");
  add("steps", po::value<std::string>()->value_name("N"),
      "how many steps count; as many as take two seconds by default");
  add("trace", po::value<std::string>()->value_name("FILE"),
      "write what ran when, for chrome://tracing and ui.perfetto.dev");
  add("no-fuse", po::bool_switch(), "each layer on its own, none done together with others");
  add_threads_option(add);
  add_json_option(add);
}

// What bounds a piece of work, and how near the work comes to it.
struct Roofline {
  const char* limit = "";  // empty: nothing is known of the work
  double fraction = 0;     // of the limit's rate
};

Roofline roofline(const StepTiming::Work& work, const MachineLimits& machine) {
  const double arithmetic = work.cost.flops / machine.flops;
  const double memory = work.cost.bytes / machine.working_set_bandwidth;
  const double least = std::max(arithmetic, memory);
  if (!(work.seconds > 0) || !(least > 0)) return {};
  return {arithmetic > memory ? "arithmetic" : "memory", least / work.seconds};
}

// In eighths of a cell.
std::string bar(double fraction) {
  static constexpr const char* kParts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int eighths = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * kBarCells * 8 + 0.5);
  std::string text;
  for (int i = 0; i < eighths / 8; ++i) text += "█";
  text += kParts[eighths % 8];
  while (cells(text) < kBarCells) text += ' ';
  return text;
}

std::string number(double value) {
  return fmt::format("{:.{}f}", value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

// One unit of time for a whole table.
struct TimeUnit {
  const char* name;
  double factor;
  explicit TimeUnit(double largest)
      : name(largest < 0.1 ? "µs" : "ms"), factor(largest < 0.1 ? 1e6 : 1e3) {}
  std::string text(double seconds) const {
    return fmt::format("{:.{}f}", seconds * factor, factor < 1e6 ? 3 : 1);
  }
};

std::string share(double seconds, double step) {
  return fmt::format("{:.1f} %", step > 0 ? 100 * seconds / step : 0);
}

std::string work_table(const StepTiming& timing, const TimeUnit& time) {
  std::vector<std::vector<std::string>> rows = {
      {"layer", "work", time.name, "share", "GFLOP/s", "GB/s", "FLOP/byte", "limit", "", "of it"}};
  int before = -2;
  for (const StepTiming::Work& work : timing.works) {
    const std::string path =
        work.unit < 0 ? "all" : timing.units[static_cast<std::size_t>(work.unit)].path;
    const Roofline roof = roofline(work, timing.machine);
    const bool known = *roof.limit != 0;
    const auto rate = [&](double count) {
      return count > 0 && work.seconds > 0 ? number(count / work.seconds / 1e9) : "–";
    };
    rows.push_back({work.unit == before ? "" : path, kWorks[static_cast<int>(work.work)],
                    time.text(work.seconds), share(work.seconds, timing.step),
                    rate(work.cost.flops), rate(work.cost.bytes),
                    work.cost.flops > 0 ? number(work.cost.flops / work.cost.bytes) : "–",
                    roof.limit, known ? bar(roof.fraction) : "",
                    known ? fmt::format("{:.0f} %", 100 * roof.fraction) : ""});
    before = work.unit;
  }
  return table(rows, 2);
}

std::vector<std::pair<const char*, double>> totals_of(const StepTiming& timing) {
  return {{"input", timing.input},       {"forward", timing.forward}, {"loss", timing.loss},
          {"backward", timing.backward}, {"update", timing.update},   {"other", timing.other}};
}

double samples_per_second(const StepTiming& timing) {
  return static_cast<double>(timing.batch) / std::max(timing.step, 1e-12);
}

std::string report(const std::string& model, const StepTiming& timing) {
  const MachineLimits& machine = timing.machine;
  const TimeUnit time(timing.step);
  std::string out =
      fmt::format("{}: {} a step on {}, medians of {}\n", model, counted(timing.batch, "sample"),
                  counted(timing.threads, "thread"), counted(timing.steps, "step"));
  out += fmt::format(
      "this machine: {} GFLOP/s of matrix products, {} GB/s of main memory, {} GB/s of the {} MB "
      "that a step uses\n\n",
      number(machine.flops / 1e9), number(machine.memory_bandwidth / 1e9),
      number(machine.working_set_bandwidth / 1e9),
      number(static_cast<double>(machine.working_set) / 1e6));
  if (!timing.works.empty()) out += work_table(timing, time) + "\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, seconds] : totals_of(timing)) {
    if (name == std::string_view("update") && timing.updates_in_backward) {
      rows.push_back({name, "", "", "in backward"});
      continue;
    }
    rows.push_back({name, time.text(seconds) + " " + time.name, share(seconds, timing.step),
                    bar(seconds / std::max(timing.step, 1e-12))});
  }
  rows.push_back({"step", time.text(timing.step) + " " + time.name, "",
                  grouped(static_cast<std::int64_t>(samples_per_second(timing))) + " samples/s"});
  out += table(rows, 1);
  out += fmt::format("\nthe first step was done {} after the start of the program\n",
                     duration(timing.first_step));
  if (!timing.works.empty()) {
    out += fmt::format(
        "\nlimit: above {} FLOP/byte arithmetic is what bounds a layer, below it memory. \"of it\" "
        "is how much of\nthat limit the work reaches; data that stay in a cache can be faster.\n",
        number(machine.flops / machine.working_set_bandwidth));
  }
  return out;
}

std::string as_json(const std::string& model, Precision precision, bool fuse,
                    const StepTiming& timing) {
  const MachineLimits& machine = timing.machine;
  Json json = {{"model", model},
               {"batch_size", timing.batch},
               {"threads", timing.threads},
               {"precision", precision == Precision::kF64 ? "f64" : "f32"},
               {"fuse", fuse},
               {"steps", timing.steps},
               {"first_step_seconds", timing.first_step},
               {"step_seconds", timing.step},
               {"samples_per_second", samples_per_second(timing)},
               {"updates_in_backward", timing.updates_in_backward}};
  json["machine"] = {{"flops_per_second", machine.flops},
                     {"memory_bytes_per_second", machine.memory_bandwidth},
                     {"working_set_bytes", machine.working_set},
                     {"working_set_bytes_per_second", machine.working_set_bandwidth}};
  for (const auto& [name, seconds] : totals_of(timing)) json["total"][name] = seconds;
  json["layers"] = Json::array();
  for (const StepTiming::Work& work : timing.works) {
    const Roofline roof = roofline(work, machine);
    Json row;
    row["path"] = work.unit < 0 ? Json(nullptr)
                                : Json(timing.units[static_cast<std::size_t>(work.unit)].path);
    row["kind"] = work.unit < 0 ? Json(nullptr)
                                : Json(timing.units[static_cast<std::size_t>(work.unit)].kind);
    row["work"] = kWorks[static_cast<int>(work.work)];
    row["seconds"] = work.seconds;
    row["share"] = timing.step > 0 ? work.seconds / timing.step : 0;
    row["flops"] = work.cost.flops;
    row["bytes"] = work.cost.bytes;
    row["limit"] = *roof.limit ? Json(roof.limit) : Json(nullptr);
    row["fraction_of_limit"] = *roof.limit ? Json(roof.fraction) : Json(nullptr);
    json["layers"].push_back(std::move(row));
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

ExitCode run(Invocation& invocation) {
  const std::string& path = invocation.only_word("a model file");
  const std::int64_t batch = invocation.integer("batch", 0, 1, 1 << 24);
  const std::string trace = invocation.text("trace");
  TimingOptions timing_options;
  timing_options.steps = invocation.integer("steps", 0, 1, 1'000'000);
  timing_options.threads = invocation.threads();
  timing_options.fuse = !invocation.has("no-fuse");
  timing_options.trace = invocation.has("trace");
  if (timing_options.trace) refuse_overwriting(trace, path);
  const auto loaded = load_model(invocation, path);
  Program& program = loaded->program;
  if (batch > 0) program.train.batch_size = batch;
  const StepTiming timing = value_or_end(time_steps(program, timing_options));
  const std::string& model = program.graph.name;
  if (timing_options.trace) end_unless(write_output(trace, chrome_trace(timing, model)));
  invocation.console().out(
      invocation.has("json") ? as_json(model, program.train.precision, timing_options.fuse, timing)
                             : report(model, timing));
  return ExitCode::kDone;
}

}  // namespace

const Command kTimeCommand = {
    .name = "time",
    .summary = "show where the time of a training step goes",
    .usage = "FILE [path=value …]",
    .about =
        "Trains for some steps on weights of its own, writes no run folder, and prints for each "
        "layer how long its\n"
        "forward and backward pass and its update took, how fast that was, and how near it came "
        "to what bounds it:\n"
        "this machine's arithmetic or its memory, both measured in the same run. Layers that are "
        "done together are one\n"
        "line.\n",
    .examples =
        "time models/mnist_mlp_bn.model\n"
        "time models/mnist_mlp_bn.model --batch 1024 --threads 1\n"
        "time models/mnist_mlp_bn.model --trace steps.json\n",
    .overrides = true,
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
