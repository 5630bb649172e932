// What this machine can do at most, measured: the two limits of a roofline (Williams, Waterman and
// Patterson, 2009, doi:10.1145/1498765.1498785).
#pragma once

#include <cstdint>

#include "framework/graph/program.h"

namespace strata {

struct MachineLimits {
  int threads = 0;
  double flops = 0;             // a second, of the product kernel at the shape that suits it best
  double memory_bandwidth = 0;  // bytes a second to and from main memory
  double working_set_bandwidth = 0;  // the same for data that were in use a moment ago
  std::int64_t working_set = 0;      // bytes of those data
};

// Takes about `seconds`, on the pool that runs the caller. `working_set`: the bytes that a step of
// training goes through; what fits a cache moves faster than main memory does.
MachineLimits probe_machine(int threads, Precision precision, std::int64_t working_set,
                            double seconds = 0.3);

}  // namespace strata
