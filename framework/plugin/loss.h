// How to write a loss: what each sample costs, and the gradient with respect to the model's
// outputs, in one kernel.
//
//   class MeanSquaredError final : public Loss {
//    public:
//     struct Options {};
//     static void describe(Schema<Options>& schema) { schema.doc("…").inputs({"prediction",
//     "target"}); } explicit MeanSquaredError(const Options&) {} LossPlan infer(const
//     std::vector<Input>& inputs) const;    // checks shapes and types; throws PluginError template
//     <class T> void evaluate(const LossPass<T>& pass) const;
//   };
//   const LossRegistration<MeanSquaredError> kRegistration{"MeanSquaredError"};
//
// The framework averages over samples. Depends on the standard library alone.
#pragma once

#include <string>
#include <vector>

#include "framework/plugin/pass.h"
#include "framework/plugin/registration.h"

namespace strata {

// What the checker should know of a loss. Traits: "applies-softmax" (expects logits).
class LossPlan {
 public:
  LossPlan& trait(std::string name) { return traits_.push_back(std::move(name)), *this; }
  void write(strata_plan* plan) const {
    for (const std::string& trait : traits_) plan->add_trait(plan->host, trait.c_str());
  }

 private:
  std::vector<std::string> traits_;
};

template <class T>
class LossPass : public Services {
 public:
  explicit LossPass(const strata_loss_pass* raw) : Services(raw->services, raw->host), raw_(raw) {}
  std::int64_t batch() const { return raw_->batch; }
  Shape shape(int i) const { return plugin_internal::to_shape(raw_->shapes[i]); }  // per sample
  const T* input(int i) const {
    return static_cast<const T*>(raw_->inputs[i]);
  }  // STRATA_REAL inputs
  const std::int32_t* labels(int i) const {
    return static_cast<const std::int32_t*>(raw_->inputs[i]);
  }
  double* losses() const { return raw_->losses; }  // [batch]
  // Null where no gradient is wanted. Overwritten with the gradient of scale() · sum(losses).
  T* d_input(int i) const { return raw_->d_inputs ? static_cast<T*>(raw_->d_inputs[i]) : nullptr; }
  double scale() const { return raw_->scale; }

 private:
  const strata_loss_pass* raw_;
};

class Loss {};

namespace [[gnu::visibility("hidden")]] plugin_internal {

template <class L>
int loss_infer(const void* instance, const strata_input* inputs, std::int64_t count,
               strata_plan* plan, strata_error* error) {
  return guarded(
      error, [&] { static_cast<const L*>(instance)->infer(to_inputs(inputs, count)).write(plan); });
}
template <class L>
int loss_evaluate(const void* instance, const strata_loss_pass* pass, strata_error* error) {
  return guarded(error, [&] {
    const L& loss = *static_cast<const L*>(instance);
    if (pass->dtype == STRATA_F32) {
      loss.evaluate(LossPass<float>(pass));
    } else {
      loss.evaluate(LossPass<double>(pass));
    }
  });
}
template <class L>
inline constexpr strata_loss kLossFunctions{sizeof(strata_loss), &loss_infer<L>, &loss_evaluate<L>};

}  // namespace gnu::visibility("hidden")]]plugin_internal

template <class L>
using LossRegistration =
    plugin_internal::Registered<L, STRATA_LOSS, plugin_internal::kLossFunctions<L>>;

}  // namespace strata
