// How to write an initializer: starting values of one parameter from its shape, fans and a random
// stream.
//
//   void fill(const InitializerPass& pass) const { … pass.uniform(-bound, bound) … }
//   const InitializerRegistration<GlorotUniform> kRegistration{"GlorotUniform"};
//
// Values are made in f64 and rounded, so that f32 and f64 runs start alike. Depends on the standard
// library alone.
#pragma once

#include <cmath>
#include <vector>

#include "framework/plugin/pass.h"
#include "framework/plugin/registration.h"

namespace strata {

class InitializerPass : public Services {
 public:
  explicit InitializerPass(const strata_initializer_pass* raw)
      : Services(raw->services, raw->host),
        raw_(raw),
        shape_(plugin_internal::to_shape(*raw->shape)) {}
  const Shape& shape() const { return shape_; }
  double fan_in() const { return static_cast<double>(raw_->fan_in); }
  double fan_out() const { return static_cast<double>(raw_->fan_out); }
  std::int64_t count() const { return raw_->count; }
  double* out() const { return raw_->out; }

  void constant(double value) const { std::fill(out(), out() + count(), value); }
  // Uniform on [low, high).
  void uniform(double low, double high) const {
    const std::vector<double> units = unit_uniform(count());
    for (std::int64_t i = 0; i < count(); ++i)
      out()[i] = low + (high - low) * units[static_cast<std::size_t>(i)];
  }
  // Normal with mean 0 (Box and Muller, 1958).
  void normal(double deviation) const {
    constexpr double kTwoPi = 6.283185307179586;
    const std::int64_t pairs = (count() + 1) / 2;
    const std::vector<double> units = unit_uniform(2 * pairs);
    for (std::int64_t i = 0; i < pairs; ++i) {
      const double radius =
          deviation * std::sqrt(-2.0 * std::log1p(-units[static_cast<std::size_t>(2 * i)]));
      const double angle = kTwoPi * units[static_cast<std::size_t>(2 * i + 1)];
      out()[2 * i] = radius * std::cos(angle);
      if (2 * i + 1 < count()) out()[2 * i + 1] = radius * std::sin(angle);
    }
  }

 private:
  // [0, 1) with 53 bits, from two words each.
  std::vector<double> unit_uniform(std::int64_t n) const {
    std::vector<std::uint32_t> words(static_cast<std::size_t>(2 * n));
    random(raw_->key, 0, 2 * n, words.data());
    std::vector<double> units(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < units.size(); ++i) {
      const std::uint64_t bits = (std::uint64_t{words[2 * i]} << 32) | words[2 * i + 1];
      units[i] = static_cast<double>(bits >> 11) * 0x1p-53;
    }
    return units;
  }

  const strata_initializer_pass* raw_;
  Shape shape_;
};

class Initializer {};

namespace [[gnu::visibility("hidden")]] plugin_internal {

template <class I>
int initializer_fill(const void* instance, const strata_initializer_pass* pass,
                     strata_error* error) {
  return guarded(error, [&] { static_cast<const I*>(instance)->fill(InitializerPass(pass)); });
}
template <class I>
inline constexpr strata_initializer kInitializerFunctions{sizeof(strata_initializer),
                                                          &initializer_fill<I>};

}  // namespace gnu::visibility("hidden")]]plugin_internal

template <class I>
using InitializerRegistration =
    plugin_internal::Registered<I, STRATA_INITIALIZER, plugin_internal::kInitializerFunctions<I>>;

}  // namespace strata
