// Which epoch is best, and when there is no hope left: the figure that `train.monitor` names.
#pragma once

#include <optional>
#include <string>

#include "framework/graph/program.h"
#include "framework/train/checkpoint.h"

namespace strata {

// A figure of the run that something depends on.
struct MonitoredFigure {
  std::string name;  // "val.accuracy"
  bool higher_is_better = false;
  double value(const EpochReport& report) const;  // NaN where it has no such figure
};
// The one of this name. Without a name: what `train.monitor` says, else the first metric, else the
// loss, of validation, or of training where there is no validation.
MonitoredFigure monitored_figure(const TrainSettings& train, bool validation,
                                 const std::string& name);

class Monitor {
 public:
  Monitor(const Program& program, bool validation);

  const std::string& figure() const { return figure_.name; }
  // Whether a value of the figure is as good as `target`.
  bool reaches(double value, double target) const {
    return figure_.higher_is_better ? value >= target : value <= target;
  }
  // Notes a finished epoch: says in `report.best` whether it is the best so far, and moves what
  // patience counts.
  void note(EpochReport& report, Progress& progress) const;
  // Why training ends here, though epochs are left; empty where it goes on.
  std::string why_enough(const Progress& progress) const;

 private:
  bool better(double now, double before, double by) const;

  MonitoredFigure figure_;
  std::optional<std::int64_t> patience_;
  double min_delta_ = 0;
};

}  // namespace strata
