// Slices of parameters through the optimizer's rule.
#include "framework/runtime/updater.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "framework/runtime/finite.h"
#include "framework/tensor/parallel.h"

namespace strata {
namespace {

// Weights, gradient and two slots of a slice fit a core's cache together.
constexpr std::int64_t kSlice = 16384;
constexpr std::size_t kMostSlots = 8;

}  // namespace

template <class T>
Updater<T>::Updater(const Instance* optimizer) : optimizer_(optimizer) {
  if (!optimizer) return;
  const auto& table = optimizer->functions<strata_optimizer>();
  const std::int64_t slots = std::min<std::int64_t>(table.slot_count(optimizer->raw()), kMostSlots);
  for (std::int64_t s = 0; s < slots; ++s)
    slot_names_.emplace_back(table.slot_name(optimizer->raw(), s));
}

template <class T>
void Updater<T>::plan(std::vector<ParameterRun>& parameters) {
  for (ParameterRun& parameter : parameters) {
    const std::int64_t elements = parameter.tensor.shape.elements();
    for (std::int64_t begin = 0; begin < elements; begin += kSlice) {
      slices_.push_back({&parameter, begin, std::min(kSlice, elements - begin)});
    }
  }
  bad_.assign(slices_.size(), 0);
}

template <class T>
void Updater<T>::update_slice(const Slice& slice, std::int64_t step, double learning_rate) {
  const auto index = static_cast<std::size_t>(&slice - slices_.data());
  ParameterRun& parameter = *slice.parameter;
  T* gradient = static_cast<T*>(parameter.gradient) + slice.begin;
  bad_[index] = !all_finite(gradient, slice.count);
  if (!bad_[index]) {
    std::array<void*, kMostSlots> slots{};
    for (std::size_t s = 0; s < parameter.slots.size(); ++s) {
      slots[s] = static_cast<T*>(parameter.slots[s]) + slice.begin;
    }
    const strata_update_pass pass{sizeof pass,
                                  sizeof(T) == 4 ? STRATA_F32 : STRATA_F64,
                                  slice.count,
                                  learning_rate,
                                  step,
                                  parameter.decay,
                                  static_cast<T*>(parameter.tensor.data) + slice.begin,
                                  gradient,
                                  slots.data()};
    const Status done =
        call_plugin(optimizer_->functions<strata_optimizer>().update, optimizer_->raw(), &pass);
    if (!done && !failed_.exchange(true)) error_ = done.error();
  }
  std::memset(gradient, 0, static_cast<std::size_t>(slice.count) * sizeof(T));
}

template <class T>
Status Updater<T>::update(std::int64_t step, double learning_rate, const ParameterRun*& bad) {
  auto body = [&](std::int64_t task) {
    update_slice(slices_[static_cast<std::size_t>(task)], step, learning_rate);
  };
  parallel_tasks(
      static_cast<std::int64_t>(slices_.size()),
      [](void* context, std::int64_t task) { (*static_cast<decltype(body)*>(context))(task); },
      &body);
  bad = nullptr;
  for (std::size_t i = 0; i < slices_.size() && !bad; ++i) {
    if (bad_[i]) bad = slices_[i].parameter;
  }
  if (failed_) {
    failed_ = false;
    return error_;
  }
  return {};
}

template <class T>
void Updater<T>::clear_gradients() {
  for (const Slice& slice : slices_) {
    std::memset(static_cast<T*>(slice.parameter->gradient) + slice.begin, 0,
                static_cast<std::size_t>(slice.count) * sizeof(T));
  }
}

template class Updater<float>;
template class Updater<double>;

}  // namespace strata
