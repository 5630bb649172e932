// Whether a fusion computes what the layers that it stands for compute.
#pragma once

#include "framework/plugin/registry.h"
#include "framework/plugin/testing/conformance.h"

namespace strata::app {

// Trains small models in f64, with the fusion and layer by layer, and adds to the report where
// weights or outputs differ. The layers are those of the examples in their own docs; where no such
// model can be made of them (an example that needs several values), the report gets no case.
void compare_fusion(const Entry& fusion, const Registry& registry, ConformanceReport& report);

}  // namespace strata::app
