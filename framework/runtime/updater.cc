// Slices of parameters through clipping, the optimizer's rule and the moving average.
#include "framework/runtime/updater.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "framework/plugin/services.h"
#include "framework/runtime/finite.h"
#include "framework/tensor/parallel.h"

namespace strata {
namespace {

// Weights, gradient and two slots of a slice fit a core's cache together.
constexpr std::int64_t kSlice = 16384;

}  // namespace

template <class T>
Updater<T>::Updater(const TrainSettings* train) : train_(train) {
  if (!train) return;
  optimizer_ = train->optimizer.get();
  keeps_gradients_ = train->accumulate > 1 || train->clip_norm.has_value();
  slot_names_ = strata::slot_names(*optimizer_);
}

template <class T>
void Updater<T>::plan(GraphBuffers& buffers) {
  parameters_ = &buffers.parameters;
  for (ParameterRun& parameter : buffers.parameters) {
    if (!buffers.units[static_cast<std::size_t>(parameter.unit)].backward) continue;
    const std::int64_t elements = parameter.tensor.shape.elements();
    for (std::int64_t begin = 0; begin < elements; begin += kSlice) {
      slices_.push_back({&parameter, begin, std::min(kSlice, elements - begin)});
    }
  }
  sums_.assign(slices_.size(), 0);
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
  const int index = static_cast<int>(&parameter - parameters_->data());
  int before = bad_;
  while (index < before && !bad_.compare_exchange_weak(before, index)) {
  }
  return false;
}

template <class T>
void Updater<T>::update(ParameterRun& parameter, std::int64_t begin, std::int64_t count,
                        T* gradient) {
  if (train_->clip_value) {
    const T most = static_cast<T>(*train_->clip_value);
    for (std::int64_t i = 0; i < count; ++i)
      gradient[i] = std::min(std::max(gradient[i], -most), most);
  }
  std::array<void*, kMostSlots> slots{};
  for (std::size_t s = 0; s < parameter.slots.size(); ++s)
    slots[s] = static_cast<T*>(parameter.slots[s]) + begin;
  T* weights = static_cast<T*>(parameter.tensor.data) + begin;
  const strata_update_pass pass{sizeof pass,
                                sizeof(T) == 4 ? STRATA_F32 : STRATA_F64,
                                count,
                                learning_rate_,
                                step_,
                                parameter.plan->decay,
                                weights,
                                gradient,
                                slots.data(),
                                0,
                                nullptr,
                                0,
                                0};
  const Status done =
      call_noted(*optimizer_, "update", optimizer_->functions<strata_optimizer>().update, &pass);
  if (!done) {
    const std::lock_guard lock(failing_);
    if (failure_) failure_ = done;
  }
  if (!parameter.average) return;
  T* average = static_cast<T*>(parameter.average) + begin;
  const T take = static_cast<T>(1 - *train_->ema);
  for (std::int64_t i = 0; i < count; ++i) average[i] += take * (weights[i] - average[i]);
}

template <class T>
void Updater<T>::receive(ParameterRun& parameter, std::int64_t begin, std::int64_t count,
                         T* values) {
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
  if (keeps_gradients_) return;
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

// Sums of squares of slices in f64, added in the slices' order.
template <class T>
void Updater<T>::clip_by_norm() {
  over(slices_, [&](const Slice& slice, std::size_t i) {
    const T* gradient = static_cast<const T*>(slice.parameter->gradient) + slice.begin;
    double lanes[8] = {};
    for (std::int64_t e = 0; e < slice.count; ++e) {
      const auto x = static_cast<double>(gradient[e]);
      lanes[e % 8] += x * x;
    }
    sums_[i] = ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
               ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
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
