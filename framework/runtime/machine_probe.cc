// The best of many short runs: whatever else the machine does only ever takes away.
#include "framework/runtime/machine_probe.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>

#include "framework/tensor/matmul.h"
#include "framework/tensor/parallel.h"

namespace strata {
namespace {

using Clock = std::chrono::steady_clock;

// The shortest time of `work`, which is run once unmeasured and then for `seconds`.
template <class Work>
double shortest(double seconds, Work&& work) {
  work();
  const Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                   std::chrono::duration<double>(seconds));
  double best = 1e300;
  for (int runs = 0; runs < 3 || Clock::now() < end; ++runs) {
    const Clock::time_point begin = Clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return best;
}

template <class Body>
void in_parallel(std::int64_t tasks, Body&& body) {
  parallel_tasks(
      tasks, [](void* context, std::int64_t task) { (*static_cast<Body*>(context))(task); }, &body);
}

// Square products whose operands stay in a second-level cache, one a thread at a time.
template <class T>
double product_flops(int threads, double seconds) {
  constexpr std::array<std::int64_t, 3> kSizes = {128, 256, 384};
  constexpr std::int64_t kMost = kSizes.back() * kSizes.back();
  const auto elements = static_cast<std::size_t>(3 * kMost * threads);
  const std::unique_ptr<T[]> data(new T[elements]);
  std::fill_n(data.get(), elements, static_cast<T>(0.5));
  double best = 0;
  for (const std::int64_t n : kSizes) {
    // Enough products a task that starting it does not count.
    const std::int64_t repeats = 1 + 40'000'000 / (2 * n * n * n);
    const double time = shortest(seconds / kSizes.size(), [&] {
      in_parallel(threads, [&](std::int64_t task) {
        T* a = data.get() + 3 * kMost * task;
        // Narrow enough that each is one tile of the product, done by whoever asks for it.
        for (std::int64_t i = 0; i < repeats; ++i) {
          for (std::int64_t column = 0; column < n; column += 64) {
            matmul<T>(false, false, n, 64, n, a, n, a + kMost + column, n, false,
                      a + 2 * kMost + column, n);
          }
        }
      });
    });
    best = std::max(
        best, static_cast<double>(repeats * threads) * 2.0 * static_cast<double>(n * n * n) / time);
  }
  return best;
}

// a = b + x c (McCalpin's triad): two streams in, one out.
double triad_bandwidth(std::int64_t bytes, double seconds) {
  constexpr std::int64_t kTile = 1 << 14;  // floats
  const std::int64_t tiles =
      std::max<std::int64_t>(1, bytes / (3 * kTile * static_cast<std::int64_t>(sizeof(float))));
  const std::int64_t count = tiles * kTile;
  const std::unique_ptr<float[]> data(new float[static_cast<std::size_t>(3 * count)]);
  std::fill_n(data.get(), 3 * count, 1.0f);
  const double time = shortest(seconds, [&] {
    in_parallel(tiles, [&](std::int64_t tile) {
      float* __restrict a = data.get() + tile * kTile;
      const float* __restrict b = a + count;
      const float* __restrict c = b + count;
      for (std::int64_t i = 0; i < kTile; ++i) a[i] = b[i] + 0.5f * c[i];
    });
  });
  return static_cast<double>(3 * count) * sizeof(float) / time;
}

}  // namespace

MachineLimits probe_machine(int threads, Precision precision, std::int64_t working_set,
                            double seconds) {
  constexpr std::int64_t kMainMemory = std::int64_t{192} << 20;  // more than most caches hold
  MachineLimits limits;
  limits.threads = threads;
  limits.working_set = std::clamp<std::int64_t>(working_set, 1 << 18, kMainMemory);
  limits.flops = precision == Precision::kF64 ? product_flops<double>(threads, seconds * 0.5)
                                              : product_flops<float>(threads, seconds * 0.5);
  limits.memory_bandwidth = triad_bandwidth(kMainMemory, seconds * 0.3);
  limits.working_set_bandwidth =
      std::max(limits.memory_bandwidth, triad_bandwidth(limits.working_set, seconds * 0.2));
  return limits;
}

}  // namespace strata
