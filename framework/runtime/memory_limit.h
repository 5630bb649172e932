// How much memory this process may still take.
#pragma once

#include <cstdint>
#include <string>

namespace strata {

struct MemoryLimit {
  std::int64_t bytes = 0;  // that are still free for it
  std::string source;      // what sets the limit: "the machine", "the control group"
};

// The least of what the machine has available, what the control group (v1 or v2) leaves, and the
// process's own limit of address space.
MemoryLimit available_memory();

std::int64_t resident_memory();  // bytes that this process has in memory; 0 where it is not known

}  // namespace strata
