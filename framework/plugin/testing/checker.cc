// Sample values, numeric derivatives, services and pools.
#include "framework/plugin/testing/checker.h"

#include <algorithm>

#include "framework/plugin/services.h"
#include "framework/tensor/parallel.h"

namespace strata::conformance {

std::vector<double> sample_values(std::int64_t count, std::uint64_t seed) {
  const StreamKey key = stream_key(seed, Purpose::kSynthetic, 7, 7);
  const std::vector<std::uint32_t> order =
      random_permutation(key, static_cast<std::uint32_t>(count));
  std::vector<std::uint32_t> words(static_cast<std::size_t>(count));
  random_words(stream_key(seed, Purpose::kSynthetic, 8, 8), 0, count, words.data());
  std::vector<double> values;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const double jitter = 0.2 * (static_cast<double>(words[i]) * 0x1p-32 - 0.5);
    const double unit = (order[i] + 0.5 + jitter) / static_cast<double>(count);  // (0, 1)
    const double magnitude = 0.05 + 1.95 * std::abs(2 * unit - 1);
    values.push_back(static_cast<float>(unit < 0.5 ? -magnitude : magnitude));
  }
  return values;
}

bool all_finite(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

std::int64_t find_swallowed(std::span<const double> plain,
                            const std::vector<std::vector<double>>& probed,
                            std::span<const double> spoilt, bool& depends) {
  std::int64_t found = -1;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const bool changed = std::any_of(probed.begin(), probed.end(),
                                     [&](const auto& values) { return !(values[i] == plain[i]); });
    depends = depends || changed;
    if (changed && std::isfinite(spoilt[i]) && found < 0) found = static_cast<std::int64_t>(i);
  }
  return found;
}

double deviation(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double largest = 1, difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i]))
      return std::numeric_limits<double>::infinity();
    largest = std::max({largest, std::abs(a[i]), std::abs(b[i])});
    difference = std::max(difference, std::abs(a[i] - b[i]));
  }
  return difference / largest;
}

const strata_services& serial_services(bool backwards) {
  static const auto make = [](auto parallel) {
    strata_services services = host_services();
    services.parallel = parallel;
    return services;
  };
  static const strata_services forth =
      make([](void*, std::int64_t tasks, void (*body)(void*, std::int64_t), void* context) {
        for (std::int64_t task = 0; task < tasks; ++task) body(context, task);
      });
  static const strata_services back =
      make([](void*, std::int64_t tasks, void (*body)(void*, std::int64_t), void* context) {
        for (std::int64_t task = tasks; task-- > 0;) body(context, task);
      });
  return backwards ? back : forth;
}

void on_each_pool(const std::function<void(int threads)>& body) {
  for (const int threads : {1, 2, 4, 8}) {
    ThreadPool pool(threads);
    pool.run([&] { body(threads); });
  }
}

double derivative(const std::function<double(double)>& f, double x) {
  constexpr double h = 1e-4;
  return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h);
}

bool derivative_agrees(double analytic, double numeric, double size) {
  return std::abs(analytic - numeric) <=
         1e-6 * std::max(std::abs(analytic), std::abs(numeric)) + 1e-10 * std::max(1.0, size);
}

std::vector<std::int64_t> spread(std::int64_t count, std::int64_t most) {
  std::vector<std::int64_t> indices;
  const std::int64_t n = std::min(count, most);
  for (std::int64_t i = 0; i < n; ++i) indices.push_back(n == 1 ? 0 : i * (count - 1) / (n - 1));
  return indices;
}

bool is_snake_case(std::string_view name) {
  if (name.empty() || name[0] < 'a' || name[0] > 'z') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool is_cap_words(std::string_view name) {
  if (name.empty() || name[0] < 'A' || name[0] > 'Z') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

}  // namespace strata::conformance
