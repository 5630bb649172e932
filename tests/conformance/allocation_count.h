// How many times the calling thread has allocated with `new`, in programs that link this.
#pragma once

#include <cstdint>

namespace strata {

std::int64_t allocation_count();

}  // namespace strata
