// Layers of a shared library beside the same ones built in: conformance, the same bits, and how
// much longer they take.
//
//   same_bits LIBRARY.so [TIMED]: TIMED is the layer whose speed is compared
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "framework/plugin/loader.h"
#include "framework/plugin/services.h"
#include "framework/plugin/testing/layer_run.h"
#include "framework/tensor/parallel.h"

namespace strata {
namespace {

using namespace conformance;

constexpr double kLongest = 1.05;  // times the built-in's time

int failures = 0;

void fail(const std::string& sentence) {
  ++failures;
  std::printf("FAILED %s\n", sentence.c_str());
}

// One layer twice: built in, and of the library.
struct Pair {
  InstancePtr inside, outside;
  InferredPlan inside_plan, outside_plan;
  std::vector<Shape> shapes;
};

// Fills `pair` where both take `count` inputs of this shape.
bool infer_both(Pair& pair, std::size_t count, const Shape& shape) {
  const std::vector<Input> inputs(count, {"input", shape, STRATA_REAL, false, 0});
  const auto inside = infer(*pair.inside, inputs), outside = infer(*pair.outside, inputs);
  if (inside.ok() != outside.ok()) fail("one refuses a shape that the other one takes");
  if (!inside || !outside) return false;
  pair.inside_plan = *inside;
  pair.outside_plan = *outside;
  pair.shapes.assign(count, shape);
  return true;
}

template <class T>
void compare(const Pair& pair, std::int64_t batch, bool training, const std::string& what) {
  const LayerCase inside_case(*pair.inside, pair.inside_plan, pair.shapes, batch);
  const LayerCase outside_case(*pair.outside, pair.outside_plan, pair.shapes, batch);
  LayerRun<T> inside(inside_case, training, host_services());
  LayerRun<T> outside(outside_case, training, host_services());
  const auto same = [](const auto& a, const auto& b) {
    bool equal = a.size() == b.size();
    for (std::size_t i = 0; equal && i < a.size(); ++i) equal = same_bits(a[i], b[i]);
    return equal;
  };
  const Status first = inside.forward(), second = outside.forward();
  if (first.ok() != second.ok()) return fail(what + ": one fails");
  if (!first) return;
  if (!same(inside.outputs, outside.outputs) || !same(inside.states, outside.states))
    fail(what + ": other outputs");
  if (inside.backward().ok() != outside.backward().ok()) return fail(what + ": one fails");
  if (!same(inside.d_inputs, outside.d_inputs) || !same(inside.d_parameters, outside.d_parameters))
    fail(what + ": other gradients");
}

template <class Call>
double seconds(Call&& call) {
  const auto begin = std::chrono::steady_clock::now();
  (void)call().ok();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// The quickest forward and backward of both, alternating; tried again where the machine is busy.
void compare_time(Pair& pair) {
  if (!infer_both(pair, 1, Shape{1024})) return fail("the timed layer does not take [1024]");
  double best_ratio = 1e9;
  for (int attempt = 0; attempt < 20 && best_ratio > kLongest; ++attempt) {
    const LayerCase inside_case(*pair.inside, pair.inside_plan, pair.shapes, 256);
    const LayerCase outside_case(*pair.outside, pair.outside_plan, pair.shapes, 256);
    LayerRun<float> inside(inside_case, true, host_services());
    LayerRun<float> outside(outside_case, true, host_services());
    inside.poisons = outside.poisons = false;
    double in = 1e9, out = 1e9;
    for (int i = 0; i < 200; ++i) {
      in = std::min(in, seconds([&] { return inside.forward(); }) +
                            seconds([&] { return inside.backward(); }));
      out = std::min(out, seconds([&] { return outside.forward(); }) +
                              seconds([&] { return outside.backward(); }));
    }
    best_ratio = std::min(best_ratio, out / in);
    std::printf("%s on [1024], batch 256: built in %.1f µs, as a plugin %.1f µs, ratio %.3f\n",
                pair.inside->entry().name().c_str(), in * 1e6, out * 1e6, out / in);
  }
  if (best_ratio > kLongest) fail(fmt::format("the plugin takes {:.3f} times as long", best_ratio));
}

int run(const char* path, const char* timed) {
  const Registry builtin = Registry::builtin();
  // What the library's layers may refer to; none of the layers themselves.
  Registry foreign;
  for (const Entry* entry : builtin.all(STRATA_INITIALIZER))
    (void)foreign.add(entry->table, entry->origin).ok();
  if (const Status loaded = load_plugin(path, foreign); !loaded) {
    fail(loaded.error().message);
    return 1;
  }
  std::size_t compared = 0;
  for (const Entry* outside : foreign.all(STRATA_LAYER)) {
    const Entry* inside = builtin.find(STRATA_LAYER, outside->name());
    if (!inside) {
      fail(outside->name() + " is not built in");
      continue;
    }
    const ConformanceReport report = check_conformance(*outside, foreign);
    for (const std::string& problem : report.problems) fail(outside->name() + ": " + problem);
    ConformanceReport ignored;
    const ConformanceOptions options;
    Checker inside_checker{*inside, builtin, options, ignored, {}};
    Checker outside_checker{*outside, foreign, options, ignored, {}};
    const std::vector<PluginCall> a = variants(inside_checker), b = variants(outside_checker);
    if (a.size() != b.size()) fail(outside->name() + ": other options");
    std::size_t cases = 0;
    for (std::size_t v = 0; v < std::min(a.size(), b.size()); ++v) {
      const std::string call = print_call(a[v]);
      if (call != print_call(b[v])) fail(call + " is " + print_call(b[v]));
      auto in = Instance::create(a[v]), out = Instance::create(b[v]);
      if (in.ok() != out.ok()) fail(call + ": one cannot be created");
      if (!in || !out) continue;
      Pair pair{*in, *out, {}, {}, {}};
      const auto count = static_cast<std::size_t>(
          std::max<std::int64_t>(inside->schema().variadic ? 2 : 1, inside->schema().input_count));
      for (const Shape& shape :
           {Shape{5}, Shape{70}, Shape{3, 4}, Shape{4, 6, 6}, Shape{2, 9, 7}}) {
        if (!infer_both(pair, count, shape)) continue;
        for (const std::int64_t batch : {7, 64}) {
          for (const bool training : {true, false}) {
            const std::string what = fmt::format("{} on {}, batch {}", call, shape.text(), batch);
            compare<float>(pair, batch, training, what);
            compare<double>(pair, batch, training, what);
            cases += 2;
          }
        }
      }
      if (v == 0 && timed && outside->name() == timed) compare_time(pair);
    }
    if (cases == 0) fail(outside->name() + ": nothing was compared");
    ++compared;
    std::printf("%s: %lld facts, the same bits in %zu cases\n", outside->name().c_str(),
                static_cast<long long>(report.checks), cases);
  }
  if (compared != builtin.all(STRATA_LAYER).size())
    fail(fmt::format("{} layers are built in, and {} are in the library",
                     builtin.all(STRATA_LAYER).size(), compared));
  std::printf("%zu layers, %d failures\n", compared, failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace strata

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  int code = 1;
  strata::ThreadPool pool(2);
  pool.run([&] { code = strata::run(argv[1], argc > 2 ? argv[2] : nullptr); });
  return code;
}
