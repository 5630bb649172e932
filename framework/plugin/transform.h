// How to write a transform: from fields to fields, sample by sample, with a random stream keyed by
// the sample.
//
//   DataPlan infer(const std::vector<Field>& fields) const;      // all fields out, changed or not,
//   in order template <class T> void apply(const TransformPass<T>& pass) const; const
//   TransformRegistration<Normalize> kRegistration{"Normalize"};
//
// T is the run's precision. A field whose type and shape do not change is transformed in place
// (output(i) == input(i)), so a field that is left alone needs nothing. Depends on the standard
// library alone.
#pragma once

#include <string_view>
#include <vector>

#include "framework/plugin/dataset.h"
#include "framework/plugin/pass.h"

namespace strata {

template <class T>
class TransformPass : public Services {
 public:
  TransformPass(const strata_field* fields, std::int64_t field_count,
                const strata_transform_pass* raw)
      : Services(raw->services, raw->host), fields_(fields), field_count_(field_count), raw_(raw) {}
  int field_count() const { return static_cast<int>(field_count_); }
  // The field of this name among the inputs (of any name: the first one where empty); -1 where
  // there is none.
  int find(std::string_view name) const {
    for (int i = 0; i < field_count(); ++i) {
      if (name.empty() || name == plugin_internal::element(fields_, i).name) return i;
    }
    return -1;
  }
  strata_dtype dtype(int field) const {
    return static_cast<strata_dtype>(plugin_internal::element(fields_, field).dtype);
  }
  Shape shape(int field) const {
    return plugin_internal::to_shape(plugin_internal::element(fields_, field).shape);
  }
  bool training() const { return raw_->training != 0; }  // augmentations act only then
  std::int64_t count() const { return raw_->count; }     // samples
  template <class U>
  const U* input(int field) const {
    return static_cast<const U*>(raw_->inputs[field]);
  }
  template <class U>
  U* output(int field) const {
    return static_cast<U*>(raw_->outputs[field]);
  }
  const std::uint64_t* key(std::int64_t sample) const { return raw_->keys + 2 * sample; }

 private:
  const strata_field* fields_;
  std::int64_t field_count_;
  const strata_transform_pass* raw_;
};

class Transform {};

namespace [[gnu::visibility("hidden")]] plugin_internal {

template <class X>
int transform_infer(const void* instance, const strata_field* fields, std::int64_t count,
                    strata_data_plan* plan, strata_error* error) {
  return guarded(
      error, [&] { static_cast<const X*>(instance)->infer(to_fields(fields, count)).write(plan); });
}
template <class X>
int transform_apply(const void* instance, const strata_field* fields, std::int64_t count,
                    const strata_transform_pass* pass, strata_error* error) {
  return guarded(error, [&] {
    const X& transform = *static_cast<const X*>(instance);
    if (pass->real_dtype == STRATA_F32) {
      transform.apply(TransformPass<float>(fields, count, pass));
    } else {
      transform.apply(TransformPass<double>(fields, count, pass));
    }
  });
}
template <class X>
inline constexpr strata_transform kTransformFunctions{sizeof(strata_transform), &transform_infer<X>,
                                                      &transform_apply<X>};

}  // namespace gnu::visibility("hidden")]]plugin_internal

template <class X>
using TransformRegistration =
    plugin_internal::Registered<X, STRATA_TRANSFORM, plugin_internal::kTransformFunctions<X>>;

}  // namespace strata
