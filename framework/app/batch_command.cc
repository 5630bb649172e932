// trainer batch: how much memory batches of each size take, which is the largest that fits, and
// which trains fastest.
#include <sys/resource.h>

#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>

#include "framework/app/format.h"
#include "framework/app/interrupt.h"
#include "framework/app/model_files.h"
#include "framework/app/study/children.h"
#include "framework/base/utf8.h"
#include "framework/runtime/memory_limit.h"
#include "framework/train/step_timing.h"

namespace strata::app {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

constexpr double kReserve = 0.1;          // of the memory that is free: not to be touched
constexpr double kAsFast = 0.95;          // of the best rate: as good
constexpr std::int64_t kSampled = 4'096;  // samples that a probe of a small batch takes

void options(po::options_description_easy_init add) {
  add("memory", po::value<std::string>()->value_name("BYTES"),
      "how much memory there is: 512M, 8G; what is free now by default");
  add("most", po::value<std::string>()->value_name("N"),
      "the largest batch to try; all samples by default");
  add_threads_option(add);
  add_json_option(add);
  add_strict_option(add);
}

// What a child says of a batch size that it trained with.
struct Probe {
  std::int64_t batch = 0;
  double predicted = 0;  // bytes, of the whole process
  double peak = 0;       // bytes, seen; 0: not tried
  double step = 0;       // seconds
  std::string failure;   // why it did not run

  double rate() const { return step > 0 ? static_cast<double>(batch) / step : 0; }
  bool ran() const { return step > 0; }
};

double bytes_of(const Invocation& invocation) {
  const std::string text = invocation.text("memory");
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  double factor = 0;
  for (const auto& [name, size] : {std::pair<std::string_view, double>{"", 1},
                                   {"K", 1e3},
                                   {"M", 1e6},
                                   {"G", 1e9},
                                   {"T", 1e12}}) {
    if (unit == name) factor = size;
  }
  if (error != std::errc() || factor == 0 || !(number > 0)) {
    usage_failure(
        fmt::format("`--memory` is a size such as 512M or 8G, not `{}`", safe_text(text)));
  }
  return number * factor;
}

std::string megabytes(double bytes) { return fmt::format("{:.1f} MB", bytes / 1e6); }

class BatchSizes {
 public:
  BatchSizes(Invocation& invocation, const Program& program, const std::atomic<bool>& stop)
      : invocation_(invocation), program_(program), stop_(stop) {}

  ExitCode go() {
    const MemoryLimit found = available_memory();
    source_ = invocation_.has("memory") ? "--memory" : found.source;
    free_ = invocation_.has("memory") ? bytes_of(invocation_) : static_cast<double>(found.bytes);
    open();
    const std::int64_t most = invocation_.integer("most", samples_, 1);
    for (std::int64_t batch = 1; batch < std::min(most, samples_) && !stop_; batch *= 2)
      if (!probe(batch)) break;
    if (!stop_ && (probes_.empty() || probes_.back().ran())) probe(std::min(most, samples_));
    if (stop_) return ExitCode::kInterrupted;
    invocation_.console().out(invocation_.has("json") ? as_json() : as_text());
    return ExitCode::kDone;
  }

 private:
  // Reads the data once, which children share, and learns what a sample costs. The plan is a linear
  // function of the batch size, but for rounding.
  void open() {
    if (!program_.has_data || !program_.has_train) {
      throw Failure{
          make_error(ExitCode::kModel, "batch sizes need a `data` and a `train` section")};
    }
    data_ = value_or_end(InputPipeline::open(program_.data, program_.train.precision,
                                             static_cast<std::uint64_t>(program_.train.seed)));
    const DataDescription& data = data_->description();
    const int split = data.find_split("train");
    if (split < 0) throw Failure{make_error(ExitCode::kData, "the data set has no split `train`")};
    samples_ = data.splits[static_cast<std::size_t>(split)].samples;
    constexpr std::int64_t kSmall = 64;
    const double one = plan(kSmall), two = plan(2 * kSmall);
    of_sample_ = (two - one) / kSmall;
    constant_ = one - of_sample_ * kSmall + static_cast<double>(resident_memory());
  }

  double plan(std::int64_t batch) const {
    const auto executor = value_or_end(Executor::create(program_, batch, true));
    return static_cast<double>(executor->memory().total());
  }

  // Whether it fits.
  bool probe(std::int64_t batch) {
    Probe& one = probes_.emplace_back();
    one.batch = batch;
    one.predicted = constant_ + of_sample_ * static_cast<double>(batch);
    if (one.predicted > (1 - kReserve) * free_) {
      one.failure = "does not fit";
      return false;
    }
    Program program = program_;
    program.train.batch_size = batch;
    bool begun = false;
    ChildWatcher watcher;
    watcher.next = [&]() -> std::optional<ChildTask> {
      if (std::exchange(begun, true)) return std::nullopt;
      return ChildTask{0, [&program, batch](int threads, const auto&) {
                         // Where memory runs out after all, this process goes and no other.
                         std::ofstream("/proc/self/oom_score_adj") << 1000;
                         TimingOptions timing;
                         timing.threads = threads;
                         timing.machine = false;
                         timing.steps = std::clamp<std::int64_t>(kSampled / batch, 3, 200);
                         const auto steps = time_steps(program, timing);
                         return steps ? fmt::format("{}", steps->step)
                                      : "!" + steps.error().message;
                       }};
    };
    watcher.ended = [&](std::int64_t, const ChildEnd& end) {
      one.peak = end.memory;
      if (end.answer.starts_with('!'))
        one.failure = end.answer.substr(1);
      else if (end.answer.empty())
        one.failure = "the process ended by " + end.how;
      else
        one.step = std::strtod(end.answer.c_str(), nullptr);
    };
    const int threads = invocation_.threads();
    run_children(1, threads > 0 ? threads : available_threads(), &stop_, watcher);
    // A batch may be too small for the model, and a larger one is not.
    return one.ran() || batch < 2;
  }

  // The largest that ran, one by one from the sizes that were tried: what lies between is
  // predicted.
  std::int64_t largest() const {
    std::int64_t best = 0;
    for (const Probe& one : probes_) {
      if (one.ran()) best = std::max(best, one.batch);
    }
    return best;
  }
  std::int64_t largest_predicted() const {
    const double room = (1 - kReserve) * free_ - constant_;
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(room / std::max(of_sample_, 1.0)), 0,
                                    samples_);
  }
  const Probe* fastest() const {
    const Probe* best = nullptr;
    for (const Probe& one : probes_) {
      if (one.ran() && (!best || one.rate() > best->rate())) best = &one;
    }
    return best;
  }
  // The smallest that is about as fast: small batches learn more from a sample.
  const Probe* smallest_as_fast() const {
    const Probe* best = fastest();
    for (const Probe& one : probes_) {
      if (best && one.ran() && one.rate() >= kAsFast * best->rate()) return &one;
    }
    return best;
  }

  std::string as_text() const {
    std::string out = fmt::format("{}: {} are free ({}), of which {:.0f} % are left alone\n\n",
                                  program_.graph.name, megabytes(free_), source_, 100 * kReserve);
    std::vector<std::vector<std::string>> rows = {{"batch", "predicted", "seen", "samples/s", ""}};
    for (const Probe& one : probes_) {
      rows.push_back({grouped(one.batch), megabytes(one.predicted),
                      one.ran() ? megabytes(one.peak) : "–",
                      one.ran() ? grouped(static_cast<std::int64_t>(one.rate())) : "–",
                      safe_text(one.failure)});
    }
    out += table(rows, 0) + "\n";
    const Probe* best = fastest();
    if (!best) return out + "no batch size ran\n";
    const std::int64_t all = largest_predicted();
    out +=
        fmt::format("largest that was tried and fits: {}{}\n", grouped(largest()),
                    all > largest() ? fmt::format("; by prediction {} would", grouped(all)) : "");
    out += fmt::format("fastest: {}, {} samples/s\n", grouped(best->batch),
                       grouped(static_cast<std::int64_t>(best->rate())));
    const Probe* small = smallest_as_fast();
    if (small != best) {
      out += fmt::format("about as fast, and more steps an epoch: {}, {} samples/s\n",
                         grouped(small->batch), grouped(static_cast<std::int64_t>(small->rate())));
    }
    return out;
  }

  std::string as_json() const {
    Json json = {{"model", program_.graph.name},
                 {"free_bytes", free_},
                 {"limit", source_},
                 {"bytes_per_sample", of_sample_},
                 {"largest", largest()},
                 {"largest_predicted", largest_predicted()},
                 {"fastest", fastest() ? Json(fastest()->batch) : Json(nullptr)},
                 {"smallest_as_fast", fastest() ? Json(smallest_as_fast()->batch) : Json(nullptr)},
                 {"batches", Json::array()}};
    for (const Probe& one : probes_) {
      json["batches"].push_back(
          {{"batch_size", one.batch},
           {"predicted_bytes", one.predicted},
           {"peak_bytes", one.ran() ? Json(one.peak) : Json(nullptr)},
           {"samples_per_second", one.ran() ? Json(one.rate()) : Json(nullptr)},
           {"failure", one.failure}});
    }
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }

  Invocation& invocation_;
  const Program& program_;
  const std::atomic<bool>& stop_;
  std::unique_ptr<InputPipeline> data_;
  std::string source_;
  double free_ = 0, constant_ = 0, of_sample_ = 0;  // bytes
  std::int64_t samples_ = 0;
  std::vector<Probe> probes_;
};

ExitCode run(Invocation& invocation) {
  const std::string& path = invocation.only_word("a model file");
  const InterruptGuard interrupt("stopping the probe");
  const auto loaded = load_model(invocation, path);
  return BatchSizes(invocation, loaded->program, interrupt.flag()).go();
}

}  // namespace

const Command kBatchCommand = {
    .name = "batch",
    .summary = "find out which batch sizes fit and train fast",
    .usage = "FILE [path=value …]",
    .about =
        "Trains for some steps with batches of 1, 2, 4, … samples, each in a process of its own, "
        "and prints what memory they\n"
        "took, beside what was predicted from the model's buffers, and how many samples went "
        "through in a second. What would\n"
        "not fit in the memory that the machine, or the control group, has free is not tried. "
        "Writes no run folder.\n",
    .examples =
        "batch models/mnist_mlp_bn.model\n"
        "batch models/residual_cnn.model --memory 4G --most 4096\n",
    .overrides = true,
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
