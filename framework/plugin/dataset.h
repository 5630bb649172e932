// How to write a data set: named, typed fields per sample, named splits, and random access by
// index.
//
//   struct Options { std::optional<std::string> path; };
//   DataPlan describe() const;                                   // fields and, where known, split
//   sizes; reads no data DataPlan open(const std::vector<std::string>& folders);      // loads and
//   checks all; throws data_error(…) void read(const ReadPass& pass) const; // copies samples;
//   called from many threads const DatasetRegistration<Mnist> kRegistration{"MNIST"};
//
// Depends on the standard library alone.
#pragma once

#include <string>
#include <vector>

#include "framework/plugin/registration.h"

namespace strata {

struct Field {
  std::string name;
  strata_dtype dtype = STRATA_REAL;
  Shape shape;               // per sample; rank 0 for a label
  std::int64_t classes = 0;  // of a label
};

// Fields in and out of data sets and transforms.
class DataPlan {
 public:
  DataPlan& field(Field field) { return fields_.push_back(std::move(field)), *this; }
  DataPlan& split(std::string name,
                  std::int64_t samples) {  // "train", "val"; -1 where unknown before open
    return splits_.emplace_back(std::move(name), samples), *this;
  }
  // Of a field of class numbers; of a field of real numbers, what each of its values is.
  DataPlan& class_names(std::string field, std::vector<std::string> names) {
    return class_names_.emplace_back(std::move(field), std::move(names)), *this;
  }
  // Transforms: numbers that `fit` finds in the training split.
  DataPlan& fitted(std::string name, Shape shape) {
    return fitted_.emplace_back(std::move(name), shape), *this;
  }

  void write(strata_data_plan* plan) const {
    for (const Field& f : fields_) {
      const strata_field raw{sizeof(strata_field), f.name.c_str(), f.dtype, f.classes,
                             plugin_internal::from_shape(f.shape)};
      plan->add_field(plan->host, &raw);
    }
    for (const auto& [name, samples] : splits_) plan->add_split(plan->host, name.c_str(), samples);
    for (const auto& [field, names] : class_names_) {
      for (const std::string& name : names)
        plan->add_class_name(plan->host, field.c_str(), name.c_str());
    }
    for (const auto& [name, shape] : fitted_) {
      const strata_shape raw = plugin_internal::from_shape(shape);
      plan->add_fitted(plan->host, name.c_str(), &raw);
    }
  }

 private:
  std::vector<Field> fields_;
  std::vector<std::pair<std::string, std::int64_t>> splits_;
  std::vector<std::pair<std::string, std::vector<std::string>>> class_names_;
  std::vector<std::pair<std::string, Shape>> fitted_;
};

inline PluginError data_error(const std::string& message, const std::string& hint = {}) {
  return PluginError(message, hint, STRATA_DATA);
}

struct ReadPass {
  std::int64_t split;
  const std::int64_t* indices;
  std::int64_t count;
  strata_dtype real_dtype;
  void* const* fields;  // [count, elements] each
};

class Dataset {};

namespace [[gnu::visibility("hidden")]] plugin_internal {

inline std::vector<Field> to_fields(const strata_field* fields, std::int64_t count) {
  std::vector<Field> out;
  for (std::int64_t i = 0; i < count; ++i) {
    const strata_field& field = element(fields, i);
    out.push_back(
        {field.name, static_cast<strata_dtype>(field.dtype), to_shape(field.shape), field.classes});
  }
  return out;
}

template <class D>
int dataset_describe(void* instance, strata_data_plan* plan, strata_error* error) {
  return guarded(error, [&] { static_cast<D*>(instance)->describe().write(plan); });
}
template <class D>
int dataset_open(void* instance, const char* const* folders, std::int64_t count,
                 strata_data_plan* plan, strata_error* error) {
  return guarded(error, [&] {
    const std::vector<std::string> all(folders, folders + count);
    static_cast<D*>(instance)->open(all).write(plan);
  });
}
template <class D>
int dataset_read(const void* instance, std::int64_t split, const std::int64_t* indices,
                 std::int64_t count, std::int32_t real_dtype, void* const* fields,
                 strata_error* error) {
  return guarded(error, [&] {
    static_cast<const D*>(instance)->read(
        ReadPass{split, indices, count, static_cast<strata_dtype>(real_dtype), fields});
  });
}
template <class D>
inline constexpr strata_dataset kDatasetFunctions{sizeof(strata_dataset), &dataset_describe<D>,
                                                  &dataset_open<D>, &dataset_read<D>};

}  // namespace gnu::visibility("hidden")]]plugin_internal

template <class D>
using DatasetRegistration =
    plugin_internal::Registered<D, STRATA_DATASET, plugin_internal::kDatasetFunctions<D>>;

}  // namespace strata
