// Slices of parameters through clipping, the optimizer's rule and the moving average.
#include "framework/runtime/updater.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "framework/base/pattern.h"
#include "framework/plugin/services.h"
#include "framework/runtime/finite.h"
#include "framework/tensor/parallel.h"

namespace strata {
namespace {

// Weights, gradient and two slots of a slice fit a core's cache together.
constexpr std::int64_t kSlice = 16384;

// In f64, in eight fixed lanes.
template <class T>
double sum_of_squares(const T* values, std::int64_t count) {
  double lanes[8] = {};
  for (std::int64_t e = 0; e < count; ++e) {
    const auto x = static_cast<double>(values[e]);
    lanes[e % 8] += x * x;
  }
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

}  // namespace

template <class T>
Updater<T>::Updater(const TrainSettings* train, bool keep) : train_(train) {
  if (!train) return;
  optimizer_ = train->optimizer.get();
  direct_ = optimizer_->functions<strata_optimizer>().direct;
  keeps_gradients_ = keep || train->accumulate > 1 || train->clip_norm.has_value() || direct_;
  slot_names_ = strata::slot_names(*optimizer_);
}

template <class T>
void Updater<T>::plan(GraphBuffers& buffers) {
  parameters_ = &buffers.parameters;
  for (ParameterRun& parameter : buffers.parameters) {
    parameter.no_decay = fits_any(train_->no_decay, parameter.tensor.name);
    for (const RateScale& scale : train_->lr_scale) {
      if (fits_pattern(scale.pattern, parameter.tensor.name)) parameter.rate_factor = scale.factor;
    }
    if (parameter.frozen || !buffers.units[static_cast<std::size_t>(parameter.unit)].backward)
      continue;
    const std::int64_t elements = parameter.tensor.shape.elements();
    for (std::int64_t begin = 0; begin < elements; begin += kSlice) {
      slices_.push_back({&parameter, begin, std::min(kSlice, elements - begin)});
    }
  }
  sums_.assign(slices_.size(), 0);
  if (!direct_) return;
  weight_sums_.assign(slices_.size(), 0);
  lengths_.assign(buffers.parameters.size(), {});
}

template <class T>
template <class Body>
void Updater<T>::over(const std::vector<Slice>& slices, Body&& body) {
  auto task = [&](std::int64_t i) {
    body(slices[static_cast<std::size_t>(i)], static_cast<std::size_t>(i));
  };
  parallel_tasks(
      static_cast<std::int64_t>(slices.size()),
      [](void* context, std::int64_t i) { (*static_cast<decltype(task)*>(context))(i); }, &task);
}

template <class T>
void Updater<T>::begin(std::int64_t step, double learning_rate, bool first, bool last) {
  step_ = step;
  learning_rate_ = learning_rate;
  first_ = first;
  last_ = last;
  bad_ = static_cast<int>(parameters_->size());
}

template <class T>
bool Updater<T>::check(const ParameterRun& parameter, const T* gradient, std::int64_t count) {
  if (all_finite(gradient, count)) return true;
  const int index = index_of(parameter);
  int before = bad_;
  while (index < before && !bad_.compare_exchange_weak(before, index)) {
  }
  return false;
}

template <class T>
void Updater<T>::clip_by_value(T* gradient, std::int64_t count) const {
  if (!train_->clip_value) return;
  const T most = static_cast<T>(*train_->clip_value);
  for (std::int64_t i = 0; i < count; ++i)
    gradient[i] = std::min(std::max(gradient[i], -most), most);
}

template <class T>
void Updater<T>::call(decltype(strata_optimizer::update) function, ParameterRun& parameter,
                      std::int64_t begin, std::int64_t count, T* gradient) {
  std::array<void*, kMostSlots> slots{};
  for (std::size_t s = 0; s < parameter.slots.size(); ++s)
    slots[s] = static_cast<T*>(parameter.slots[s]) + begin;
  strata_update_pass pass{};
  pass.struct_size = sizeof pass;
  pass.dtype = sizeof(T) == 4 ? STRATA_F32 : STRATA_F64;
  pass.count = count;
  pass.learning_rate = learning_rate_ * parameter.rate_factor;
  pass.step = step_;
  pass.apply_decay = parameter.plan->decay && !parameter.no_decay;
  pass.no_decay = parameter.no_decay;
  pass.weights = static_cast<T*>(parameter.tensor.data) + begin;
  pass.gradient = gradient;
  pass.slots = slots.data();
  if (direct_) {
    const Lengths& lengths = lengths_[static_cast<std::size_t>(index_of(parameter))];
    pass.direction = gradient;
    pass.weight_norm = lengths.weights;
    pass.direction_norm = lengths.direction;
  }
  const Status done =
      call_noted(*optimizer_, function == direct_ ? "direct" : "update", function, &pass);
  if (!done) {
    const std::lock_guard lock(failing_);
    if (failure_) failure_ = done;
  }
}

template <class T>
void Updater<T>::update(ParameterRun& parameter, std::int64_t begin, std::int64_t count,
                        T* gradient) {
  if (!direct_) clip_by_value(gradient, count);
  call(optimizer_->functions<strata_optimizer>().update, parameter, begin, count, gradient);
  if (!parameter.average) return;
  const T* weights = static_cast<const T*>(parameter.tensor.data) + begin;
  T* average = static_cast<T*>(parameter.average) + begin;
  const T take = static_cast<T>(1 - *train_->ema);
  for (std::int64_t i = 0; i < count; ++i) average[i] += take * (weights[i] - average[i]);
}

// Directions in place of the gradients, and the lengths of whole parameters and directions: sums of
// slices in the slices' order.
template <class T>
void Updater<T>::find_directions() {
  over(slices_, [&](const Slice& slice, std::size_t i) {
    T* gradient = static_cast<T*>(slice.parameter->gradient) + slice.begin;
    clip_by_value(gradient, slice.count);
    call(direct_, *slice.parameter, slice.begin, slice.count, gradient);
    sums_[i] = sum_of_squares(gradient, slice.count);
    weight_sums_[i] = sum_of_squares(
        static_cast<const T*>(slice.parameter->tensor.data) + slice.begin, slice.count);
  });
  std::fill(lengths_.begin(), lengths_.end(), Lengths());
  for (std::size_t i = 0; i < slices_.size(); ++i) {
    Lengths& lengths = lengths_[static_cast<std::size_t>(index_of(*slices_[i].parameter))];
    lengths.weights += weight_sums_[i];
    lengths.direction += sums_[i];
  }
  for (Lengths& lengths : lengths_) {
    lengths.weights = std::sqrt(lengths.weights);
    lengths.direction = std::sqrt(lengths.direction);
  }
}

template <class T>
void Updater<T>::receive(ParameterRun& parameter, std::int64_t begin, std::int64_t count,
                         T* values) {
  if (parameter.frozen) return;
  if (!keeps_gradients_) {
    if (check(parameter, values, count)) update(parameter, begin, count, values);
    return;
  }
  T* gradient = static_cast<T*>(parameter.gradient) + begin;
  if (first_) {
    std::copy(values, values + count, gradient);
  } else {
    for (std::int64_t i = 0; i < count; ++i) gradient[i] += values[i];
  }
}

template <class T>
void Updater<T>::finish(ParameterRun& parameter) {
  if (keeps_gradients_ || parameter.frozen) return;
  const std::int64_t elements = parameter.tensor.shape.elements();
  auto task = [&](std::int64_t i) {
    const std::int64_t begin = i * kSlice, count = std::min(kSlice, elements - begin);
    T* gradient = static_cast<T*>(parameter.gradient) + begin;
    if (check(parameter, gradient, count)) update(parameter, begin, count, gradient);
  };
  parallel_tasks((elements + kSlice - 1) / kSlice,
                 [](void* context, std::int64_t i) { (*static_cast<decltype(task)*>(context))(i); },
                 &task);
}

// Sums of squares of slices, added in the slices' order.
template <class T>
void Updater<T>::clip_by_norm() {
  over(slices_, [&](const Slice& slice, std::size_t i) {
    sums_[i] =
        sum_of_squares(static_cast<const T*>(slice.parameter->gradient) + slice.begin, slice.count);
  });
  double squares = 0;
  for (const double sum : sums_) squares += sum;
  const double norm = std::sqrt(squares);
  if (!(norm > *train_->clip_norm)) return;
  const T factor = static_cast<T>(*train_->clip_norm / norm);
  over(slices_, [&](const Slice& slice, std::size_t) {
    T* gradient = static_cast<T*>(slice.parameter->gradient) + slice.begin;
    for (std::int64_t e = 0; e < slice.count; ++e) gradient[e] *= factor;
  });
}

template <class T>
Status Updater<T>::end(int& bad) {
  if (keeps_gradients_ && last_) {
    over(slices_, [&](const Slice& slice, std::size_t) {
      check(*slice.parameter, static_cast<const T*>(slice.parameter->gradient) + slice.begin,
            slice.count);
    });
    if (bad_ == static_cast<int>(parameters_->size())) {
      if (train_->clip_norm) clip_by_norm();
      if (direct_) find_directions();
      over(slices_, [&](const Slice& slice, std::size_t) {
        update(*slice.parameter, slice.begin, slice.count,
               static_cast<T*>(slice.parameter->gradient) + slice.begin);
      });
    }
    clear_gradients();
  }
  bad = bad_ < static_cast<int>(parameters_->size()) ? bad_.load() : -1;
  const Status done = failure_;
  failure_ = {};
  return done;
}

template <class T>
void Updater<T>::clear_gradients() {
  if (!keeps_gradients_) return;
  for (const Slice& slice : slices_) {
    std::memset(static_cast<T*>(slice.parameter->gradient) + slice.begin, 0,
                static_cast<std::size_t>(slice.count) * sizeof(T));
  }
}

template <class T>
void Updater<T>::swap_averages() {
  if (!parameters_) return;
  for (ParameterRun& parameter : *parameters_) {
    if (!parameter.average) continue;
    T* weights = static_cast<T*>(parameter.tensor.data);
    std::swap_ranges(weights, weights + parameter.tensor.shape.elements(),
                     static_cast<T*>(parameter.average));
  }
}

template class Updater<float>;
template class Updater<double>;

}  // namespace strata
