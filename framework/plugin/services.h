// The host's side of strata_services: parallel tasks, matrix products and random streams for
// plugins.
#pragma once

#include "framework/plugin/abi.h"

namespace strata {

// Needs no host pointer: tasks run on the pool that runs the caller.
const strata_services& host_services();

}  // namespace strata
