// Best epochs and early stopping.
#include "framework/train/monitor.h"

#include <cmath>

#include "framework/graph/figures.h"

namespace strata {

MonitoredFigure monitored_figure(const TrainSettings& train, bool validation,
                                 const std::string& name) {
  const std::string& wanted = name.empty() ? train.monitor : name;
  const std::string split = validation ? "val." : "train.";
  MonitoredFigure found;
  for (const FigureName& figure : figure_names(train.losses, train.metrics)) {
    const bool chosen = wanted.empty()
                            ? found.name.empty() || (figure.metric == 0 && figure.result == 0)
                            : wanted == "train." + figure.name || wanted == "val." + figure.name;
    if (!chosen) continue;
    found.name = wanted.empty() ? split + figure.name : wanted;
    found.higher_is_better = figure.higher_is_better;
  }
  return found;
}

double MonitoredFigure::value(const EpochReport& report) const {
  for (const auto& [figure, x] : report.figures) {
    if (figure == name) return x;
  }
  return std::nan("");
}

Monitor::Monitor(const Program& program, bool validation)
    : figure_(monitored_figure(program.train, validation, {})),
      patience_(program.train.patience),
      min_delta_(program.train.min_delta) {}

bool Monitor::better(double now, double before, double by) const {
  if (std::isnan(now)) return false;
  return std::isnan(before) || (figure_.higher_is_better ? now > before + by : now < before - by);
}

void Monitor::note(EpochReport& report, Progress& progress) const {
  const double now = figure_.value(report);
  report.best = !progress.best || better(now, figure_.value(*progress.best), 0);
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
  return fmt::format("{} has not got better for {} epoch{}", figure_.name, progress.waited,
                     progress.waited == 1 ? "" : "s");
}

}  // namespace strata
