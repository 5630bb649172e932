// Runs side by side: what was varied, which runs differ by their seed alone, and their figures as
// means over seeds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/report/run_record.h"

namespace strata::report {

// Something that was varied. Keys that always change together (those of a zip, and all that follows
// from a param) are one axis, unless they are numbers that neither grow nor fall together.
struct Axis {
  std::string key;                  // the one that stands for all
  std::string label;                // short: "batch_size"
  std::vector<std::string> also;    // the other keys
  std::vector<std::string> values;  // different ones; numbers in order, else as they first appear
};

// Runs that differ by nothing but their seed.
struct Group {
  std::string label;         // "batch_size = 50, lr = 0.01"
  std::vector<int> points;   // for each axis the index of its value
  std::vector<int> members;  // runs
  // Of each seed one run, which means and spreads are taken over: the same seed again is no further
  // evidence. The one that is done, else the one that got furthest; of equals the last.
  std::vector<int> counted;
};

// One point of a group's curve: over the runs that reached this epoch and have a finite figure.
struct CurvePoint {
  double epoch = 0, step = 0, seconds = 0;  // means
  double value = 0;                         // of a setting, where a curve goes along one
  double mean = 0, low = 0, high = 0;
  int count = 0;
};

struct Spread {
  double mean = 0, deviation = 0;  // the deviation is NaN for fewer than two
  int count = 0;
};
Spread spread_of(const std::vector<double>& values);  // those that are finite; NaN for none

struct Comparison {
  std::vector<RunRecord> runs;
  std::vector<Axis> axes;
  std::vector<Group> groups;         // in the order of the axes' values
  std::vector<int> group_of;         // for each run
  std::vector<std::string> figures;  // of all runs, validation first
  // What was measured of whole runs beside (RunRecord::measured): "gap.loss", "peak_memory".
  std::vector<std::string> measured;
  // Groups that have colours and curves of their own: all, or of many the best ones.
  std::vector<int> drawn;
  bool has_steps = false;       // whether a run noted single steps
  std::string monitor;          // the figure that says which run is best; may be empty
  bool more_is_better = false;  // of `monitor`
  int best_group = -1;          // by the mean of `monitor` at the runs' best epochs

  bool has_seeds() const;           // whether a group has several
  bool has_repeated_seeds() const;  // whether runs were left out of Group::counted
  std::vector<CurvePoint> curve(const Group& group, const std::string& figure) const;
  // Over all groups: at each epoch the median of their means, the lowest and the highest.
  std::vector<CurvePoint> range_of_groups(const std::string& figure) const;
  // The losses of single steps that were noted, likewise.
  std::vector<CurvePoint> step_curve(const Group& group) const;
  // A figure at the best epoch of each run that counts; one of `measured` of the whole run.
  std::vector<double> values_at_best(const Group& group, const std::string& figure) const;
  Spread at_best(const Group& group, const std::string& figure) const;
};

Comparison compare(std::vector<RunRecord> runs);

// A value of a setting as a number; none where it is something else.
std::optional<double> as_number(const std::string& value);

// The value of a setting, "–" where the run has none.
std::string value_of(const RunRecord& run, const std::string& key);

// Keys that do not have the same value in all runs, without those that a different call brings with
// it, in the order of the files. The seed of training is one of them where it differs.
std::vector<std::string> differing_keys(const std::vector<RunRecord>& runs);

}  // namespace strata::report
