// The reference page, docs/reference.md.
#pragma once

#include <string>

#include "framework/plugin/registry.h"

namespace strata::app {

// Markdown: everything registered by kind, the settings of `train`, all diagnostics.
std::string reference_page(const Registry& registry);

}  // namespace strata::app
