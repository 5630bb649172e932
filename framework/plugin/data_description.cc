// What data sets and transforms say of their fields, splits and fitted numbers.
#include "framework/plugin/collector.h"

namespace strata {

int DataDescription::find_field(std::string_view name) const {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

int DataDescription::find_split(std::string_view name) const {
  for (std::size_t i = 0; i < splits.size(); ++i) {
    if (splits[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

namespace plugin_host {

strata_data_plan callbacks(Collector<DataDescription>& collector) {
  using C = Collector<DataDescription>;
  strata_data_plan raw{};
  raw.struct_size = sizeof raw;
  raw.host = &collector;
  raw.add_field = [](void* h, const strata_field* field) {
    C::collect(h, [&](DataDescription& data) {
      require(field != nullptr, "a field is null");
      const std::string name = named(field->name, "a field");
      require(field->dtype >= STRATA_F32 && field->dtype <= STRATA_REAL,
              "a field has a type that does not exist");
      data.fields.push_back({name,
                             static_cast<strata_dtype>(field->dtype),
                             shape_of(&field->shape, "its field `" + name + "`"),
                             field->classes,
                             {}});
    });
  };
  raw.add_split = [](void* h, const char* name, std::int64_t samples) {
    C::collect(h, [&](DataDescription& data) {
      require(samples >= -1, "a split has fewer samples than none");
      data.splits.push_back({named(name, "a split"), samples});
    });
  };
  raw.add_class_name = [](void* h, const char* field, const char* name) {
    C::collect(h, [&](DataDescription& data) {
      const int i = data.find_field(named(field, "a field"));
      if (i >= 0)
        data.fields[static_cast<std::size_t>(i)].class_names.push_back(named(name, "a class"));
    });
  };
  raw.add_fitted = [](void* h, const char* name, const strata_shape* shape) {
    C::collect(h, [&](DataDescription& data) {
      const std::string own = named(name, "what it fits");
      data.fitted.push_back({own, shape_of(shape, "what it fits as `" + own + "`")});
    });
  };
  return raw;
}

}  // namespace plugin_host

using plugin_host::collected;
using plugin_host::path_of;

Result<DataDescription> describe_dataset(const Instance& dataset) {
  return collected<DataDescription>(dataset.entry(), [&](strata_data_plan* plan) {
    return call_noted(dataset, "describe", dataset.functions<strata_dataset>().describe, plan);
  });
}

Result<DataDescription> open_dataset(const Instance& dataset,
                                     const std::vector<std::string>& folders) {
  std::vector<const char*> raw_folders;
  for (const std::string& folder : folders) raw_folders.push_back(folder.c_str());
  return collected<DataDescription>(dataset.entry(), [&](strata_data_plan* plan) {
    return call_noted(dataset, "open", dataset.functions<strata_dataset>().open, raw_folders.data(),
                      static_cast<std::int64_t>(raw_folders.size()), plan);
  });
}

Result<DataDescription> infer_transform(const Instance& transform, const DataDescription& input) {
  std::vector<strata_field> raw_fields;
  for (const auto& field : input.fields) {
    raw_fields.push_back({sizeof(strata_field), field.name.c_str(), field.dtype, field.classes,
                          plugin_internal::from_shape(field.shape)});
  }
  auto made = collected<DataDescription>(transform.entry(), [&](strata_data_plan* plan) {
    return call_noted(transform, "infer", transform.functions<strata_transform>().infer,
                      raw_fields.data(), static_cast<std::int64_t>(raw_fields.size()), plan);
  });
  if (!made) return made;
  DataDescription& description = *made;
  const bool fits = transform.functions<strata_transform>().fit != nullptr;
  if (fits == description.fitted.empty())
    return plugin_fault(path_of(transform.entry()),
                        fmt::format("`{}`: it {}", transform.entry().name(),
                                    fits ? "fits nothing, and has a function for it"
                                         : "wants numbers fitted, and has no function for it"));
  description.splits = input.splits;
  for (auto& field : description.fields) {
    const int before = input.find_field(field.name);
    if (before >= 0) field.class_names = input.fields[static_cast<std::size_t>(before)].class_names;
  }
  return made;
}

}  // namespace strata
