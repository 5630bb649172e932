// The registry of the goldens: a fixed choice of the real plugins, so that messages that list names
// stay as they are when plugins are added, and a few layers that only show how the language treats
// their like.
#pragma once

#include "framework/plugin/registry.h"

namespace strata::testing {

// Join a layer of several inputs: Add(a, b, …). Split: several outputs. Gate: two named inputs.
// Fussy refuses every option. Orphan's default names an initializer that does not exist.
const Registry& golden_registry();

}  // namespace strata::testing
