// What this machine reaches on one thread and on all: the product kernel's rate and the bandwidth
// of memory. Prints one JSON object a line.
//
//   machine [SECONDS]
#include <fmt/format.h>

#include <cstdlib>

#include "framework/runtime/machine_probe.h"
#include "framework/tensor/parallel.h"

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 1;
  for (int threads = 1; threads <= strata::available_threads(); threads *= 2) {
    strata::ThreadPool pool(threads);
    pool.run([&] {
      const auto limits =
          strata::probe_machine(threads, strata::Precision::kF32, std::int64_t{4} << 20, seconds);
      fmt::print(
          "{{\"threads\": {}, \"gflops\": {:.2f}, \"memory_gigabytes_per_second\": {:.2f}, "
          "\"cache_gigabytes_per_second\": {:.2f}}}\n",
          threads, limits.flops / 1e9, limits.memory_bandwidth / 1e9,
          limits.working_set_bandwidth / 1e9);
    });
  }
}
