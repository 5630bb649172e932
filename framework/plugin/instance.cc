// Instances, and the host's side of infer: callbacks that collect what a plugin says.
#include "framework/plugin/instance.h"

#include <algorithm>
#include <deque>

namespace strata {

// The C view of the options; deques keep addresses.
struct Instance::Values {
  std::deque<std::vector<strata_value>> lists;

  strata_value convert(const OptionValue& value) {
    strata_value out = schema_internal::make_value(STRATA_NONE);
    if (const auto* b = std::get_if<bool>(&value.data)) {
      out.kind = STRATA_BOOL;
      out.integer = *b;
    } else if (const auto* i = std::get_if<std::int64_t>(&value.data)) {
      out.kind = STRATA_INT;
      out.integer = *i;
      out.number = static_cast<double>(*i);
    } else if (const auto* x = std::get_if<double>(&value.data)) {
      out.kind = STRATA_FLOAT;
      out.number = *x;
    } else if (const auto* text = std::get_if<std::string>(&value.data)) {
      out.kind = STRATA_STRING;
      out.text = text->c_str();
    } else if (const auto* items = std::get_if<OptionValue::List>(&value.data)) {
      out.kind = STRATA_LIST;
      out.items = convert_all(*items).data();
      out.item_count = static_cast<std::int64_t>(items->size());
    } else if (const auto* call = std::get_if<std::shared_ptr<const PluginCall>>(&value.data)) {
      out.kind = STRATA_PLUGIN;
      out.plugin = call->get();
      out.text = (*call)->entry->table->name;
    }
    return out;
  }

  const std::vector<strata_value>& convert_all(const std::vector<OptionValue>& values) {
    std::vector<strata_value>& out = lists.emplace_back();
    std::vector<strata_value> converted;
    for (const OptionValue& value : values) converted.push_back(convert(value));
    out = std::move(converted);
    return out;
  }
};

Error to_error(const strata_error& error) {
  const ExitCode code = error.code == STRATA_INVALID ? ExitCode::kModel
                        : error.code == STRATA_DATA  ? ExitCode::kData
                                                     : ExitCode::kInternal;
  return Error{code, error.message, error.hint};
}

Result<std::shared_ptr<Instance>> Instance::create(PluginCall call) {
  std::shared_ptr<Instance> instance(new Instance);
  instance->call_ = std::move(call);
  instance->values_ = std::make_unique<Values>();
  // Strings and plugin calls are pointed to inside call_, which no longer moves.
  const std::vector<strata_value>& values = instance->values_->convert_all(instance->call_.options);
  const strata_entry& table = *instance->call_.entry->table;
  const Status made = call_plugin(table.create, values.data(),
                                  static_cast<std::int64_t>(values.size()), &instance->raw_);
  if (!made) return made.error();
  return instance;
}

const std::vector<strata_value>& Instance::raw_options() const { return values_->lists.front(); }

Instance::~Instance() {
  if (raw_) call_.entry->table->destroy(raw_);
}

bool InferredPlan::has_trait(std::string_view trait) const {
  return std::find(traits.begin(), traits.end(), trait) != traits.end();
}

namespace {

strata_plan collector(InferredPlan& plan) {
  strata_plan raw{};
  raw.struct_size = sizeof raw;
  raw.host = &plan;
  static constexpr auto self = [](void* host) -> InferredPlan& {
    return *static_cast<InferredPlan*>(host);
  };
  raw.add_output = [](void* h, const strata_shape* shape) {
    self(h).outputs.push_back(plugin_internal::to_shape(*shape));
  };
  raw.add_parameter = [](void* h, const char* name, const strata_shape* shape,
                         const strata_value* init, std::int64_t fan_in, std::int64_t fan_out,
                         std::uint32_t flags) {
    self(h).parameters.push_back({name, plugin_internal::to_shape(*shape),
                                  init ? static_cast<const PluginCall*>(init->plugin) : nullptr,
                                  fan_in, fan_out, (flags & STRATA_DECAY) != 0});
  };
  raw.add_state = [](void* h, const char* name, const strata_shape* shape, double initial) {
    self(h).states.push_back({name, plugin_internal::to_shape(*shape), initial});
  };
  raw.add_saved = [](void* h, std::int64_t per_sample, std::int64_t fixed) {
    self(h).saved.push_back({per_sample, fixed});
  };
  raw.add_scratch = [](void* h, std::int64_t per_sample, std::int64_t fixed) {
    self(h).scratch.push_back({per_sample, fixed});
  };
  raw.add_prepared = [](void* h, std::int64_t elements) { self(h).prepared.push_back(elements); };
  raw.set_flags = [](void* h, std::uint32_t flags) { self(h).flags = flags; };
  raw.set_flops = [](void* h, double flops) { self(h).flops = flops; };
  raw.add_trait = [](void* h, const char* trait) { self(h).traits.emplace_back(trait); };
  raw.set_accumulator = [](void* h, std::int64_t doubles) { self(h).accumulator = doubles; };
  raw.add_result = [](void* h, const char* name, std::int32_t higher) {
    self(h).results.push_back({name, higher != 0});
  };
  return raw;
}

}  // namespace

Result<InferredPlan> infer(const Instance& instance, const std::vector<Input>& inputs) {
  std::vector<strata_input> raw_inputs;
  for (const Input& input : inputs) {
    raw_inputs.push_back({sizeof(strata_input), input.name.c_str(), input.dtype, input.is_target,
                          input.classes, plugin_internal::from_shape(input.shape)});
  }
  InferredPlan plan;
  strata_plan raw = collector(plan);
  const auto count = static_cast<std::int64_t>(raw_inputs.size());
  Status done;
  switch (instance.entry().kind()) {
    case STRATA_LAYER:
      done = call_plugin(instance.functions<strata_layer>().infer, instance.raw(),
                         raw_inputs.data(), count, &raw);
      break;
    case STRATA_LOSS:
      done = call_plugin(instance.functions<strata_loss>().infer, instance.raw(), raw_inputs.data(),
                         count, &raw);
      break;
    case STRATA_METRIC:
      done = call_plugin(instance.functions<strata_metric>().infer, instance.raw(),
                         raw_inputs.data(), count, &raw);
      break;
    default:
      return make_error(ExitCode::kInternal, "a {} has no shapes to infer",
                        kind_name(instance.entry().kind()));
  }
  if (!done) return done.error();
  return plan;
}

std::shared_ptr<FusedInstance> FusedInstance::create(const Entry& fusion,
                                                     const std::vector<const Instance*>& members,
                                                     const Input& input) {
  std::shared_ptr<FusedInstance> fused(new FusedInstance);
  fused->entry_ = &fusion;
  std::vector<strata_member> raw_members;
  for (const Instance* member : members) {
    const std::vector<strata_value>& options = member->raw_options();
    raw_members.push_back({sizeof(strata_member), member->entry().table->name,
                           &member->entry().schema(), options.data(),
                           static_cast<std::int64_t>(options.size())});
  }
  const strata_input raw_input{sizeof(strata_input), input.name.c_str(),
                               input.dtype,          input.is_target,
                               input.classes,        plugin_internal::from_shape(input.shape)};
  const strata_fusion& functions = fused->functions();
  Status done =
      call_plugin(functions.create, static_cast<const strata_member*>(raw_members.data()),
                  static_cast<std::int64_t>(raw_members.size()), &raw_input.shape, &fused->raw_);
  if (!done || !fused->raw_) return nullptr;
  strata_plan raw = collector(fused->plan_);
  done = call_plugin(functions.infer, static_cast<const void*>(fused->raw_), &raw_input,
                     std::int64_t{1}, &raw);
  if (!done) return nullptr;
  return fused;
}

FusedInstance::~FusedInstance() {
  if (raw_) functions().destroy(raw_);
}

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

namespace {

strata_data_plan collector(DataDescription& description) {
  strata_data_plan raw{};
  raw.struct_size = sizeof raw;
  raw.host = &description;
  static constexpr auto self = [](void* host) -> DataDescription& {
    return *static_cast<DataDescription*>(host);
  };
  raw.add_field = [](void* h, const strata_field* field) {
    self(h).fields.push_back({field->name,
                              static_cast<strata_dtype>(field->dtype),
                              plugin_internal::to_shape(field->shape),
                              field->classes,
                              {}});
  };
  raw.add_split = [](void* h, const char* name, std::int64_t samples) {
    self(h).splits.push_back({name, samples});
  };
  raw.add_class_name = [](void* h, const char* field, const char* name) {
    const int i = self(h).find_field(field);
    if (i >= 0) self(h).fields[static_cast<std::size_t>(i)].class_names.emplace_back(name);
  };
  return raw;
}

}  // namespace

Result<DataDescription> describe_dataset(const Instance& dataset) {
  DataDescription description;
  strata_data_plan plan = collector(description);
  const Status done =
      call_plugin(dataset.functions<strata_dataset>().describe, dataset.raw(), &plan);
  if (!done) return done.error();
  return description;
}

Result<DataDescription> open_dataset(const Instance& dataset,
                                     const std::vector<std::string>& folders) {
  std::vector<const char*> raw_folders;
  for (const std::string& folder : folders) raw_folders.push_back(folder.c_str());
  DataDescription description;
  strata_data_plan plan = collector(description);
  const Status done =
      call_plugin(dataset.functions<strata_dataset>().open, dataset.raw(), raw_folders.data(),
                  static_cast<std::int64_t>(raw_folders.size()), &plan);
  if (!done) return done.error();
  return description;
}

Result<DataDescription> infer_transform(const Instance& transform, const DataDescription& input) {
  std::vector<strata_field> raw_fields;
  for (const auto& field : input.fields) {
    raw_fields.push_back({sizeof(strata_field), field.name.c_str(), field.dtype, field.classes,
                          plugin_internal::from_shape(field.shape)});
  }
  DataDescription description;
  strata_data_plan plan = collector(description);
  const Status done =
      call_plugin(transform.functions<strata_transform>().infer, transform.raw(), raw_fields.data(),
                  static_cast<std::int64_t>(raw_fields.size()), &plan);
  if (!done) return done.error();
  description.splits = input.splits;
  for (auto& field : description.fields) {
    const int before = input.find_field(field.name);
    if (before >= 0) field.class_names = input.fields[static_cast<std::size_t>(before)].class_names;
  }
  return description;
}

}  // namespace strata
