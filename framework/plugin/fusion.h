// How to write a fusion: one layer that does the work of several that follow one another, in fewer
// passes over memory.
//
//   class DenseReLU final : public Fusion {
//    public:
//     static constexpr const char* kPattern[] = {"Dense", "ReLU"};  // names of layers
//     static constexpr const char* kDoc = "…";
//     DenseReLU(const std::vector<Member>& members, const Shape& input);  // throws where it
//     declines
//     Plan infer(const Shape& input) const;  // buffers and flags alone
//     template <class T> void forward(const ForwardPass<T>& pass) const;
//     template <class T> void backward(const BackwardPass<T>& pass) const;
//     template <class T> void prepare(const ForwardPass<T>& pass) const;  // may be left out
//   };
//   const FusionRegistration<DenseReLU> kRegistration{"DenseReLU"};
//
// The chain enters each layer as its first input. Where a layer has further ones (Add), they are
// the fusion's inputs 1, 2, …; it then takes `const std::vector<Input>&` in infer, and says that it
// knows of them by Plan().trait("branches").
//
// Parameters and states are the members', in their order. What it computes must be what the members
// compute, within rounding: a test compares them. Depends on the standard library alone.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "framework/plugin/layer.h"

namespace strata {

// One of the layers that a fusion stands for, with its options by name.
class Member {
 public:
  explicit Member(const strata_member* raw) : raw_(raw) {}
  std::string_view name() const { return raw_->name; }
  bool flag(std::string_view option) const { return value(option).integer != 0; }
  std::int64_t integer(std::string_view option) const { return value(option).integer; }
  // Number i of an option that takes one number for all, or a list.
  std::int64_t integer(std::string_view option, int i) const {
    const strata_value& found = value(option);
    if (found.kind != STRATA_LIST) return found.integer;
    if (i >= found.item_count)
      throw PluginError(std::string(raw_->name) + "'s `" + std::string(option) + "` is too short");
    return plugin_internal::element(found.items, i).integer;
  }
  bool is_string(std::string_view option) const { return value(option).kind == STRATA_STRING; }
  double number(std::string_view option) const { return value(option).number; }
  std::string_view string(std::string_view option) const { return value(option).text; }

 private:
  const strata_value& value(std::string_view option) const {
    for (std::int64_t i = 0; i < raw_->option_count && i < raw_->schema->option_count; ++i) {
      if (option == plugin_internal::element(raw_->schema->options, i).name)
        return raw_->options[i];
    }
    throw PluginError(std::string(raw_->name) + " has no option `" + std::string(option) + "`");
  }
  const strata_member* raw_;
};

class Fusion {};

namespace [[gnu::visibility("hidden")]] plugin_internal {

template <class F>
int fusion_create(const strata_member* members, std::int64_t count, const strata_shape* input,
                  void** instance, strata_error* error) {
  *instance = nullptr;
  return guarded(error, [&] {
    std::vector<Member> all;
    for (std::int64_t i = 0; i < count; ++i) all.emplace_back(&element(members, i));
    *instance = new F(all, to_shape(*input));
  });
}
template <class F>
void fusion_destroy(void* instance) {
  delete static_cast<F*>(instance);
}
template <class F>
int fusion_prepare(const void* instance, const strata_layer_pass* pass, strata_error* error) {
  return guarded(error, [&] {
    const F& fusion = *static_cast<const F*>(instance);
    if (pass->dtype == STRATA_F32) {
      fusion.prepare(ForwardPass<float>(pass));
    } else {
      fusion.prepare(ForwardPass<double>(pass));
    }
  });
}
template <class F>
constexpr auto fusion_prepare_of() -> decltype(strata_fusion::prepare) {
  if constexpr (requires(const F& f, const ForwardPass<float>& pass) { f.prepare(pass); }) {
    return &fusion_prepare<F>;
  } else {
    return nullptr;
  }
}
template <class F>
inline constexpr strata_fusion kFusionFunctions{
    sizeof(strata_fusion), F::kPattern,        std::extent_v<decltype(F::kPattern)>,
    &fusion_create<F>,     &fusion_destroy<F>, &layer_infer<F>,
    &layer_forward<F>,     &layer_backward<F>, fusion_prepare_of<F>()};

// What Registered asks of a plugin; a fusion has no options and is never created by a file.
template <class F>
struct FusionAdapter {
  using Options = NoOptions;
  static void describe(Schema<Options>& schema) {
    std::string chain;
    for (const char* name : F::kPattern) chain += (chain.empty() ? "" : " -> ") + std::string(name);
    schema.doc(F::kDoc).example(chain.c_str());
  }
  explicit FusionAdapter(const Options&) {}
};

}  // namespace gnu::visibility("hidden")]]plugin_internal

template <class F>
using FusionRegistration =
    plugin_internal::Registered<plugin_internal::FusionAdapter<F>, STRATA_FUSION,
                                plugin_internal::kFusionFunctions<F>>;

}  // namespace strata
