// Replaces operator new. A thread's own count leaves out what the thread pool's other threads do.
#include "tests/conformance/allocation_count.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
thread_local std::int64_t count = 0;
std::atomic<std::int64_t> process_count{0};
}  // namespace

void* operator new(std::size_t size) {
  ++count;
  process_count.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++count;
  process_count.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(size ? size : 1);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  ++count;
  process_count.fetch_add(1, std::memory_order_relaxed);
  const auto align = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(align, (size + align - 1) / align * align)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace strata {
std::int64_t allocation_count() { return count; }
std::int64_t process_allocation_count() { return process_count; }
}  // namespace strata
