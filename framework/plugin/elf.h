// What a shared library's file says before any code of it runs: whether it is one for this machine,
// and the bytes of a data symbol.
#pragma once

#include <string>
#include <string_view>

#include "framework/base/error.h"

namespace strata {

// The bytes of the exported data symbol `symbol` in the file `bytes`, which messages call `path`.
// Every offset of the file is checked: it may be damaged. An empty string where there is no such
// symbol.
Result<std::string> elf_symbol(std::string_view bytes, const std::string& path,
                               std::string_view symbol);

}  // namespace strata
