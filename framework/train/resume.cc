// What a resumed run may change, and what it must not.
#include "framework/train/resume.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "framework/train/differences.h"
#include "framework/train/used_plugins.h"

namespace strata {
namespace {

// What the model in a resolved text is called.
std::string model_name(const std::string& text) {
  constexpr std::string_view kWord = "\nmodel ";
  const std::string lines = "\n" + text;
  std::size_t at = lines.find(kWord);
  if (at == std::string::npos) return {};
  at += kWord.size();
  return lines.substr(at, lines.find_first_of(" (", at) - at);
}

// Samples by their number and a checksum.
Status check_data(RunState& run, const Progress& progress) {
  if (progress.data.empty()) return {};
  Result<std::vector<std::string>> found = std::vector<std::string>();
  run.pool.run([&] { found = data_differences(progress.data, run.program, *run.pipeline); });
  if (!found) return found.error();
  if (found->empty()) return {};
  std::string lines;
  for (const std::string& line : *found) lines += "\n  " + line;
  Error error =
      make_error(ExitCode::kData, "`{}` cannot go on the same way with{}", run.run_folder, lines);
  error.hint = "give it the data it began with, or start a new run from its weights: --init " +
               run.run_folder;
  return error;
}

// A schedule that is laid out over the whole run would have gone another way.
void check_schedule(const RunState& run, const Checkpoint& checkpoint) {
  const auto log = [&](const char* key) -> std::int64_t {
    const std::size_t at = checkpoint.model_text.rfind(fmt::format("\n  {} ", key));
    if (at == std::string::npos) return 0;
    const std::size_t equals = checkpoint.model_text.find('=', at);
    return std::strtoll(checkpoint.model_text.c_str() + equals + 1, nullptr, 10);
  };
  const std::int64_t before = log("steps") > 0 ? log("steps") : run.steps_of(log("epochs"));
  const std::int64_t done = checkpoint.progress.step;
  const std::int64_t stride = std::max<std::int64_t>(1, done / 1000);
  for (std::int64_t step = 0; step < done; step += stride) {
    if (run.learning_rate->at(step, before, {}) == run.learning_rate->at(step, run.total_steps, {}))
      continue;
    run.warn(
        fmt::format("the schedule `{}` is laid out over {} steps now and was over {}: a run of "
                    "this length from the start would have had other learning rates so far",
                    run.program.train.schedule->entry().name(), run.total_steps, before));
    return;
  }
}

// What the file and overrides say now against what the run was trained with.
Status check_changes(RunState& run, const Checkpoint& checkpoint) {
  const std::string& model = run.program.graph.name;
  if (const std::string theirs = model_name(checkpoint.model_text);
      !theirs.empty() && theirs != model) {
    Error error = make_error(ExitCode::kModel, "`{}` is of the model `{}`, not of `{}`",
                             run.resumed_from, theirs, model);
    error.hint =
        "put the run's own checkpoint in its place, or start a new run: --init " + run.resumed_from;
    return error;
  }
  std::string refused;
  bool length = false;
  for (const Difference& difference : differences(checkpoint.model_text, run.program)) {
    length = length || difference.setting == "epochs" || difference.setting == "steps";
    if (difference.allowed) {
      run.facts.changes.push_back(difference.text);
    } else {
      refused += "\n  " + difference.text;
    }
  }
  if (!refused.empty()) {
    Error error = make_error(ExitCode::kModel, "`{}` cannot go on the same way with{}",
                             run.run_folder, refused);
    error.hint = "resume without these changes, or start a new run from its weights: --init " +
                 run.run_folder;
    return error;
  }
  const Status same_data = check_data(run, checkpoint.progress);
  if (!same_data) return same_data;
  const Progress& progress = checkpoint.progress;
  for (std::string& change : changed_plugins(progress.plugins, used_plugins(run.program)))
    run.facts.changes.push_back(std::move(change));
  if (length && progress.step > run.total_steps) {
    return make_error(ExitCode::kModel, "`{}` has trained for {} steps already, and {} gives {}",
                      run.run_folder, progress.step,
                      run.program.train.steps
                          ? fmt::format("train.steps={}", *run.program.train.steps)
                          : fmt::format("train.epochs={}", run.program.train.epochs.value_or(0)),
                      run.total_steps);
  }
  if (length && run.program.train.schedule) check_schedule(run, checkpoint);
  return {};
}

// The best epoch's checkpoint is made before the epoch's own; where it is older, a disk that was
// full at that time lost it.
void check_best(const RunState& run) {
  if (!run.progress.best) return;
  const std::string path = best_checkpoint(run.run_folder + "/checkpoints");
  const auto best = open_checkpoint(path);
  if (best && best->progress.step >= run.progress.best->step) return;
  run.warn(
      fmt::format("`{}` does not hold the best epoch so far, {}", path, run.progress.best->epoch));
}

// What the schedule remembers, where it does.
Status check_schedule_state(const RunState& run, const Progress& progress) {
  const std::vector<double>& state = progress.schedule_state;
  const std::size_t wanted = run.learning_rate->start().size();
  const std::string schedule = run.program.train.schedule
                                   ? run.program.train.schedule->entry().name()
                                   : std::string("no schedule");
  Error error{ExitCode::kData,
              {},
              "use another checkpoint of the run, or start a new one from its weights: --init " +
                  run.resumed_from};
  if (state.size() != wanted) {
    error.message = fmt::format("the state of `{}` in `{}` has {} numbers, not {}", schedule,
                                run.resumed_from, state.size(), wanted);
    return error;
  }
  const std::int64_t step = std::min(progress.step, run.total_steps - 1);
  const double rate = run.learning_rate->at(step, run.total_steps, state);
  if (std::isfinite(rate) && rate >= 0) return {};
  error.message = fmt::format("the state of `{}` in `{}` gives a learning rate of {}", schedule,
                              run.resumed_from, rate);
  return error;
}

}  // namespace

Status find_resumed(RunState& run, std::optional<Checkpoint>& checkpoint) {
  std::vector<std::string> damaged;
  auto path = find_checkpoint(run.options.resume, &damaged);
  if (!path && is_unstarted_run(run.options.resume)) {
    run.run_folder = run.options.resume;
    const LogFacts log = read_log(run.run_folder + "/metrics.jsonl");
    run.init_file = log.init_file;
    run.expected_start = log.init_file.empty() ? "" : log.start_hash;
    run.note(fmt::format("`{}` has no checkpoint yet: it begins again", run.options.resume));
    return {};
  }
  if (!path) return path.error();
  for (const std::string& message : damaged) run.warn(message + "; the one before it is used");
  if (*path != run.options.resume && path->ends_with("/best.safetensors")) {
    run.warn(fmt::format("`{}` has no checkpoint of a step: it goes on from the best epoch's",
                         run.options.resume));
  }
  auto run_folder = run_folder_of(*path);
  if (!run_folder) return run_folder.error();
  run.run_folder = std::move(*run_folder);
  auto opened = open_checkpoint(*path);
  if (!opened) return opened.error();
  checkpoint = std::move(*opened);
  run.resumed_from = *path;
  if (!run.options.fuse && checkpoint->progress.fuse) {
    Error error = make_error(ExitCode::kUsage,
                             "`{}` was trained with fused layers: without them it would not go on "
                             "with the same bits",
                             run.run_folder);
    error.hint = "leave --no-fuse out";
    return error;
  }
  run.fuse = checkpoint->progress.fuse;
  return check_changes(run, *checkpoint);
}

Status restore(RunState& run, Checkpoint& checkpoint) {
  const Figures& figures = checkpoint.progress.figures;
  const std::int64_t before = checkpoint.progress.step - checkpoint.progress.epoch_step;
  if (checkpoint.progress.epoch_step >= run.epoch_steps || before % run.epoch_steps != 0 ||
      before / run.epoch_steps != checkpoint.progress.epoch - 1) {
    Error error = make_error(ExitCode::kData,
                             "`{}` does not fit these data: step {} of epoch {} is its step {}",
                             run.resumed_from, checkpoint.progress.epoch_step,
                             checkpoint.progress.epoch, checkpoint.progress.step);
    error.hint = "give it the data it began with, or start a new run from its weights: --init " +
                 run.run_folder;
    return error;
  }
  bool fits = figures.loss_sums.size() == run.progress.figures.loss_sums.size() &&
              figures.accumulators.size() == run.progress.figures.accumulators.size() &&
              checkpoint.progress.step <= run.total_steps;
  for (std::size_t i = 0; fits && i < figures.accumulators.size(); ++i) {
    fits = figures.accumulators[i].size() == run.progress.figures.accumulators[i].size();
  }
  if (!fits)
    return make_error(ExitCode::kData, "the counters in `{}` do not fit its model",
                      run.resumed_from);
  if (const Status sound = check_schedule_state(run, checkpoint.progress); !sound) return sound;
  const Status loaded = load_tensors(checkpoint.file, run.resumed_from, run.tensors, false);
  if (!loaded) return loaded;
  run.progress = std::move(checkpoint.progress);
  run.progress.plugins = used_plugins(run.program);
  run.progress.data = run.data;
  run.progress.source = run.program.data.source;
  check_best(run);
  return {};
}

}  // namespace strata
