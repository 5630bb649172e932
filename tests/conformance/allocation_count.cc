// Replaces operator new. The count is each thread's own, so that the thread pool's allocations do
// not count.
#include "tests/conformance/allocation_count.h"

#include <cstdlib>
#include <new>

namespace {
thread_local std::int64_t count = 0;
}

void* operator new(std::size_t size) {
  ++count;
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace strata {
std::int64_t allocation_count() { return count; }
}  // namespace strata
