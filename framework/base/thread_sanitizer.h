// Tells ThreadSanitizer of hand-overs between threads that go through TBB's library, which is not
// instrumented: without, every task looks like a race with whoever started it. Files that use it
// are compiled without instrumentation of their own (TBB's templates are in them) and with
// STRATA_THREAD_SANITIZER where it is on; elsewhere nothing is left of it.
#pragma once

#if defined(STRATA_THREAD_SANITIZER)
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif

namespace strata {

// All that this thread did so far is seen by whoever calls hand_over_received(place) afterwards.
inline void hand_over([[maybe_unused]] const void* place) {
#if defined(STRATA_THREAD_SANITIZER)
  __tsan_release(const_cast<void*>(place));
#endif
}
inline void hand_over_received([[maybe_unused]] const void* place) {
#if defined(STRATA_THREAD_SANITIZER)
  __tsan_acquire(const_cast<void*>(place));
#endif
}

}  // namespace strata
