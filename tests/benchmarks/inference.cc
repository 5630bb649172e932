// Strata's side of the inference benchmark, through the runtime's public interface.
//
//   inference MODEL WEIGHTS IMAGES [THREADS [fused|plain]]
//
// IMAGES holds 1024 samples of floats. "plain" runs each layer on its own. Prints one JSON object:
// latency of single samples in microseconds, samples a second in batches of 1024, and the logits of
// the first sample.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "framework/runtime/executor.h"
#include "framework/tensor/parallel.h"
#include "framework/train/session.h"
#include "tests/support/programs.h"

namespace strata {
namespace {

constexpr std::int64_t kBatch = 1024;
constexpr int kWarmUp = 100, kSingles = 5000;
constexpr double kSingleSeconds = 3;  // of single samples at most
constexpr double kSeconds = 1.5;      // of batches

using Clock = std::chrono::steady_clock;

double nanoseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
}

double quantile(std::vector<double>& values, double q) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1,
                         static_cast<std::size_t>(q * static_cast<double>(values.size())))];
}

std::unique_ptr<Executor> make_executor(const Program& program, std::int64_t capacity,
                                        const std::string& weights, bool fuse) {
  auto executor = Executor::create(program, capacity, false, {.fuse = fuse, .fold = fuse});
  if (!executor) throw std::runtime_error(executor.error().message);
  if (const Status loaded = load_weights(weights, **executor, nullptr); !loaded)
    throw std::runtime_error(loaded.error().message);
  return std::move(*executor);
}

void predict(Executor& executor, std::int64_t size, const void* image) {
  if (const Status done = executor.predict(size, &image); !done)
    throw std::runtime_error(done.error().message);
}

void measure(const std::string& model, const std::string& weights, const std::string& images,
             bool fuse) {
  const auto program = testing::program_of(testing::read_text(model));
  if (!program) throw std::runtime_error("`" + model + "` is wrong");
  const std::string bytes = testing::read_text(images);
  const auto features = static_cast<std::size_t>(
      program->graph.values[static_cast<std::size_t>(program->graph.inputs[0])].shape.elements());
  if (bytes.size() != kBatch * features * sizeof(float)) {
    throw std::runtime_error("`" + images + "` does not hold 1024 samples of " +
                             std::to_string(features) + " floats");
  }

  const auto one = make_executor(*program, 1, weights, fuse);
  for (int i = 0; i < kWarmUp; ++i) predict(*one, 1, bytes.data());
  std::vector<double> singles;
  const Clock::time_point first = Clock::now();
  while (singles.size() < kSingles && nanoseconds_since(first) < 1e9 * kSingleSeconds) {
    const Clock::time_point begin = Clock::now();
    predict(*one, 1, bytes.data());
    singles.push_back(nanoseconds_since(begin));
  }

  const auto many = make_executor(*program, kBatch, weights, fuse);
  for (int i = 0; i < 2; ++i) predict(*many, kBatch, bytes.data());
  std::vector<double> batches;
  const Clock::time_point start = Clock::now();
  while (nanoseconds_since(start) < 1e9 * kSeconds) {
    const Clock::time_point begin = Clock::now();
    predict(*many, kBatch, bytes.data());
    batches.push_back(nanoseconds_since(begin));
  }

  const auto* logits = static_cast<const float*>(one->output(0));
  fmt::print(
      "{{\"single_microseconds\": {{\"p50\": {:.3f}, \"p99\": {:.3f}}}, \"samples_per_second\": "
      "{:.0f}, \"logits\": [{}]}}\n",
      quantile(singles, 0.5) / 1000, quantile(singles, 0.99) / 1000,
      1e9 * kBatch / quantile(batches, 0.5), fmt::join(logits, logits + 10, ", "));
}

}  // namespace
}  // namespace strata

int main(int argc, char** argv) {
  if (argc < 4) {
    fmt::print(stderr, "usage: inference MODEL WEIGHTS IMAGES [THREADS [fused|plain]]\n");
    return 2;
  }
  try {
    strata::ThreadPool pool(argc > 4 ? std::atoi(argv[4]) : 1);
    pool.run([&] {
      strata::measure(argv[1], argv[2], argv[3], argc <= 5 || std::string(argv[5]) != "plain");
    });
  } catch (const std::exception& error) {
    fmt::print(stderr, "inference: {}\n", error.what());
    return 1;
  }
}
