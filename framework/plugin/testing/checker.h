// What the checks of all kinds share: a place for findings, buffers with guard zones, sample
// values, services.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "framework/base/random.h"
#include "framework/plugin/instance.h"
#include "framework/plugin/options.h"
#include "framework/plugin/testing/conformance.h"

namespace strata::conformance {

// One plugin being checked.
struct Checker {
  const Entry& entry;
  const Registry& registry;
  const ConformanceOptions& options;
  ConformanceReport& report;
  std::string context;  // the case at hand, put before every problem

  template <class... Args>
  bool expect(bool holds, fmt::format_string<Args...> format, Args&&... args) {
    ++report.checks;
    if (holds) return true;
    constexpr std::size_t kMost = 40;  // one fault shows in many cases
    std::string problem =
        (context.empty() ? "" : context + ": ") + fmt::format(format, std::forward<Args>(args)...);
    if (report.problems.size() < kMost &&
        (report.problems.empty() || report.problems.back() != problem)) {
      report.problems.push_back(std::move(problem));
      if (options.on_problem) options.on_problem(report);
    }
    return false;
  }
  bool expect_ok(const Status& status, std::string_view what) {
    return expect(status.ok(), "{} failed: {}", what, status.ok() ? "" : status.error().message);
  }
  // A refusal is meant for the user, who can do something about it.
  bool expect_sentence(const Error& error, std::string_view what) {
    return expect(
        (error.code == ExitCode::kModel || error.code == ExitCode::kData) && !error.message.empty(),
        "{} without a sentence for the user: {}", what, error.message);
  }
  void saw_nan(NanHandling handling) { report.nan = std::max(report.nan, handling); }
  void begin(std::string new_context) {
    context = std::move(new_context);
    report.cases.push_back(context);
    if (options.on_case) options.on_case(context);
  }
};

// The plugin with guessed options, then variants of it. The first one is the base.
std::vector<PluginCall> variants(Checker& checker);
// Instances of the variants; a variant may be refused with a sentence, the base may not.
std::vector<InstancePtr> instances(Checker& checker);

// Elements between two guard zones. Zones and poison are NaN for real numbers, so that reading them
// shows.
template <class T>
class Buffer {
 public:
  explicit Buffer(std::int64_t size)
      : size_(size), storage_(static_cast<T*>(std::aligned_alloc(64, bytes())), &std::free) {
    std::fill_n(storage_.get(), bytes() / sizeof(T), zone_);
  }
  T* data() { return storage_.get() + kGuard; }
  const T* data() const { return storage_.get() + kGuard; }
  std::int64_t size() const { return size_; }
  std::span<const T> span() const { return {data(), static_cast<std::size_t>(size_)}; }

  void set(std::span<const double> values) {
    for (std::int64_t i = 0; i < size_; ++i)
      data()[i] = static_cast<T>(values[static_cast<std::size_t>(i)]);
  }
  void fill(T value) { std::fill_n(data(), size_, value); }
  void fill_poison() { fill(poison()); }
  std::vector<double> values() const { return {data(), data() + size_}; }
  bool intact() const {
    const auto is_zone = [&](const T& x) { return std::memcmp(&x, &zone_, sizeof(T)) == 0; };
    const T* begin = storage_.get();
    const T* end = begin + bytes() / sizeof(T);
    return std::all_of(begin, data(), is_zone) && std::all_of(data() + size_, end, is_zone);
  }
  static T poison() {
    if constexpr (std::is_floating_point_v<T>) {
      return std::numeric_limits<T>::quiet_NaN();
    } else {
      return static_cast<T>(0xa5a5a5a5u);
    }
  }

 private:
  static constexpr std::int64_t kGuard = 64;
  std::size_t bytes() const {
    const std::size_t raw = (static_cast<std::size_t>(size_ + 2 * kGuard)) * sizeof(T);
    return (raw + 63) / 64 * 64;
  }
  // Another NaN for each buffer: one that was calculated from a neighbour's zone is told from this
  // one's own.
  static T next_zone() {
    static std::atomic<std::uint32_t> number{0};
    const std::uint32_t n = ++number % 0x10000 + 1;
    if constexpr (std::is_same_v<T, float>) {
      return std::bit_cast<float>(0x7fc00000u | n);
    } else if constexpr (std::is_same_v<T, double>) {
      return std::bit_cast<double>(0x7ff8000000000000u | n);
    } else {
      return poison();
    }
  }
  std::int64_t size_;
  T zone_ = next_zone();
  std::unique_ptr<T, void (*)(void*)> storage_;
};

// `count` values between -2 and 2, in random order, none closer to zero or to each other than
// finite differences reach (so that kinks and ties are not met), all of them exact in f32.
std::vector<double> sample_values(std::int64_t count, std::uint64_t seed);

// What elements are given to see which results depend on them.
inline constexpr double kProbes[] = {50, -50, 0.5};

bool all_finite(std::span<const double> values);
// Whether an element of a result depends on what was changed, and does not show that it is NaN now.
// `plain` are the results without a change, `probed` those with other values in its place, `spoilt`
// those with a NaN. The first such element; -1 where there is none. Sets `depends` where any does.
std::int64_t find_swallowed(std::span<const double> plain,
                            const std::vector<std::vector<double>>& probed,
                            std::span<const double> spoilt, bool& depends);
template <class T>
bool same_bits(const Buffer<T>& a, const Buffer<T>& b) {
  return a.size() == b.size() &&
         (a.size() == 0 ||
          std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(T)) == 0);
}
// The largest difference, relative to the largest value (at least 1).
double deviation(std::span<const double> a, std::span<const double> b);

// Tasks on the caller's thread, first to last or last to first; the rest is the host's.
const strata_services& serial_services(bool backwards = false);

// body on pools of 1, 2, 4 and 8 threads.
void on_each_pool(const std::function<void(int threads)>& body);

// The derivative of f at x, by differences of fourth order.
double derivative(const std::function<double(double)>& f, double x);
// Whether a derivative agrees with differences: rtol 1e-6, and what rounding leaves of values of
// this size.
bool derivative_agrees(double analytic, double numeric, double size);
// Up to `most` indices of [0, count), spread evenly, with the first and the last.
std::vector<std::int64_t> spread(std::int64_t count, std::int64_t most);

bool is_snake_case(std::string_view name);
bool is_cap_words(std::string_view name);

void check_schema(Checker& checker);
void check_layer(Checker& checker);
void check_loss(Checker& checker);
void check_metric(Checker& checker);
void check_optimizer(Checker& checker);
void check_schedule(Checker& checker);
void check_initializer(Checker& checker);
void check_dataset(Checker& checker);
void check_transform(Checker& checker);

}  // namespace strata::conformance
