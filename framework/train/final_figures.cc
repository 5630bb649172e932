// One executor for both modes: the training one, whose updates are never made.
#include "framework/train/final_figures.h"

#include <algorithm>
#include <numeric>

#include "framework/graph/figures.h"
#include "framework/train/session.h"

namespace strata {
namespace {

class FinalFigures {
 public:
  FinalFigures(const Program& program, const std::vector<std::string>& wanted)
      : program_(program), wanted_(wanted) {
    // Gradients that wait for a batch that never comes: no weight changes.
    program_.train.accumulate = 2;
  }

  Result<NamedFigures> go(const std::string& folder, int threads) {
    NamedFigures found;
    if (!wants(kInferenceFigure) && !wants(kTrainingFigure) && !wants(kGapFigure)) return found;
    ThreadPool pool(threads);
    Status done;
    pool.run([&] {
      done = open(folder);
      if (done) done = measure(found);
    });
    if (!done) return done.error();
    return found;
  }

 private:
  bool wants(std::string_view prefix) const {
    return std::any_of(wanted_.begin(), wanted_.end(),
                       [&](const std::string& name) { return name.starts_with(prefix); });
  }

  Status open(const std::string& folder) {
    auto pipeline = InputPipeline::open(program_.data, program_.train.precision,
                                        static_cast<std::uint64_t>(program_.train.seed));
    if (!pipeline) return pipeline.error();
    pipeline_ = std::move(*pipeline);
    train_ = pipeline_->description().find_split("train");
    val_ = pipeline_->description().find_split("val");
    eval_batch_ = evaluation_batch(program_.train.batch_size);
    std::int64_t capacity = eval_batch_;
    if (val_ >= 0) {
      // A last batch of one sample would have no statistics.
      plan_ = {pipeline_->description().splits[static_cast<std::size_t>(val_)].samples,
               program_.train.batch_size, LastBatch::kMerge};
      capacity = std::max(capacity, plan_.largest());
    }
    auto executor = Executor::create(program_, capacity, true);
    if (!executor) return executor.error();
    executor_ = std::move(*executor);
    return load_weights(folder, *executor_, pipeline_.get());
  }

  // Inference first: training mode moves the running statistics.
  Status measure(NamedFigures& found) {
    NamedFigures trained, validated, noisy;
    if (wants(kInferenceFigure) || wants(kGapFigure)) {
      const Status done = inference(train_, trained);
      if (!done) return done;
    }
    if (wants(kGapFigure) && val_ >= 0) {
      const Status done = inference(val_, validated);
      if (!done) return done;
    }
    if (wants(kTrainingFigure) && val_ >= 0) {
      const Status done = training(noisy);
      if (!done) return done;
    }
    const auto add = [&](std::string name, double value) {
      if (std::find(wanted_.begin(), wanted_.end(), name) != wanted_.end())
        found.emplace_back(std::move(name), value);
    };
    const std::vector<FigureName> names =
        figure_names(program_.train.losses, program_.train.metrics);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string& name = names[i].name;
      if (!trained.empty()) add(kInferenceFigure + ("train." + name), trained[i].second);
      if (!noisy.empty()) add(kTrainingFigure + ("val." + name), noisy[i].second);
      if (trained.empty() || validated.empty()) continue;
      const double worse = validated[i].second - trained[i].second;
      add(kGapFigure + name, names[i].higher_is_better ? 0 - worse : worse);
    }
    return {};
  }

  Status name(const Figures& figures, NamedFigures& into) const {
    auto named = name_figures(program_, figures, "");
    if (!named) return named.error();
    into = std::move(*named);
    return {};
  }

  Status inference(int split, NamedFigures& into) {
    auto figures = evaluate_split(*executor_, *pipeline_, split, eval_batch_, {});
    return figures ? name(*figures, into) : Status(figures.error());
  }

  Status training(NamedFigures& into) {
    Figures figures = executor_->make_figures();
    std::vector<std::uint32_t> order(static_cast<std::size_t>(plan_.samples));
    std::iota(order.begin(), order.end(), 0u);
    for (std::int64_t b = 0; b < plan_.batches(); ++b) {
      auto batch = pipeline_->read(val_, order.data() + plan_.begin(b), plan_.size(b), false, 0);
      if (!batch) return batch.error();
      Executor::StepContext context;
      context.seed = static_cast<std::uint64_t>(program_.train.seed);
      context.batch = b + 1;
      context.samples = plan_.size(b);
      context.update = false;
      const Status done = executor_->train_step(*batch, context, figures);
      if (!done) return done;
    }
    return name(figures, into);
  }

  Program program_;
  const std::vector<std::string>& wanted_;
  std::unique_ptr<InputPipeline> pipeline_;
  std::unique_ptr<Executor> executor_;
  BatchPlan plan_;
  int train_ = -1, val_ = -1;
  std::int64_t eval_batch_ = 0;
};

}  // namespace

Result<NamedFigures> final_figures(const Program& program, const std::string& folder,
                                   const std::vector<std::string>& wanted, int threads) {
  return FinalFigures(program, wanted).go(folder, threads);
}

}  // namespace strata
