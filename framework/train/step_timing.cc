// The watched steps, their medians, and their trace.
#include "framework/train/step_timing.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <limits>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "framework/runtime/input_pipeline.h"
#include "framework/tensor/parallel.h"

namespace strata {
namespace {

constexpr std::int64_t kWarmUp = 3, kLeastSteps = 10;
constexpr double kSeconds = 2;  // of steps, where their number is not given

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Since the process was started, to a hundredth; field 22 of proc(5)'s stat is ticks after boot.
double process_age() {
  std::ifstream file("/proc/self/stat");
  std::string stat;
  std::getline(file, stat);
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::size_t at = name_end + 1;
  for (int field = 3; field < 22 && at != std::string::npos; ++field) at = stat.find(' ', at + 1);
  if (at == std::string::npos) return 0;
  const double ticks = std::strtod(stat.c_str() + at, nullptr);
  timespec boot{};
  clock_gettime(CLOCK_BOOTTIME, &boot);
  return static_cast<double>(boot.tv_sec) + 1e-9 * static_cast<double>(boot.tv_nsec) -
         ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const std::size_t middle = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(middle),
                   values.end());
  if (values.size() % 2 == 1) return values[middle];
  const double below =
      *std::max_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(middle));
  return (below + values[middle]) / 2;
}

// One run of steps, on the pool.
class Timer {
 public:
  Timer(const Program& program, const TimingOptions& options, Executor& executor,
        InputPipeline& pipeline, int split, const BatchPlan& plan)
      : program_(program),
        options_(options),
        executor_(executor),
        pipeline_(pipeline),
        split_(split),
        plan_(plan),
        order_(pipeline.training_order(split, 1, program.train.shuffle)),
        figures_(executor.make_figures()) {
    timing_.units = executor.units();
    timing_.batch = plan.size(0);
  }

  Status run() {
    executor_.watch(&collector_);
    Status done = steps();
    executor_.watch(nullptr);
    if (done) summarize();
    return done;
  }
  StepTiming take() { return std::move(timing_); }

 private:
  struct Step {
    std::int64_t begin = 0, read = 0, end = 0;
    std::vector<TimedSpan> spans;
  };

  Status steps() {
    Step step;
    for (std::int64_t i = 0; i < kWarmUp; ++i) {
      Status done = take_step(step);
      if (!done) return done;
      if (i == 0) timing_.first_step = process_age();
    }
    const std::int64_t begin = now();
    const auto more = [&] {
      const auto count = static_cast<std::int64_t>(steps_.size());
      if (options_.steps > 0) return count < options_.steps;
      return count < kLeastSteps || static_cast<double>(now() - begin) < 1e9 * kSeconds;
    };
    while (more()) {
      Status done = take_step(step);
      if (!done) return done;
      steps_.push_back(std::move(step));
    }
    return {};
  }

  // Whole batches in the order of an epoch, again and again.
  Status take_step(Step& step) {
    const std::int64_t whole = std::max<std::int64_t>(1, plan_.samples / plan_.batch_size);
    const auto indices = [&](std::int64_t n) { return order_.data() + plan_.begin(n % whole); };
    step.begin = now();
    auto batch = pipeline_.read(split_, indices(count_), timing_.batch, true, 1);
    if (!batch) return batch.error();
    if (pipeline_.worth_reading_ahead(timing_.batch))
      pipeline_.read_ahead(split_, indices(count_ + 1), timing_.batch, true, 1);
    step.read = now();
    Executor::StepContext context;
    context.seed = static_cast<std::uint64_t>(program_.train.seed);
    context.step = ++count_;
    context.learning_rate = 0;  // the same work, and weights that stay sound
    Status done = executor_.train_step(*batch, context, figures_);
    step.end = now();
    step.spans = collector_.take();
    return done;
  }

  void summarize() {
    const int units = static_cast<int>(timing_.units.size());
    // Seconds of each step by what they went to.
    std::map<std::pair<int, int>, std::vector<double>> works;  // by unit and work
    std::vector<double> totals[4], step_times, inputs, others;
    for (const Step& step : steps_) {
      TimeShares shares(units);
      shares.add(step.spans, step.read, step.end);
      for (int unit = -1; unit < units; ++unit) {
        for (int work = 0; work < 4; ++work) {
          const double seconds = shares.of(work, unit);
          auto known = works.find({unit, work});
          if (known == works.end() && seconds > 0)
            known = works.emplace(std::pair(unit, work), std::vector<double>()).first;
          if (known != works.end()) known->second.push_back(seconds);
        }
      }
      for (int work = 0; work < 4; ++work) totals[work].push_back(shares.of(work));
      step_times.push_back(1e-9 * static_cast<double>(step.end - step.begin));
      inputs.push_back(1e-9 * static_cast<double>(step.read - step.begin));
      others.push_back(1e-9 * static_cast<double>(step.end - step.read) - shares.busy());
    }
    for (int unit = -1; unit < units; ++unit) {
      for (int work = 0; work < 4; ++work) {
        const auto known = works.find({unit, work});
        if (known == works.end()) continue;
        timing_.works.push_back(
            {static_cast<StepWatcher::Work>(work), unit, median(known->second), cost(unit, work)});
      }
    }
    const auto updates = [](const StepTiming::Work& work) {
      return work.work == StepWatcher::Work::kUpdate;
    };
    timing_.updates_in_backward = std::none_of(timing_.works.begin(), timing_.works.end(), updates);
    for (StepTiming::Work& work : timing_.works) {
      if (!timing_.updates_in_backward || work.unit < 0) continue;
      if (work.work == StepWatcher::Work::kBackward)
        work.cost += cost(work.unit, static_cast<int>(StepWatcher::Work::kUpdate));
    }
    // Work of no layer comes after the layers.
    std::stable_partition(timing_.works.begin(), timing_.works.end(),
                          [](const StepTiming::Work& work) { return work.unit >= 0; });
    timing_.steps = static_cast<std::int64_t>(steps_.size());
    timing_.step = median(step_times);
    timing_.input = median(inputs);
    timing_.forward = median(totals[0]);
    timing_.loss = median(totals[1]);
    timing_.backward = median(totals[2]);
    timing_.update = median(totals[3]);
    timing_.other = std::max(0.0, median(others));
    if (options_.trace) keep_spans();
  }

  WorkCost cost(int unit, int work) const {
    const auto of = [&](const Executor::Unit& one) {
      const UnitCost all = cost_of(program_, executor_, one, timing_.batch);
      return work == 0 ? all.forward : work == 2 ? all.backward : all.update;
    };
    if (static_cast<StepWatcher::Work>(work) == StepWatcher::Work::kLoss)
      return loss_cost(program_, timing_.batch);
    if (unit >= 0) return of(timing_.units[static_cast<std::size_t>(unit)]);
    WorkCost sum;
    for (const Executor::Unit& one : timing_.units) sum += of(one);
    return sum;
  }

  void keep_spans() {
    const std::size_t first =
        steps_.size() - std::min<std::size_t>(steps_.size(), StepTiming::kTracedSteps);
    for (std::size_t i = first; i < steps_.size(); ++i) {
      const Step& step = steps_[i];
      const int number = static_cast<int>(i) + 1;
      timing_.spans.push_back({TimedSpan::kStep, number, 0, step.begin, step.end});
      timing_.spans.push_back({TimedSpan::kInput, -1, 0, step.begin, step.read});
      timing_.spans.insert(timing_.spans.end(), step.spans.begin(), step.spans.end());
    }
  }

  const Program& program_;
  const TimingOptions& options_;
  Executor& executor_;
  InputPipeline& pipeline_;
  int split_;
  BatchPlan plan_;
  std::vector<std::uint32_t> order_;
  Figures figures_;
  SpanCollector collector_;
  std::int64_t count_ = 0;
  std::vector<Step> steps_;
  StepTiming timing_;
};

}  // namespace

void SpanCollector::on_work(const Span& span) {
  const std::lock_guard lock(mutex_);
  const auto self = std::this_thread::get_id();
  auto thread = std::find(threads_.begin(), threads_.end(), self);
  if (thread == threads_.end()) thread = threads_.insert(threads_.end(), self);
  spans_.push_back({static_cast<int>(span.work), span.unit,
                    static_cast<int>(thread - threads_.begin()), span.begin, span.end});
}

std::vector<TimedSpan> SpanCollector::take() {
  const std::lock_guard lock(mutex_);
  std::vector<TimedSpan> spans = spans_;
  spans_.clear();
  return spans;
}

void TimeShares::add(std::vector<TimedSpan> spans, std::int64_t begin, std::int64_t end) {
  struct Edge {
    std::int64_t time;
    bool opens;
    std::size_t span;
  };
  std::vector<Edge> edges;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    spans[i].begin = std::clamp(spans[i].begin, begin, end);
    spans[i].end = std::clamp(spans[i].end, begin, end);
    if (spans[i].begin >= spans[i].end) continue;
    edges.push_back({spans[i].begin, true, i});
    edges.push_back({spans[i].end, false, i});
  }
  // Where one span ends as the next begins, the end comes first; an outer span opens first.
  std::sort(edges.begin(), edges.end(), [&](const Edge& a, const Edge& b) {
    if (a.time != b.time) return a.time < b.time;
    if (a.opens != b.opens) return b.opens;
    return a.opens && spans[a.span].end > spans[b.span].end;
  });
  std::vector<std::vector<std::size_t>> open;  // of each thread, the innermost last
  std::int64_t before = begin;
  for (const Edge& edge : edges) {
    const auto busy =
        std::count_if(open.begin(), open.end(), [](const auto& thread) { return !thread.empty(); });
    for (const auto& thread : open) {
      if (thread.empty()) continue;
      const TimedSpan& innermost = spans[thread.back()];
      seconds_[index(innermost.work, innermost.unit)] +=
          1e-9 * static_cast<double>(edge.time - before) / static_cast<double>(busy);
    }
    before = edge.time;
    const auto thread = static_cast<std::size_t>(spans[edge.span].thread);
    if (open.size() <= thread) open.resize(thread + 1);
    if (edge.opens) {
      open[thread].push_back(edge.span);
    } else {
      std::erase(open[thread], edge.span);
    }
  }
}

double TimeShares::of(int work) const {
  double sum = 0;
  for (int unit = -1; unit < units_; ++unit) sum += of(work, unit);
  return sum;
}

double TimeShares::busy() const {
  double sum = 0;
  for (const double seconds : seconds_) sum += seconds;
  return sum;
}

Result<StepTiming> time_steps(const Program& program, const TimingOptions& options) {
  if (!program.has_data || !program.has_train)
    return make_error(ExitCode::kModel, "timing needs a `data` and a `train` section");
  const TrainSettings& train = program.train;
  auto pipeline =
      InputPipeline::open(program.data, train.precision, static_cast<std::uint64_t>(train.seed));
  if (!pipeline) return pipeline.error();
  const DataDescription& data = (*pipeline)->description();
  const int split = data.find_split("train");
  if (split < 0) return make_error(ExitCode::kData, "the data set has no split `train`");
  const std::int64_t samples = data.splits[static_cast<std::size_t>(split)].samples;
  const BatchPlan plan{samples, std::min(train.batch_size, samples), LastBatch::kKeep};
  auto executor = Executor::create(program, plan.size(0), true, {.fuse = options.fuse});
  if (!executor) return executor.error();
  const Status filled = (*executor)->initialize(static_cast<std::uint64_t>(train.seed));
  if (!filled) return filled.error();

  ThreadPool pool(options.threads);
  Result<StepTiming> result = make_error(ExitCode::kInternal, "nothing ran");
  pool.run([&] {
    Timer timer(program, options, **executor, **pipeline, split, plan);
    Status done = (*pipeline)->fit(split);
    if (done) done = timer.run();
    if (!done) {
      result = done.error();
      return;
    }
    StepTiming timing = timer.take();
    timing.threads = pool.threads();
    if (options.machine)
      timing.machine =
          probe_machine(pool.threads(), train.precision, (*executor)->memory().total());
    result = std::move(timing);
  });
  return result;
}

std::string chrome_trace(const StepTiming& timing, const std::string& model) {
  static constexpr const char* kWorks[] = {"forward", "loss", "backward", "update"};
  using Json = nlohmann::ordered_json;
  Json events = Json::array();
  std::int64_t origin = std::numeric_limits<std::int64_t>::max();
  int threads = 0;
  for (const TimedSpan& span : timing.spans) {
    origin = std::min(origin, span.begin);
    threads = std::max(threads, span.thread + 1);
  }
  for (int thread = 0; thread < threads; ++thread) {
    const std::string name = thread == 0 ? "steps" : "worker " + std::to_string(thread);
    events.push_back({{"name", "thread_name"},
                      {"ph", "M"},
                      {"pid", 1},
                      {"tid", thread},
                      {"args", {{"name", name}}}});
  }
  for (const TimedSpan& span : timing.spans) {
    std::string name, kind;
    if (span.work == TimedSpan::kStep) {
      name = "step " + std::to_string(span.unit);
      kind = "step";
    } else if (span.work == TimedSpan::kInput) {
      name = kind = "input";
    } else {
      kind = kWorks[span.work];
      name = span.unit < 0 ? kind : timing.units[static_cast<std::size_t>(span.unit)].path;
    }
    Json event = {{"name", name},
                  {"cat", kind},
                  {"ph", "X"},
                  {"ts", static_cast<double>(span.begin - origin) / 1000},
                  {"dur", static_cast<double>(span.end - span.begin) / 1000},
                  {"pid", 1},
                  {"tid", span.thread}};
    if (span.work >= 0) event["args"] = {{"work", kind}};
    events.push_back(std::move(event));
  }
  const Json trace = {{"displayTimeUnit", "ms"},
                      {"otherData", {{"model", model}, {"batch_size", timing.batch}}},
                      {"traceEvents", std::move(events)}};
  return trace.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace strata
