// How fast a layer's passes are.
#include <algorithm>
#include <chrono>
#include <thread>

#include "framework/plugin/services.h"
#include "framework/plugin/testing/layer_run.h"
#include "framework/tensor/parallel.h"

namespace strata {
namespace {

using Clock = std::chrono::steady_clock;

// The quickest of several calls, in seconds; they go on for at least a twentieth of a second.
template <class Call>
double quickest(Call&& call) {
  double best = 0, total = 0;
  for (int i = 0; i < 1000 && (i < 5 || total < 0.05); ++i) {
    const auto begin = Clock::now();
    if (!call().ok()) return 0;
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    best = i == 0 ? seconds : std::min(best, seconds);
    total += seconds;
  }
  return best;
}

}  // namespace

std::optional<Throughput> measure_throughput(const Entry& entry, const Registry& registry) {
  using namespace conformance;
  if (entry.kind() != STRATA_LAYER) return std::nullopt;
  ConformanceReport ignored;
  const ConformanceOptions options;
  Checker checker{entry, registry, options, ignored, {}};
  const std::vector<PluginCall> calls = variants(checker);
  if (calls.empty()) return std::nullopt;
  auto instance = Instance::create(calls.front());
  if (!instance) return std::nullopt;
  const auto count = static_cast<std::size_t>(
      std::max<std::int64_t>(entry.schema().variadic ? 2 : 1, entry.schema().input_count));
  for (const Shape& shape : {Shape{1024}, Shape{16, 8, 8}, Shape{32, 32}}) {
    const auto plan =
        infer(**instance, std::vector<Input>(count, {"input", shape, STRATA_REAL, false, 0}));
    if (!plan) continue;
    constexpr std::int64_t kBatch = 256;
    const LayerCase layer_case(**instance, *plan, std::vector<Shape>(count, shape), kBatch);
    Throughput out;
    out.what = fmt::format("{} on {}, batch {}", print_call(calls.front()), shape.text(), kBatch);
    const double elements = static_cast<double>(shape.elements() * kBatch);
    ThreadPool pool(static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
    pool.run([&] {
      LayerRun<float> run(layer_case, /*is_training=*/true, host_services());
      run.poisons = false;
      if (const double seconds = quickest([&] { return run.forward(); }); seconds > 0)
        out.forward = elements / seconds;
      // A layer that hands its gradients over has its weights spoilt by the run; the time is the
      // same.
      if (const double seconds = quickest([&] { return run.backward(); }); seconds > 0)
        out.backward = elements / seconds;
    });
    return out;
  }
  return std::nullopt;
}

}  // namespace strata
