// Where the time of a training step goes: a few steps on a copy of the weights that nobody keeps,
// watched piece by piece.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "framework/base/error.h"
#include "framework/graph/program.h"
#include "framework/runtime/executor.h"
#include "framework/runtime/machine_probe.h"
#include "framework/train/unit_cost.h"

namespace strata {

// A piece of work as it happened.
struct TimedSpan {
  static constexpr int kStep = -2, kInput = -1;  // instead of StepWatcher::Work
  int work = kStep;
  int unit = -1;
  int thread = 0;                   // 0: the one that runs the steps
  std::int64_t begin = 0, end = 0;  // nanoseconds of the steady clock
};

// Seconds of each (work, unit) in spans of one step, as far as they lie in [begin, end). A thread's
// time belongs to the innermost of its spans; where several threads are busy with different pieces,
// each piece has its part of the time, so that all add up to the time in which anything ran.
class TimeShares {
 public:
  explicit TimeShares(int units)
      : units_(units), seconds_(kWorks * static_cast<std::size_t>(units + 1)) {}

  void add(std::vector<TimedSpan> spans, std::int64_t begin, std::int64_t end);
  double of(int work, int unit) const { return seconds_[index(work, unit)]; }
  double of(int work) const;  // all units
  double busy() const;

 private:
  static constexpr std::size_t kWorks = 4;  // of StepWatcher::Work
  std::size_t index(int work, int unit) const {
    return static_cast<std::size_t>(work * (units_ + 1) + unit + 1);
  }
  int units_;
  std::vector<double> seconds_;
};

// Keeps what it is told of. The thread that makes it is number 0.
class SpanCollector final : public StepWatcher {
 public:
  SpanCollector() { threads_.push_back(std::this_thread::get_id()); }

  void on_work(const Span& span) override;
  std::vector<TimedSpan> take();  // the spans since the last call

 private:
  std::mutex mutex_;
  std::vector<std::thread::id> threads_;
  std::vector<TimedSpan> spans_;
};

struct TimingOptions {
  int threads = 0;         // 0: all
  std::int64_t steps = 0;  // that count; 0: as many as take two seconds, at least ten
  bool fuse = true;
  bool trace = false;   // whether spans are kept
  bool machine = true;  // whether the machine's limits are measured
};

struct StepTiming {
  struct Work {
    StepWatcher::Work work = StepWatcher::Work::kForward;
    int unit = -1;       // into units; -1: of no layer
    double seconds = 0;  // median over the steps
    WorkCost cost;
  };
  std::vector<Executor::Unit> units;
  std::vector<Work> works;  // what was seen, by unit, then in the order of Work
  // Weights are updated slice by slice as their gradients are made; `backward` has that work too.
  bool updates_in_backward = false;
  // Medians over the steps, in seconds. `input` is what a step waits for its batch, which is read
  // during the step before.
  double step = 0, input = 0, forward = 0, loss = 0, backward = 0, update = 0, other = 0;
  double first_step = 0;  // from the start of the process to the end of the first step
  std::int64_t steps = 0, batch = 0;
  int threads = 0;
  MachineLimits machine;
  std::vector<TimedSpan> spans;  // of the last steps, at most kTracedSteps

  static constexpr std::int64_t kTracedSteps = 100;
};

// Needs data and a train section. Writes nothing.
Result<StepTiming> time_steps(const Program& program, const TimingOptions& options);

// The spans for chrome://tracing and Perfetto (the Trace Event Format, as one JSON object).
std::string chrome_trace(const StepTiming& timing, const std::string& model);

}  // namespace strata
