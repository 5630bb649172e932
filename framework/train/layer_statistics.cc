// A step on a plan that shows its values.
#include "framework/train/layer_statistics.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace strata {
namespace {

constexpr std::int64_t kLanes = 8;  // sums side by side, so that they vectorize; added in order

template <class T, class Term>
double sum_of(const T* values, std::int64_t count, Term&& term) {
  double lanes[kLanes] = {};
  const std::int64_t whole = count - count % kLanes;
  for (std::int64_t i = 0; i < whole; i += kLanes)
    for (std::int64_t lane = 0; lane < kLanes; ++lane)
      lanes[lane] += term(static_cast<double>(values[i + lane]));
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  for (std::int64_t i = whole; i < count; ++i) sum += term(static_cast<double>(values[i]));
  return sum;
}

}  // namespace

template <class T>
Moments moments_of(const T* values, std::int64_t count) {
  Moments found;
  found.count = count;
  if (count == 0) return found;
  const auto size = static_cast<double>(count);
  const double mean = sum_of(values, count, [](double x) { return x; }) / size;
  found.mean = mean;
  found.deviation =
      std::sqrt(sum_of(values, count, [mean](double x) { return (x - mean) * (x - mean); }) / size);
  found.zeros = static_cast<double>(std::count(values, values + count, T(0))) / size;
  return found;
}

template Moments moments_of(const float*, std::int64_t);
template Moments moments_of(const double*, std::int64_t);

Result<std::unique_ptr<LayerProbe>> LayerProbe::create(const Program& program,
                                                       std::int64_t capacity) {
  std::unique_ptr<LayerProbe> probe(new LayerProbe());
  probe->precision_ = program.train.precision;
  ExecutorOptions options;
  options.fuse = false;
  options.values = probe.get();
  auto executor = Executor::create(program, capacity, true, options);
  if (!executor) return executor.error();
  probe->executor_ = std::move(*executor);
  for (const Executor::Unit& unit : probe->executor_->units())
    probe->units_.push_back({unit.path, unit.kind, {}, {}, {}});
  return probe;
}

bool LayerProbe::measure(const std::vector<NamedTensor>& tensors, const BatchView& batch,
                         const Executor::StepContext& context) {
  const std::vector<NamedTensor>& mine = executor_->tensors();
  for (std::size_t t = 0; t < mine.size(); ++t)
    std::memcpy(mine[t].data, tensors[t].data, static_cast<std::size_t>(mine[t].bytes()));
  for (LayerStatistics& unit : units_) {
    unit.activation = unit.gradient = {};
    unit.parameters.clear();
  }
  Executor::StepContext alone = context;  // of several batches of a step this one counts
  alone.samples = 0;
  alone.update = true;
  Figures unread = executor_->make_figures();
  const Status done = executor_->train_step(batch, alone, unread);
  layers_.clear();
  if (!done) return false;
  for (const LayerStatistics& unit : units_)
    if (unit.activation.count > 0) layers_.push_back(unit);
  return true;
}

Moments LayerProbe::moments(const void* values, std::int64_t count) const {
  return precision_ == Precision::kF64 ? moments_of(static_cast<const double*>(values), count)
                                       : moments_of(static_cast<const float*>(values), count);
}

void LayerProbe::on_output(int unit, const void* values, std::int64_t count) {
  units_[static_cast<std::size_t>(unit)].activation = moments(values, count);
}

void LayerProbe::on_output_gradient(int unit, const void* values, std::int64_t count) {
  units_[static_cast<std::size_t>(unit)].gradient = moments(values, count);
}

void LayerProbe::on_parameter(int unit, const NamedTensor& parameter, const void* gradient) {
  LayerStatistics& layer = units_[static_cast<std::size_t>(unit)];
  const std::int64_t count = parameter.shape.elements();
  layer.parameters.push_back({parameter.name.substr(parameter.name.rfind('.') + 1),
                              moments(parameter.data, count), moments(gradient, count)});
}

}  // namespace strata
