// Every second value of a line, taken out and put back: what a stride of two does to images.
// Depends on the standard library alone.
#pragma once

#include <cstdint>
#include <cstring>

namespace strata::plugins {

template <class T>
struct EverySecond {
  typedef T Eight __attribute__((vector_size(8 * sizeof(T))));

  // to[i] = from[2 i] for i in [0, count); nothing behind from[2 count - 2] is read.
  static void take(const T* from, std::int64_t count, T* to) {
    std::int64_t i = 0;
    for (; i + 8 <= count; i += 8) {
      Eight low, high;
      load(from + 2 * i, low);
      load(from + 2 * i + 7, high);
      store(to + i, __builtin_shufflevector(low, high, 0, 2, 4, 6, 9, 11, 13, 15));
    }
    for (; i < count; ++i) to[i] = from[2 * i];
  }

  // to[2 i + phase] = from[i], or += where `accumulate`, for all of those in [0, size). Without
  // `accumulate` phase 0 comes first: it may clear what is phase 1's.
  static void put(const T* from, std::int64_t phase, std::int64_t size, bool accumulate, T* to) {
    if (phase == 0) {
      accumulate ? blocks<0, true>(from, size, to) : blocks<0, false>(from, size, to);
    } else {
      blocks<1, true>(from, size, to);
    }
    for (std::int64_t i = size / 16 * 8; 2 * i + phase < size; ++i) {
      T& value = to[2 * i + phase];
      value = accumulate ? value + from[i] : from[i];
    }
  }

 private:
  template <int phase, bool add>
  static void blocks(const T* from, std::int64_t size, T* to) {
    const Eight none = {};
    for (std::int64_t i = 0; i + 16 <= size; i += 16, from += 8, to += 16) {
      Eight values, low, high, before;
      load(from, values);
      if constexpr (phase == 0) {
        low = __builtin_shufflevector(values, none, 0, 8, 1, 8, 2, 8, 3, 8);
        high = __builtin_shufflevector(values, none, 4, 8, 5, 8, 6, 8, 7, 8);
      } else {
        low = __builtin_shufflevector(values, none, 8, 0, 8, 1, 8, 2, 8, 3);
        high = __builtin_shufflevector(values, none, 8, 4, 8, 5, 8, 6, 8, 7);
      }
      if constexpr (add) {
        load(to, before);
        low += before;
        load(to + 8, before);
        high += before;
      }
      store(to, low);
      store(to + 8, high);
    }
  }
  // By reference: how vectors are passed depends on the processor.
  static void load(const T* from, Eight& values) { std::memcpy(&values, from, sizeof values); }
  static void store(T* to, const Eight& values) { std::memcpy(to, &values, sizeof values); }
};

}  // namespace strata::plugins
