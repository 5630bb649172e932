// Notes of running plugins, signal stacks, and the list of loaded libraries.
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <csignal>

#include "framework/plugin/services.h"

namespace strata {

constinit thread_local const Running::Call* Running::current_ = nullptr;
constinit thread_local bool Running::prepared_ = false;

namespace {

// Room for the words of a crash, and for those of a crash while saying them.
constexpr std::size_t kSignalStack = 256 << 10;

std::atomic<bool> mode_changed{false};
std::atomic<const LoadedLibrary*> newest{nullptr};

void drop_signal_stack(void* memory) {
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  ::sigaltstack(&none, nullptr);
  ::munmap(memory, kSignalStack);
}

// A key, and no thread_local object: registering the destructor of one allocates.
pthread_key_t stack_key() {
  static const pthread_key_t key = [] {
    pthread_key_t made{};
    ::pthread_key_create(&made, &drop_signal_stack);
    return made;
  }();
  return key;
}

// Widens [begin, end) to all segments of the library that holds `symbol`.
struct Extent {
  const char* symbol;
  const char *begin = nullptr, *end = nullptr;
};

int find_extent(dl_phdr_info* info, std::size_t, void* wanted) {
  auto& extent = *static_cast<Extent*>(wanted);
  const char *begin = nullptr, *end = nullptr;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD) continue;
    const char* from = reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr);
    begin = begin ? std::min(begin, from) : from;
    end = std::max(end, from + segment.p_memsz);
  }
  if (extent.symbol < begin || extent.symbol >= end) return 0;
  extent.begin = begin;
  extent.end = end;
  return 1;
}

}  // namespace

bool Running::mode_was_changed() { return mode_changed.exchange(false); }

void Running::put_mode_back(unsigned mode) {
  _mm_setcsr((_mm_getcsr() & ~kMode) | mode);
  mode_changed = true;
}

void Running::prepare_thread() {
  prepared_ = true;
  stack_t before{};
  // Somebody else's is as good.
  if (::sigaltstack(nullptr, &before) != 0 || !(before.ss_flags & SS_DISABLE)) return;
  void* memory = ::mmap(nullptr, kSignalStack, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) return;
  stack_t stack{};
  stack.ss_sp = memory;
  stack.ss_size = kSignalStack;
  if (::sigaltstack(&stack, nullptr) == 0) {
    ::pthread_setspecific(stack_key(), memory);
  } else {
    ::munmap(memory, kSignalStack);
  }
}

const LoadedLibrary* loaded_libraries() { return newest.load(std::memory_order_acquire); }

void note_loaded(const PluginLibrary& library, const void* symbol) {
  Extent extent{static_cast<const char*>(symbol)};
  ::dl_iterate_phdr(&find_extent, &extent);
  // Never freed: a crash may come at any time.
  auto* loaded = new LoadedLibrary{library, extent.begin, extent.end, newest.load()};
  newest.store(loaded, std::memory_order_release);
}

}  // namespace strata
