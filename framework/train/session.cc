// Evaluation, weights and names of figures.
#include "framework/train/session.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "framework/graph/figures.h"
#include "framework/plugin/services.h"
#include "framework/train/checkpoint.h"
#include "framework/train/safetensors.h"

namespace strata {

Result<NamedFigures> name_figures(const Program& program, const Figures& figures,
                                  const std::string& prefix) {
  const TrainSettings& train = program.train;
  std::vector<std::vector<double>> results;  // of each metric
  for (std::size_t m = 0; m < train.metrics.size(); ++m) {
    const Term& term = train.metrics[m];
    results.emplace_back(term.plan.results.size());
    const Status done =
        call_noted(*term.instance, "results", term.instance->functions<strata_metric>().results,
                   static_cast<const double*>(figures.accumulators[m].data()), results[m].data());
    if (!done) return done.error();
  }
  const auto mean = [&](double sum) {
    return figures.samples > 0 ? sum / static_cast<double>(figures.samples) : 0;
  };
  NamedFigures named;
  for (const FigureName& figure : figure_names(train.losses, train.metrics)) {
    const auto at = [](const auto& list, int index) {
      return list[static_cast<std::size_t>(index)];
    };
    named.emplace_back(prefix + figure.name,
                       figure.metric >= 0 ? at(at(results, figure.metric), figure.result)
                       : figure.loss >= 0 ? mean(at(figures.loss_sums, figure.loss))
                                          : figures.loss(train));
  }
  return named;
}

std::int64_t evaluation_batch(std::int64_t training_batch) {
  constexpr std::int64_t kLeast = 128, kMost = 4096;
  return std::clamp(training_batch, kLeast, kMost);
}

Result<Figures> evaluate_split(
    Executor& executor, InputPipeline& pipeline, int split, std::int64_t batch_size,
    const std::function<void(std::int64_t, std::int64_t)>& progress,
    const std::function<void(const BatchView&, std::int64_t)>& on_batch) {
  const std::int64_t samples =
      pipeline.description().splits[static_cast<std::size_t>(split)].samples;
  std::vector<std::uint32_t> order(static_cast<std::size_t>(samples));
  std::iota(order.begin(), order.end(), 0u);
  const BatchPlan plan{samples, batch_size, LastBatch::kKeep};
  Figures figures = executor.make_figures();
  for (std::int64_t b = 0; b < plan.batches(); ++b) {
    auto batch = pipeline.read(split, order.data() + plan.begin(b), plan.size(b), false, 0);
    if (!batch) return batch.error();
    const Status done = executor.evaluate(*batch, figures);
    if (!done) return done.error();
    if (on_batch) on_batch(*batch, plan.begin(b));
    if (progress) progress(b + 1, plan.batches());
  }
  return figures;
}

std::vector<NamedTensor> state_tensors(const Executor& executor, const InputPipeline& pipeline) {
  std::vector<NamedTensor> all = executor.tensors();
  all.insert(all.end(), pipeline.fitted().begin(), pipeline.fitted().end());
  return all;
}

Status load_weights(const std::string& weights, Executor& executor, const InputPipeline* pipeline) {
  auto path = find_checkpoint(weights);
  if (!path) return path.error();
  auto file = read_safetensors(*path);
  if (!file) return file.error();
  return load_tensors(*file, *path,
                      pipeline ? state_tensors(executor, *pipeline) : executor.tensors(), true);
}

Result<EvalOutcome> evaluate(const Program& program, const std::string& weights,
                             const std::string& split, int threads,
                             const ExecutorOptions& options) {
  if (!program.has_data || !program.has_train) {
    return make_error(ExitCode::kModel, "evaluation needs a `data` and a `train` section");
  }
  auto pipeline = InputPipeline::open(program.data, program.train.precision, 0);
  if (!pipeline) return pipeline.error();
  const DataDescription& description = (*pipeline)->description();
  const int index = description.find_split(split);
  if (index < 0) {
    std::string names;
    for (const auto& s : description.splits) names += (names.empty() ? "`" : ", `") + s.name + "`";
    return make_error(ExitCode::kUsage, "the data set has no split `{}`; it has {}", split, names);
  }
  const std::int64_t batch_size = evaluation_batch(program.train.batch_size);
  auto executor = Executor::create(program, batch_size, false, options);
  if (!executor) return executor.error();
  const Status loaded = load_weights(weights, **executor, pipeline->get());
  if (!loaded) return loaded.error();

  ThreadPool pool(threads);
  const auto begin = std::chrono::steady_clock::now();
  Result<Figures> figures = make_error(ExitCode::kInternal, "nothing ran");
  pool.run([&] { figures = evaluate_split(**executor, **pipeline, index, batch_size, {}); });
  if (!figures) return figures.error();
  auto named = name_figures(program, *figures, "");
  if (!named) return named.error();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  return EvalOutcome{figures->samples, std::move(*named), seconds.count()};
}

Status write_initial_weights(const Program& program, std::uint64_t seed, const std::string& path) {
  auto executor = Executor::create(program, 1, false);
  if (!executor) return executor.error();
  const Status filled = (*executor)->initialize(seed);
  if (!filled) return filled;
  return write_safetensors(path, (*executor)->tensors(),
                           {{"format", "pt"},
                            {"strata.model", program.resolved},
                            {"strata.seed", std::to_string(seed)}});
}

}  // namespace strata
