// Steps with growing rates, and what they show.
#include "framework/train/lr_range.h"

#include <algorithm>
#include <cmath>

#include "framework/runtime/executor.h"
#include "framework/runtime/input_pipeline.h"
#include "framework/tensor/parallel.h"
#include "framework/train/session.h"

namespace strata {
namespace {

constexpr double kKept = 0.95;        // of the exponential mean at each step
constexpr double kTooLarge = 4;       // times the lowest loss
constexpr std::size_t kSettled = 10;  // steps before the mean says something
constexpr std::size_t kSlope = 5;     // steps to each side over which a slope is taken
// Losses that only scatter, by whatever distribution, have a smooth curve of a few hundred steps
// that falls by more than this share of their deviation in 1 case of 100.
constexpr double kNoise = 1.5;
constexpr double kLeastFall = 0.01;  // of the loss

class RangeTest {
 public:
  RangeTest(const Program& program, const LearningRateOptions& options, Executor& executor,
            InputPipeline& pipeline, int split, const BatchPlan& plan)
      : program_(program),
        options_(options),
        executor_(executor),
        pipeline_(pipeline),
        split_(split),
        plan_(plan) {}

  Status run(LearningRateRange& range) {
    double mean = 0, weight = 0, best = 0;
    for (std::int64_t step = 0; step < options_.steps; ++step) {
      LearningRateStep one;
      const double share = options_.steps > 1
                               ? static_cast<double>(step) / static_cast<double>(options_.steps - 1)
                               : 0;
      one.rate = options_.from * std::pow(options_.to / options_.from, share);
      Figures figures = executor_.make_figures();
      const Status done = take_step(step + 1, one.rate, figures);
      if (!done && done.error().code == ExitCode::kDiverged) {
        range.diverged = true;
        break;
      }
      if (!done) return done;
      one.loss = figures.loss(program_.train);
      mean = kKept * mean + (1 - kKept) * one.loss;
      weight = kKept * weight + (1 - kKept);
      one.smooth = mean / weight;
      range.steps.push_back(one);
      best = step == 0 ? one.smooth : std::min(best, one.smooth);
      if (one.smooth > kTooLarge * best && best > 0) {
        range.diverged = true;
        break;
      }
    }
    suggest_rates(range);
    return {};
  }

 private:
  Status take_step(std::int64_t step, double rate, Figures& figures) {
    Executor::StepContext context;
    context.seed = static_cast<std::uint64_t>(program_.train.seed);
    context.step = step;
    context.learning_rate = rate;
    const std::int64_t accumulate = program_.train.accumulate;
    context.samples = accumulate * plan_.batch_size;
    for (std::int64_t a = 0; a < accumulate; ++a) {
      const std::int64_t epoch = 1 + next_ / plan_.batches(), batch = next_ % plan_.batches();
      if (batch == 0) order_ = pipeline_.training_order(split_, epoch, program_.train.shuffle);
      auto view = pipeline_.read(split_, order_.data() + plan_.begin(batch), plan_.size(batch),
                                 true, epoch);
      if (!view) return view.error();
      context.batch = ++next_;
      context.update = a + 1 == accumulate;
      const Status done = executor_.train_step(*view, context, figures);
      if (!done) return done;
    }
    return {};
  }

  const Program& program_;
  const LearningRateOptions& options_;
  Executor& executor_;
  InputPipeline& pipeline_;
  int split_;
  BatchPlan plan_;
  std::vector<std::uint32_t> order_;
  std::int64_t next_ = 0;  // batch
};

// From differences of neighbours (von Neumann, 1941), which a trend hardly touches.
double deviation_of_steps(const std::vector<LearningRateStep>& steps,
                          std::vector<LearningRateStep>::const_iterator end) {
  double squares = 0;
  for (auto at = steps.begin() + 1; at != end; ++at)
    squares += (at->loss - (at - 1)->loss) * (at->loss - (at - 1)->loss);
  return std::sqrt(squares / (2 * static_cast<double>(end - steps.begin() - 1)));
}

}  // namespace

void suggest_rates(LearningRateRange& range) {
  const std::vector<LearningRateStep>& steps = range.steps;
  if (steps.size() < kFewestRateSteps) return;
  const auto less = [](const LearningRateStep& a, const LearningRateStep& b) {
    return a.smooth < b.smooth;
  };
  const auto settled = steps.begin() + kSettled;
  const auto lowest = std::min_element(settled, steps.end(), less);
  const auto highest = std::max_element(settled, lowest + 1, less);
  range.fall = highest->smooth - lowest->smooth;
  range.noise = deviation_of_steps(steps, std::max(lowest, settled + kSlope));
  if (range.fall <= kNoise * range.noise || range.fall < kLeastFall * std::abs(highest->smooth))
    return;
  const auto end = static_cast<std::size_t>(lowest - steps.begin());
  double steepest = 0;
  for (std::size_t i = kSettled; i < end; ++i) {
    const LearningRateStep& before = steps[i - std::min(i, kSlope)];
    const LearningRateStep& after = steps[std::min(i + kSlope, steps.size() - 1)];
    const double slope = (after.smooth - before.smooth) / std::log(after.rate / before.rate);
    if (slope >= steepest) continue;
    steepest = slope;
    range.steepest = steps[i].rate;
  }
  if (range.steepest) range.lowest = lowest->rate;
}

Result<LearningRateRange> learning_rate_range(const Program& program,
                                              const LearningRateOptions& options) {
  if (!program.has_data || !program.has_train) {
    return make_error(ExitCode::kModel,
                      "a learning-rate range test needs a `data` and a `train` section");
  }
  const TrainSettings& train = program.train;
  if (!train.optimizer->call().option("lr")) {
    return make_error(ExitCode::kModel, "`{}` has no learning rate",
                      train.optimizer->entry().name());
  }
  auto pipeline =
      InputPipeline::open(program.data, train.precision, static_cast<std::uint64_t>(train.seed));
  if (!pipeline) return pipeline.error();
  const DataDescription& data = (*pipeline)->description();
  const int split = data.find_split("train");
  if (split < 0) return make_error(ExitCode::kData, "the data set has no split `train`");
  const std::int64_t samples = data.splits[static_cast<std::size_t>(split)].samples;
  // All batches of one size, so that losses compare.
  const BatchPlan plan{samples, std::min(train.batch_size, samples), LastBatch::kDrop};
  auto executor = Executor::create(program, plan.batch_size, true);
  if (!executor) return executor.error();
  Status ready = (*executor)->initialize(static_cast<std::uint64_t>(train.seed));
  if (!ready) return ready.error();
  ThreadPool pool(options.threads);
  if (options.weights.empty()) {
    pool.run([&] { ready = (*pipeline)->fit(split); });
  } else {
    ready = load_weights(options.weights, **executor, pipeline->get());
  }
  if (!ready) return ready.error();
  LearningRateRange range;
  pool.run(
      [&] { ready = RangeTest(program, options, **executor, **pipeline, split, plan).run(range); });
  if (!ready) return ready.error();
  return range;
}

}  // namespace strata
