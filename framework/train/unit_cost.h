// How much arithmetic and how much traffic a step cannot do without, unit by unit: what measured
// times are held against.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/runtime/executor.h"

namespace strata {

struct WorkCost {
  double flops = 0;
  double bytes = 0;  // each operand once: inputs, outputs, weights, gradients, slots
  WorkCost& operator+=(const WorkCost& other) {
    flops += other.flops;
    bytes += other.bytes;
    return *this;
  }
};

struct UnitCost {
  WorkCost forward, backward, update;
};

// Of one step with `batch` samples. What a unit keeps to itself (values that only its own layers
// read) is not counted, nor are operations of updates.
UnitCost cost_of(const Program& program, const Executor& executor, const Executor::Unit& unit,
                 std::int64_t batch);
// The losses: they read the model's outputs and write their gradients.
WorkCost loss_cost(const Program& program, std::int64_t batch);

}  // namespace strata
