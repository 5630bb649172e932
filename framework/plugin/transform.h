// How to write a transform: from fields to fields, sample by sample, with a random stream keyed by
// the sample.
//
//   DataPlan infer(const std::vector<Field>& fields) const;  // all fields out, changed or not, in
//                                                             // order
//   template <class T> void apply(const TransformPass<T>& pass) const;
//   const TransformRegistration<Normalize> kRegistration{"Normalize"};
//
// T is the run's precision. A field whose type and shape do not change is transformed in place
// (output(i) == input(i)), so a field that is left alone needs nothing.
//
// One that learns from the training split first (Standardize) says in infer which numbers
// (plan.fitted("mean", {3})), and apply finds them in pass.fitted(), one after the other:
//
//   template <class T> void fit(const FitPass<T>& pass) const;   // sees every sample once, in
//   order void finish_fit(const std::vector<Field>& fields, double* fitted) const;
//
// One that looks at a whole batch (MixUp) has, in place of apply,
//
//   template <class T> void apply_batch(const TransformPass<T>& pass) const;   // key(0): the
//   batch's
//
// whose outputs are never where the inputs are, so it writes all of them. Depends on the standard
// library alone.
#pragma once

#include <string_view>
#include <vector>

#include "framework/plugin/dataset.h"
#include "framework/plugin/pass.h"

namespace strata {

// The fields that a transform is handed.
class FieldsView {
 public:
  FieldsView(const strata_field* fields, std::int64_t field_count)
      : fields_(fields), field_count_(field_count) {}
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
  std::int64_t classes(int field) const {  // of a label; 0 otherwise
    return plugin_internal::element(fields_, field).classes;
  }

 private:
  const strata_field* fields_;
  std::int64_t field_count_;
};

template <class T>
class TransformPass : public Services, public FieldsView {
 public:
  TransformPass(const strata_field* fields, std::int64_t field_count,
                const strata_transform_pass* raw)
      : Services(raw->services, raw->host), FieldsView(fields, field_count), raw_(raw) {}
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
  const double* fitted() const { return raw_->fitted; }  // in the order of DataPlan::fitted

 private:
  const strata_transform_pass* raw_;
};

template <class T>
class FitPass : public FieldsView {
 public:
  FitPass(const strata_field* fields, std::int64_t field_count, const strata_fit_pass* raw)
      : FieldsView(fields, field_count), raw_(raw) {}
  std::int64_t count() const { return raw_->count; }  // samples
  template <class U>
  const U* input(int field) const {
    return static_cast<const U*>(raw_->inputs[field]);
  }
  double* fitted() const { return raw_->fitted; }  // zeros at first

 private:
  const strata_fit_pass* raw_;
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
    const auto run = [&]<class T>(const TransformPass<T>& typed) {
      if constexpr (requires { transform.apply_batch(typed); }) {
        transform.apply_batch(typed);
      } else {
        transform.apply(typed);
      }
    };
    if (pass->real_dtype == STRATA_F32) {
      run(TransformPass<float>(fields, count, pass));
    } else {
      run(TransformPass<double>(fields, count, pass));
    }
  });
}
template <class X>
int transform_fit(const void* instance, const strata_field* fields, std::int64_t count,
                  const strata_fit_pass* pass, strata_error* error) {
  return guarded(error, [&] {
    const X& transform = *static_cast<const X*>(instance);
    if (pass->real_dtype == STRATA_F32) {
      transform.fit(FitPass<float>(fields, count, pass));
    } else {
      transform.fit(FitPass<double>(fields, count, pass));
    }
  });
}
template <class X>
int transform_finish_fit(const void* instance, const strata_field* fields, std::int64_t count,
                         double* fitted, strata_error* error) {
  return guarded(error, [&] {
    static_cast<const X*>(instance)->finish_fit(to_fields(fields, count), fitted);
  });
}
template <class X>
constexpr strata_transform transform_functions() {
  strata_transform table{};
  table.struct_size = sizeof table;
  table.infer = &transform_infer<X>;
  table.apply = &transform_apply<X>;
  if constexpr (requires(const X& x, const FitPass<float>& pass) { x.fit(pass); }) {
    table.fit = &transform_fit<X>;
    table.finish_fit = &transform_finish_fit<X>;
  }
  if constexpr (requires(const X& x, const TransformPass<float>& pass) { x.apply_batch(pass); })
    table.apply_batch = &transform_apply<X>;
  return table;
}
template <class X>
inline constexpr strata_transform kTransformFunctions = transform_functions<X>();

}  // namespace gnu::visibility("hidden")]]plugin_internal

template <class X>
using TransformRegistration =
    plugin_internal::Registered<X, STRATA_TRANSFORM, plugin_internal::kTransformFunctions<X>>;

}  // namespace strata
