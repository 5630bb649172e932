// How many times the calling thread, or the whole process, has allocated with `new`, in programs
// that link this.
#pragma once

#include <cstdint>

namespace strata {

std::int64_t allocation_count();
std::int64_t process_allocation_count();

}  // namespace strata
