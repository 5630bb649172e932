// Setting up a run: what makes training impossible is said here, before a folder is made.
#include "framework/train/run_setup.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "framework/train/resume.h"
#include "framework/train/session.h"
#include "framework/train/used_plugins.h"

namespace strata {
namespace {

constexpr std::size_t kLongestName = 255;  // of a folder, on the file systems in use

Status check_name(const RunState& run) {
  const std::string& name = run.program.graph.name;
  if (!run.options.resume.empty() || !run.options.run_folder.empty() || name.size() <= kLongestName)
    return {};
  Error error = make_error(ExitCode::kModel,
                           "the model's name has {} characters, and its run folder's may have {}",
                           name.size(), kLongestName);
  error.hint = "give the model a shorter name, or name a folder for the run: --run DIR";
  return error;
}

// A batch that batch statistics cannot be made of would stop the run at the end of its first
// epoch: say so now.
Status check_batches(const RunState& run) {
  if (run.plan.batches() == 0) {
    Error error = make_error(ExitCode::kModel,
                             "no batch is left: {} samples, batch_size {} and last_batch \"drop\"",
                             run.plan.samples, run.plan.batch_size);
    error.hint = "use a smaller batch_size, or last_batch = \"keep\"";
    return error;
  }
  const std::int64_t last = run.plan.size(run.plan.batches() - 1);
  if (last > 1 && run.plan.size(0) > 1) return {};
  for (const GraphNode& node : run.program.graph.nodes) {
    if (!node.plan.has(STRATA_BATCH_STATISTICS)) continue;
    Error error = make_error(
        ExitCode::kModel, "layer `{}` ({}) normalizes over the batch, and {} has one sample",
        node.path, node.layer->entry().name(),
        run.plan.size(0) == 1
            ? "every batch"
            : fmt::format("the last batch of an epoch ({} samples, batch_size {})",
                          run.plan.samples, run.plan.batch_size));
    error.hint = run.plan.size(0) == 1
                     ? "use a batch_size of at least 2"
                     : "use last_batch = \"merge\" or \"drop\", or another batch_size";
    return error;
  }
  return {};
}

// Starting weights, by the initializers or from a file.
Status start(RunState& run) {
  const Status filled =
      run.executor->initialize(static_cast<std::uint64_t>(run.program.train.seed));
  if (!filled || run.init_file.empty()) return filled;
  const Status loaded = load_weights(run.init_file, *run.executor, nullptr);
  if (!loaded) return loaded;
  // Averages begin at the weights.
  const std::vector<NamedTensor>& tensors = run.executor->tensors();
  for (const NamedTensor& average : tensors) {
    if (average.role != TensorRole::kAverage) continue;
    for (const NamedTensor& weight : tensors) {
      if (average.name == weight.name + "/ema")
        std::memcpy(average.data, weight.data, static_cast<std::size_t>(weight.bytes()));
    }
  }
  if (run.expected_start.empty() || run.expected_start == hash_tensors(tensors)) return {};
  Error error = make_error(ExitCode::kData, "the run began with other weights than `{}` holds now",
                           run.init_file);
  error.hint = "start a new run";
  return error;
}

}  // namespace

std::int64_t RunState::steps_of(std::int64_t epochs) const {
  std::int64_t steps = 0;
  return __builtin_mul_overflow(epochs, epoch_steps, &steps)
             ? std::numeric_limits<std::int64_t>::max()
             : steps;
}

Status set_up(RunState& run) {
  if (!run.program.has_train)
    return make_error(ExitCode::kModel, "the file has no `train` section");
  Status fits = check_name(run);
  if (!fits) return fits;
  const TrainSettings& train = run.program.train;
  auto pipeline = InputPipeline::open(run.program.data, train.precision,
                                      static_cast<std::uint64_t>(train.seed));
  if (!pipeline) return pipeline.error();
  run.pipeline = std::move(*pipeline);
  const DataDescription& data = run.pipeline->description();
  run.train_split = data.find_split("train");
  run.val_split = data.find_split("val");
  if (run.train_split < 0) return make_error(ExitCode::kData, "the data set has no split `train`");
  run.monitor.emplace(run.program, run.val_split >= 0);
  const std::int64_t samples = data.splits[static_cast<std::size_t>(run.train_split)].samples;
  // A batch larger than the data is the data; with "drop" none is left, as check_batches says.
  run.plan = {
      samples,
      train.last_batch == LastBatch::kDrop ? train.batch_size : std::min(train.batch_size, samples),
      train.last_batch};
  fits = check_batches(run);
  if (!fits) return fits;
  run.epoch_steps =
      run.plan.batches() / train.accumulate + (run.plan.batches() % train.accumulate != 0);
  if (train.steps) {
    run.total_steps = *train.steps;
  } else {
    run.total_steps = run.steps_of(train.epochs.value_or(1));
  }
  run.learning_rate.emplace(run.program, run.val_split >= 0, run.epoch_steps);
  run.eval_batch = evaluation_batch(train.batch_size);
  std::optional<Checkpoint> checkpoint;
  if (!run.options.resume.empty()) {
    Status found = find_resumed(run, checkpoint);
    if (!found) return found;
  }
  auto executor = Executor::create(
      run.program, std::max(run.plan.largest(), run.val_split >= 0 ? run.eval_batch : 0), true,
      {.fuse = run.fuse});
  if (!executor) return executor.error();
  run.executor = std::move(*executor);
  run.tensors = state_tensors(*run.executor, *run.pipeline);
  auto recorder = StepRecorder::create(run.program, run.plan.largest());
  if (!recorder) return recorder.error();
  run.recorder = std::move(*recorder);
  if (run.val_split >= 0)
    run.validation = ValidationRecord::create(run.program, data, run.val_split);
  run.progress.figures = run.executor->make_figures();
  if (!checkpoint || checkpoint->progress.data.empty()) {
    Result<DataIdentity> identity = DataIdentity();
    run.pool.run([&] { identity = identify_data(run.program, *run.pipeline); });
    if (!identity) return identity.error();
    run.data = std::move(*identity);
  } else {
    run.data = checkpoint->progress.data;
  }
  if (checkpoint) return restore(run, *checkpoint);
  Status fitted;
  run.pool.run([&] { fitted = run.pipeline->fit(run.train_split); });
  if (!fitted) return fitted;
  run.progress.schedule_state = run.learning_rate->start();
  run.progress.seed = train.seed;
  run.progress.fuse = run.fuse;
  run.progress.plugins = used_plugins(run.program);
  run.progress.data = run.data;
  run.progress.source = run.program.data.source;
  return start(run);
}

}  // namespace strata
