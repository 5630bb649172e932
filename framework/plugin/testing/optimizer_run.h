// An optimizer at work on one parameter, cut into slices, for checks and tests.
#pragma once

#include <cmath>
#include <cstdint>
#include <deque>
#include <vector>

#include "framework/plugin/pass.h"
#include "framework/plugin/testing/checker.h"

namespace strata::conformance {

template <class T>
class OptimizerRun {
 public:
  // `cuts_at`: where slices begin, and the number of elements.
  OptimizerRun(const Instance& optimizer, std::vector<std::int64_t> cuts_at)
      : weights(cuts_at.back()),
        gradient(cuts_at.back()),
        optimizer_(optimizer),
        table_(optimizer.functions<strata_optimizer>()),
        cuts_(std::move(cuts_at)),
        direction_(cuts_.back()) {
    for (std::int64_t i = 0; i < table_.slot_count(optimizer.raw()); ++i)
      slots.emplace_back(cuts_.back()).fill(0);
  }

  // One step from what is in `gradient`, as the executor makes it.
  Status step(std::int64_t number, double rate, bool apply_decay) {
    double weight_norm = 0, direction_norm = 0;
    if (table_.direct) {
      Status done = over_slices(table_.direct, number, rate, apply_decay, 0, 0);
      if (!done) return done;
      weight_norm = length(weights);
      direction_norm = length(direction_);
    }
    return over_slices(table_.update, number, rate, apply_decay, weight_norm, direction_norm);
  }

  bool intact() const {
    return weights.intact() && gradient.intact() && direction_.intact() &&
           std::all_of(slots.begin(), slots.end(),
                       [](const Buffer<T>& slot) { return slot.intact(); });
  }

  Buffer<T> weights, gradient;
  std::deque<Buffer<T>> slots;
  std::int64_t (*allocations)() = nullptr;
  std::int64_t allocated = 0;  // by the optimizer

 private:
  static double length(const Buffer<T>& values) {
    double sum = 0;
    for (const T x : values.span()) sum += static_cast<double>(x) * static_cast<double>(x);
    return std::sqrt(sum);
  }

  Status over_slices(decltype(strata_optimizer::update) function, std::int64_t number, double rate,
                     bool apply_decay, double weight_norm, double direction_norm) {
    for (std::size_t c = 0; c + 1 < cuts_.size(); ++c) {
      std::vector<void*> slot_pointers;
      for (auto& slot : slots) slot_pointers.push_back(slot.data() + cuts_[c]);
      strata_update_pass raw{};
      raw.struct_size = sizeof raw;
      raw.dtype = dtype_of<T>();
      raw.count = cuts_[c + 1] - cuts_[c];
      raw.learning_rate = rate;
      raw.step = number;
      raw.apply_decay = apply_decay;
      raw.weights = weights.data() + cuts_[c];
      raw.gradient = gradient.data() + cuts_[c];
      raw.slots = slot_pointers.data();
      raw.direction = direction_.data() + cuts_[c];
      raw.weight_norm = weight_norm;
      raw.direction_norm = direction_norm;
      const std::int64_t before = allocations ? allocations() : 0;
      Status done = call_plugin(function, optimizer_.raw(), &raw);
      if (!done) return done;
      if (allocations) allocated += allocations() - before;
    }
    return {};
  }

  const Instance& optimizer_;
  const strata_optimizer& table_;
  const std::vector<std::int64_t> cuts_;
  Buffer<T> direction_;
};

}  // namespace strata::conformance
