// What losses and metrics are called with in their checks: values of the model (real) against
// targets (real values, or class numbers).
#pragma once

#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "framework/plugin/pass.h"
#include "framework/plugin/testing/checker.h"

namespace strata::conformance {

inline constexpr std::int64_t kBatch = 9;

// Inputs that a loss or metric may be called with, and their values for kBatch samples.
struct TargetCase {
  std::string name;
  std::vector<Input> inputs;
  std::vector<std::vector<double>> values;

  Input& add(const Shape& shape, strata_dtype dtype, bool is_target, std::int64_t classes = 0) {
    inputs.push_back({is_target ? "target" : "prediction", shape, dtype, is_target, classes});
    std::vector<double> drawn = sample_values(kBatch * shape.elements(), 40 + inputs.size());
    if (classes > 0) {
      for (std::size_t i = 0; i < drawn.size(); ++i)
        drawn[i] = static_cast<double>((7 * i + 3) % static_cast<std::size_t>(classes));
    }
    values.push_back(std::move(drawn));
    return inputs.back();
  }
};

// The case's first `samples` values as buffers of the types that a pass has.
template <class T>
struct TargetBuffers {
  TargetBuffers(const TargetCase& c, std::int64_t first, std::int64_t samples) {
    for (std::size_t i = 0; i < c.inputs.size(); ++i) {
      const std::int64_t elements = c.inputs[i].shape.elements();
      const std::span<const double> values =
          std::span(c.values[i])
              .subspan(static_cast<std::size_t>(first * elements),
                       static_cast<std::size_t>(samples * elements));
      if (c.inputs[i].dtype == STRATA_I32) {
        labels.emplace_back(samples).set(values);
        pointers.push_back(labels.back().data());
        gradients.emplace_back(0);
      } else {
        reals.emplace_back(samples * elements).set(values);
        pointers.push_back(reals.back().data());
        gradients.emplace_back(samples * elements);
      }
      shapes.push_back(plugin_internal::from_shape(c.inputs[i].shape));
    }
  }
  bool intact() const {
    const auto good = [](const auto& b) { return b.intact(); };
    return std::all_of(labels.begin(), labels.end(), good) &&
           std::all_of(reals.begin(), reals.end(), good) &&
           std::all_of(gradients.begin(), gradients.end(), good);
  }
  std::deque<Buffer<std::int32_t>> labels;
  std::deque<Buffer<T>> reals, gradients;  // gradients: one per input, empty for class numbers
  std::vector<const void*> pointers;
  std::vector<strata_shape> shapes;
};

// check(instance, its plan, inputs) for each instance and all inputs that it accepts.
void check_all_cases(
    Checker& checker,
    const std::function<void(const Instance&, const InferredPlan&, const TargetCase&)>& check);

}  // namespace strata::conformance
