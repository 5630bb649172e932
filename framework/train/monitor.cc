// Best epochs and early stopping.
#include "framework/train/monitor.h"

#include <cmath>

#include "framework/graph/figures.h"

namespace strata {

Monitor::Monitor(const Program& program, bool validation)
    : patience_(program.train.patience), min_delta_(program.train.min_delta) {
  const TrainSettings& train = program.train;
  const std::string split = validation ? "val." : "train.";
  for (const FigureName& figure : figure_names(train.losses, train.metrics)) {
    const bool chosen =
        train.monitor.empty()
            ? figure_.empty() || (figure.metric == 0 && figure.result == 0)
            : train.monitor == "train." + figure.name || train.monitor == "val." + figure.name;
    if (!chosen) continue;
    figure_ = train.monitor.empty() ? split + figure.name : train.monitor;
    higher_ = figure.higher_is_better;
  }
}

double Monitor::value(const EpochReport& report) const {
  for (const auto& [name, x] : report.figures) {
    if (name == figure_) return x;
  }
  return std::nan("");
}

bool Monitor::better(double now, double before, double by) const {
  if (std::isnan(now)) return false;
  return std::isnan(before) || (higher_ ? now > before + by : now < before - by);
}

void Monitor::note(EpochReport& report, Progress& progress) const {
  const double now = value(report);
  report.best = !progress.best || better(now, value(*progress.best), 0);
  if (report.best) progress.best = report;
  if (!progress.reference || better(now, *progress.reference, min_delta_)) {
    progress.reference = now;
    progress.waited = 0;
  } else {
    ++progress.waited;
  }
}

std::string Monitor::why_enough(const Progress& progress) const {
  if (!patience_ || progress.waited < *patience_) return {};
  return fmt::format("{} has not got better for {} epoch{}", figure_, progress.waited,
                     progress.waited == 1 ? "" : "s");
}

}  // namespace strata
