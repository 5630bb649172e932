// Figures of a comparison's groups: curves and values over the runs that count.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "framework/report/comparison.h"

namespace strata::report {

Spread spread_of(const std::vector<double>& values) {
  Spread spread;
  double sum = 0;
  for (const double value : values)
    if (std::isfinite(value)) sum += value, ++spread.count;
  const double none = std::numeric_limits<double>::quiet_NaN();
  spread.mean = spread.count > 0 ? sum / spread.count : none;
  double squares = 0;
  for (const double value : values)
    if (std::isfinite(value)) squares += (value - spread.mean) * (value - spread.mean);
  spread.deviation = spread.count > 1 ? std::sqrt(squares / (spread.count - 1)) : none;
  return spread;
}

namespace {

// Adds a run's value to the point over all runs.
void add_value(CurvePoint& point, double value, double step, double seconds) {
  point.low = point.count == 0 ? value : std::min(point.low, value);
  point.high = point.count == 0 ? value : std::max(point.high, value);
  point.mean += value;
  point.step += step;
  point.seconds += seconds;
  ++point.count;
}

std::vector<CurvePoint> averaged(const std::map<std::int64_t, CurvePoint>& points) {
  std::vector<CurvePoint> curve;
  for (const auto& [unused, sums] : points) {
    CurvePoint& point = curve.emplace_back(sums);
    point.mean /= point.count;
    point.step /= point.count;
    point.seconds /= point.count;
  }
  return curve;
}

}  // namespace

std::vector<CurvePoint> Comparison::step_curve(const Group& group) const {
  std::map<std::int64_t, CurvePoint> points;
  for (const int member : group.counted) {
    const RunRecord& run = runs[static_cast<std::size_t>(member)];
    const auto length = run.facts.find("steps_per_epoch");
    const double epoch = length != run.facts.end() && length->is_number_integer()
                             ? std::max(1.0, length->get<double>())
                             : 0;
    for (const StepRecord& step : run.steps) {
      if (!std::isfinite(step.loss)) continue;
      CurvePoint& point = points[step.step];
      add_value(point, step.loss, static_cast<double>(step.step), step.elapsed);
      point.epoch =
          epoch > 0 ? static_cast<double>(step.step) / epoch : static_cast<double>(step.epoch);
    }
  }
  return averaged(points);
}

std::vector<CurvePoint> Comparison::curve(const Group& group, const std::string& figure) const {
  std::map<std::int64_t, CurvePoint> points;
  for (const int member : group.counted) {
    for (const EpochRecord& epoch : runs[static_cast<std::size_t>(member)].epochs) {
      const double value = epoch.figure(figure);
      if (!std::isfinite(value)) continue;
      CurvePoint& point = points[epoch.epoch];
      add_value(point, value, static_cast<double>(epoch.step), epoch.elapsed);
      point.epoch = static_cast<double>(epoch.epoch);
    }
  }
  return averaged(points);
}

std::vector<CurvePoint> Comparison::range_of_groups(const std::string& figure) const {
  std::map<double, std::vector<CurvePoint>> epochs;
  for (const Group& group : groups)
    for (const CurvePoint& point : curve(group, figure)) epochs[point.epoch].push_back(point);
  std::vector<CurvePoint> range;
  for (auto& [epoch, points] : epochs) {
    std::sort(points.begin(), points.end(),
              [](const CurvePoint& a, const CurvePoint& b) { return a.mean < b.mean; });
    const std::size_t middle = points.size() / 2;
    CurvePoint& point = range.emplace_back();
    point.epoch = epoch;
    point.count = static_cast<int>(points.size());
    point.mean = points.size() % 2 == 1 ? points[middle].mean
                                        : (points[middle - 1].mean + points[middle].mean) / 2;
    point.low = points.front().mean, point.high = points.back().mean;
    for (const CurvePoint& one : points)
      point.step += one.step / point.count, point.seconds += one.seconds / point.count;
  }
  return range;
}

std::vector<double> Comparison::values_at_best(const Group& group,
                                               const std::string& figure) const {
  std::vector<double> values;
  for (const int member : group.counted) {
    const RunRecord& run = runs[static_cast<std::size_t>(member)];
    const auto measured_one = run.measured.find(figure);
    if (measured_one != run.measured.end()) {
      values.push_back(measured_one->second);
    } else if (const EpochRecord* best = run.best()) {
      values.push_back(best->figure(figure));
    }
  }
  return values;
}

Spread Comparison::at_best(const Group& group, const std::string& figure) const {
  return spread_of(values_at_best(group, figure));
}

bool Comparison::has_seeds() const {
  return std::any_of(groups.begin(), groups.end(),
                     [](const Group& group) { return group.counted.size() > 1; });
}

bool Comparison::has_repeated_seeds() const {
  return std::any_of(groups.begin(), groups.end(), [](const Group& group) {
    return group.counted.size() < group.members.size();
  });
}

}  // namespace strata::report
