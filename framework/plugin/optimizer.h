// How to write an optimizer: an elementwise update of a slice of one parameter, with slots of its
// own.
//
//   struct Options { double lr = 1e-3; … };                     // every optimizer has an option
//   `lr` std::vector<std::string> slots() const { return {"exp_avg", "exp_avg_sq"}; }   // begin as
//   zeros, saved by name template <class T> void update(const UpdatePass<T>& pass) const; const
//   OptimizerRegistration<Adam> kRegistration{"Adam"};
//
// The executor decides when and on which slice, from many threads; nothing may be kept in the
// class.
//
// Where the rate follows from lengths of a whole parameter (LAMB), the work is in two parts:
//
//   template <class T> void direct(const UpdatePass<T>& pass) const;  // slots, and
//   pass.direction() template <class T> void update(const UpdatePass<T>& pass) const;  // goes
//   there: reads direction(), weight_norm() and direction_norm(), neither gradient nor slots
//
// Depends on the standard library alone.
#pragma once

#include <string>
#include <vector>

#include "framework/plugin/pass.h"
#include "framework/plugin/registration.h"

namespace strata {

template <class T>
class UpdatePass {
 public:
  explicit UpdatePass(const strata_update_pass* raw) : raw_(raw) {}
  std::int64_t count() const { return raw_->count; }
  double learning_rate() const { return raw_->learning_rate; }  // `lr` times the schedule's factor
  std::int64_t step() const { return raw_->step; }              // from 1
  bool apply_decay() const {
    return raw_->apply_decay != 0;
  }  // weights, not biases, scales and shifts
  T* weights() const { return static_cast<T*>(raw_->weights); }
  const T* gradient() const { return static_cast<const T*>(raw_->gradient); }
  T* slot(int i) const { return static_cast<T*>(raw_->slots[i]); }
  // The file switches decay off for this parameter, also where options let it apply to all.
  bool no_decay() const { return raw_->no_decay != 0; }
  // [count], of optimizers with `direct`. It may be where the gradient is: read an element of that
  // before writing one here.
  T* direction() const { return static_cast<T*>(raw_->direction); }
  // In `update` of optimizers with `direct`: of the whole parameter and of its whole direction.
  double weight_norm() const { return raw_->weight_norm; }
  double direction_norm() const { return raw_->direction_norm; }

 private:
  const strata_update_pass* raw_;
};

class Optimizer {};

namespace [[gnu::visibility("hidden")]] plugin_internal {

template <class O>
std::int64_t optimizer_slot_count(const void* instance) {
  try {
    return static_cast<std::int64_t>(static_cast<const O*>(instance)->slots().size());
  } catch (...) {
    return 0;
  }
}
template <class O>
const char* optimizer_slot_name(const void* instance, std::int64_t slot) {
  thread_local std::string name;
  try {
    name = static_cast<const O*>(instance)->slots().at(static_cast<std::size_t>(slot));
    return name.c_str();
  } catch (...) {
    return nullptr;
  }
}
template <class O>
int optimizer_update(const void* instance, const strata_update_pass* pass, strata_error* error) {
  return guarded(error, [&] {
    const O& optimizer = *static_cast<const O*>(instance);
    if (pass->dtype == STRATA_F32) {
      optimizer.update(UpdatePass<float>(pass));
    } else {
      optimizer.update(UpdatePass<double>(pass));
    }
  });
}
template <class O>
int optimizer_direct(const void* instance, const strata_update_pass* pass, strata_error* error) {
  return guarded(error, [&] {
    const O& optimizer = *static_cast<const O*>(instance);
    if (pass->dtype == STRATA_F32) {
      optimizer.direct(UpdatePass<float>(pass));
    } else {
      optimizer.direct(UpdatePass<double>(pass));
    }
  });
}
template <class O>
constexpr auto optimizer_direct_or_null() -> decltype(strata_optimizer::direct) {
  if constexpr (requires(const O& o, const UpdatePass<float>& pass) { o.direct(pass); }) {
    return &optimizer_direct<O>;
  } else {
    return nullptr;
  }
}
template <class O>
inline constexpr strata_optimizer kOptimizerFunctions{
    sizeof(strata_optimizer), &optimizer_slot_count<O>, &optimizer_slot_name<O>,
    &optimizer_update<O>, optimizer_direct_or_null<O>()};

}  // namespace gnu::visibility("hidden")]]plugin_internal

template <class O>
using OptimizerRegistration =
    plugin_internal::Registered<O, STRATA_OPTIMIZER, plugin_internal::kOptimizerFunctions<O>>;

}  // namespace strata
