// What a shared library offers, checked and copied into tables of this program's layout.
#pragma once

#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/plugin/abi.h"

namespace strata {

// Copies live until the program ends, as the library does. Fails with a sentence on the first thing
// that is not sane: a null, an unknown kind, an option whose default is not allowed.
Result<std::vector<const strata_entry*>> copy_tables(const strata_library& library,
                                                     const std::string& path);

}  // namespace strata
