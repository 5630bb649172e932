// Instances, and the host's side of infer: callbacks that collect what a plugin says.
#include "framework/plugin/instance.h"

#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <stdexcept>

#include "framework/base/utf8.h"
#include "framework/plugin/services.h"

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

namespace {

std::string path_of(const Entry& entry) { return entry.library ? entry.library->path : ""; }

// The file of the library that `function` lies in; empty where it is this program itself.
std::string library_of(const void* function) {
  Dl_info there{}, here{};
  if (!dladdr(function, &there) || !dladdr(reinterpret_cast<const void*>(&to_error), &here))
    return {};
  return there.dli_fbase == here.dli_fbase || !there.dli_fname ? "" : there.dli_fname;
}

}  // namespace

Error to_error(strata_error& error, const void* function) {
  error.message[sizeof error.message - 1] = error.hint[sizeof error.hint - 1] = 0;
  const std::string library = library_of(function);
  if (library.empty()) {
    const ExitCode code = error.code == STRATA_INVALID ? ExitCode::kModel
                          : error.code == STRATA_DATA  ? ExitCode::kData
                                                       : ExitCode::kInternal;
    return Error{code, error.message, error.hint};
  }
  const bool says_why = error.message[0] != 0;
  const std::string message = safe_text(error.message), hint = safe_text(error.hint);
  if (says_why && error.code == STRATA_INVALID) return Error{ExitCode::kModel, message, hint};
  if (says_why && error.code == STRATA_DATA) return Error{ExitCode::kData, message, hint};
  return plugin_fault(library, says_why ? message : "it failed without a word");
}

Error thrown_error(const void* function) {
  std::string what = "an exception of an unknown type";
  try {
    throw;
  } catch (const Failure& failure) {
    return failure.error;  // the host's own
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
  }
  const std::string library = library_of(function);
  if (library.empty()) return Error{ExitCode::kInternal, what, ""};
  return plugin_fault(library, fmt::format("an exception came out of it: {}", safe_text(what)));
}

Error plugin_fault(const std::string& library, const std::string& what) {
  if (library.empty())
    return Error{ExitCode::kPlugin, what, "that is a fault of the plugin, not of the file"};
  return Error{ExitCode::kPlugin, fmt::format("the plugin {} failed: {}", library, what),
               fmt::format("that is a fault of the plugin; `trainer plugin check {}` looks for it",
                           library)};
}

namespace {

// What is wrong with the slots that an optimizer asks for; empty where nothing is.
std::string why_no_slots(const Instance& optimizer) {
  const auto& table = optimizer.functions<strata_optimizer>();
  const Running running({&optimizer.entry(), "slot_name"});
  const std::int64_t count = table.slot_count(optimizer.raw());
  if (count < 0 || count > static_cast<std::int64_t>(kMostSlots))
    return fmt::format("it wants {} slots for each weight, and {} are the most", count, kMostSlots);
  std::vector<std::string> names;
  for (std::int64_t slot = 0; slot < count; ++slot) {
    const char* name = table.slot_name(optimizer.raw(), slot);
    if (!name || !*name) return fmt::format("its slot {} has no name", slot);
    if (std::find(names.begin(), names.end(), name) != names.end())
      return fmt::format("two of its slots are called `{}`", name);
    names.emplace_back(name);
  }
  return {};
}

}  // namespace

std::vector<std::string> slot_names(const Instance& optimizer) {
  const auto& table = optimizer.functions<strata_optimizer>();
  const Running running({&optimizer.entry(), "slot_name"});
  std::vector<std::string> names;
  for (std::int64_t slot = 0; slot < table.slot_count(optimizer.raw()); ++slot)
    names.emplace_back(table.slot_name(optimizer.raw(), slot));
  return names;
}

Result<std::shared_ptr<Instance>> Instance::create(PluginCall call) {
  std::shared_ptr<Instance> instance(new Instance);
  instance->call_ = std::move(call);
  instance->values_ = std::make_unique<Values>();
  // Strings and plugin calls are pointed to inside call_, which no longer moves.
  const std::vector<strata_value>& values = instance->values_->convert_all(instance->call_.options);
  const strata_entry& table = *instance->call_.entry->table;
  const Status made = call_noted({&instance->entry(), "create"}, table.create, values.data(),
                                 static_cast<std::int64_t>(values.size()), &instance->raw_);
  if (!made) return made.error();
  if (!instance->raw_)
    return plugin_fault(path_of(instance->entry()),
                        "it says that it was created, and hands no instance over");
  if (instance->entry().kind() == STRATA_OPTIMIZER) {
    const std::string problem = why_no_slots(*instance);
    if (!problem.empty())
      return plugin_fault(path_of(instance->entry()),
                          fmt::format("`{}`: {}", instance->entry().name(), problem));
  }
  return instance;
}

const std::vector<strata_value>& Instance::raw_options() const { return values_->lists.front(); }

namespace {

// Whoever throws here ends the process, and the note says who it was.
void destroy(const Entry& entry, void (*function)(void*), void* instance) noexcept {
  const Running running({&entry, "destroy"});
  function(instance);
}

}  // namespace

Instance::~Instance() {
  if (raw_) destroy(entry(), entry().table->destroy, raw_);
}

bool InferredPlan::has_trait(std::string_view trait) const {
  return std::find(traits.begin(), traits.end(), trait) != traits.end();
}

namespace {

// What a plugin says through callbacks. Nothing may be thrown through its frames, so what is wrong
// is kept, the first of it, and told afterwards.
template <class Said>
struct Collector {
  Said said;
  std::string problem;

  template <class Body>
  static void collect(void* host, Body&& body) noexcept {
    auto& self = *static_cast<Collector*>(host);
    try {
      body(self.said);
    } catch (const std::exception& e) {
      if (self.problem.empty()) self.problem = e.what();
    }
  }
};

void require(bool holds, const char* otherwise) {
  if (!holds) throw std::invalid_argument(otherwise);
}

std::string named(const char* name, const char* what) {
  if (!name || !*name) throw std::invalid_argument(std::string(what) + " has no name");
  return name;
}

Shape shape_of(const strata_shape* shape, const std::string& what) {
  if (!shape) throw std::invalid_argument(what + " has no shape");
  if (shape->rank < 0 || shape->rank > STRATA_MAX_RANK)
    throw std::invalid_argument(fmt::format("{} has a shape of {} axes", what, shape->rank));
  const std::string why = Shape::why_invalid(shape->dims, shape->dims + shape->rank);
  if (!why.empty()) throw std::invalid_argument(fmt::format("{}: {}", what, why));
  return plugin_internal::to_shape(*shape);
}

InferredPlan::Buffer buffer_of(std::int64_t per_sample, std::int64_t fixed) {
  require(per_sample >= 0 && fixed >= 0 && per_sample <= Shape::kMaxElements &&
              fixed <= Shape::kMaxElements,
          "it wants a buffer of an impossible size");
  return {per_sample, fixed};
}

strata_plan callbacks(Collector<InferredPlan>& collector) {
  using C = Collector<InferredPlan>;
  strata_plan raw{};
  raw.struct_size = sizeof raw;
  raw.host = &collector;
  raw.add_output = [](void* h, const strata_shape* shape) {
    C::collect(h, [&](InferredPlan& plan) {
      const std::string what = fmt::format("its output {}", plan.outputs.size());
      plan.outputs.push_back(shape_of(shape, what));
    });
  };
  raw.add_parameter = [](void* h, const char* name, const strata_shape* shape,
                         const strata_value* init, std::int64_t fan_in, std::int64_t fan_out,
                         std::uint32_t flags) {
    C::collect(h, [&](InferredPlan& plan) {
      const std::string own = named(name, "a parameter");
      plan.parameters.push_back({own, shape_of(shape, "its parameter `" + own + "`"),
                                 init ? static_cast<const PluginCall*>(init->plugin) : nullptr,
                                 fan_in, fan_out, (flags & STRATA_DECAY) != 0});
    });
  };
  raw.add_state = [](void* h, const char* name, const strata_shape* shape, double initial) {
    C::collect(h, [&](InferredPlan& plan) {
      const std::string own = named(name, "a state");
      plan.states.push_back({own, shape_of(shape, "its state `" + own + "`"), initial});
    });
  };
  raw.add_saved = [](void* h, std::int64_t per_sample, std::int64_t fixed) {
    C::collect(h, [&](InferredPlan& plan) { plan.saved.push_back(buffer_of(per_sample, fixed)); });
  };
  raw.add_scratch = [](void* h, std::int64_t per_sample, std::int64_t fixed) {
    C::collect(h,
               [&](InferredPlan& plan) { plan.scratch.push_back(buffer_of(per_sample, fixed)); });
  };
  raw.add_prepared = [](void* h, std::int64_t elements) {
    C::collect(h,
               [&](InferredPlan& plan) { plan.prepared.push_back(buffer_of(0, elements).fixed); });
  };
  raw.set_flags = [](void* h, std::uint32_t flags) {
    C::collect(h, [&](InferredPlan& plan) { plan.flags = flags; });
  };
  raw.set_flops = [](void* h, double flops) {
    C::collect(h, [&](InferredPlan& plan) {
      require(std::isfinite(flops) && flops >= 0, "its floating-point operations are no number");
      plan.flops = flops;
    });
  };
  raw.add_trait = [](void* h, const char* trait) {
    C::collect(h, [&](InferredPlan& plan) { plan.traits.push_back(named(trait, "a trait")); });
  };
  raw.set_accumulator = [](void* h, std::int64_t doubles) {
    C::collect(h, [&](InferredPlan& plan) { plan.accumulator = buffer_of(0, doubles).fixed; });
  };
  raw.add_result = [](void* h, const char* name, std::int32_t higher) {
    C::collect(h, [&](InferredPlan& plan) {
      plan.results.push_back({named(name, "a result"), higher != 0});
    });
  };
  return raw;
}

// Runs `call`, which hands the callbacks to a function of the plugin; the function's own error
// comes first.
template <class Said, class Call>
Result<Said> collected(const Entry& entry, Call&& call) {
  Collector<Said> collector;
  auto raw = callbacks(collector);
  const Status done = call(&raw);
  if (!done) return done.error();
  if (!collector.problem.empty())
    return plugin_fault(path_of(entry), fmt::format("`{}`: {}", entry.name(), collector.problem));
  return std::move(collector.said);
}

// A layer without an output, or with two parameters of one name, could be neither run nor saved.
std::string why_unusable(const InferredPlan& plan, Kind kind) {
  if (kind == STRATA_LAYER && plan.outputs.empty()) return "it has no output";
  std::vector<std::string> names;
  for (const auto& parameter : plan.parameters) {
    if (!parameter.initializer)
      return fmt::format("its parameter `{}` has no initializer", parameter.name);
    names.push_back(parameter.name);
  }
  for (const auto& state : plan.states) names.push_back(state.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end())
    return fmt::format("two of its parameters and states are called `{}`", *twice);
  return {};
}

}  // namespace

// Names stay the inputs' own.
static std::vector<strata_input> raw_inputs_of(const std::vector<Input>& inputs) {
  std::vector<strata_input> raw;
  for (const Input& input : inputs) {
    raw.push_back({sizeof(strata_input), input.name.c_str(), input.dtype, input.is_target,
                   input.classes, plugin_internal::from_shape(input.shape)});
  }
  return raw;
}

Result<InferredPlan> infer(const Instance& instance, const std::vector<Input>& inputs) {
  const std::vector<strata_input> raw_inputs = raw_inputs_of(inputs);
  const auto count = static_cast<std::int64_t>(raw_inputs.size());
  auto plan = collected<InferredPlan>(instance.entry(), [&](strata_plan* raw) -> Status {
    const auto run = [&](auto function) {
      return call_noted(instance, "infer", function, raw_inputs.data(), count, raw);
    };
    switch (instance.entry().kind()) {
      case STRATA_LAYER:
        return run(instance.functions<strata_layer>().infer);
      case STRATA_LOSS:
        return run(instance.functions<strata_loss>().infer);
      case STRATA_METRIC:
        return run(instance.functions<strata_metric>().infer);
      default:
        return make_error(ExitCode::kInternal, "a {} has no shapes to infer",
                          kind_name(instance.entry().kind()));
    }
  });
  if (!plan) return plan;
  const std::string problem = why_unusable(*plan, instance.entry().kind());
  if (!problem.empty())
    return plugin_fault(path_of(instance.entry()),
                        fmt::format("`{}`: {}", instance.entry().name(), problem));
  return plan;
}

std::shared_ptr<FusedInstance> FusedInstance::create(const Entry& fusion,
                                                     const std::vector<const Instance*>& members,
                                                     const std::vector<Input>& inputs) {
  std::shared_ptr<FusedInstance> fused(new FusedInstance);
  fused->entry_ = &fusion;
  std::vector<strata_member> raw_members;
  for (const Instance* member : members) {
    const std::vector<strata_value>& options = member->raw_options();
    raw_members.push_back({sizeof(strata_member), member->entry().table->name,
                           &member->entry().schema(), options.data(),
                           static_cast<std::int64_t>(options.size())});
  }
  const std::vector<strata_input> raw_inputs = raw_inputs_of(inputs);
  const strata_fusion& functions = fused->functions();
  Status done = call_noted(
      {&fusion, "create"}, functions.create, static_cast<const strata_member*>(raw_members.data()),
      static_cast<std::int64_t>(raw_members.size()), &raw_inputs[0].shape, &fused->raw_);
  if (!done || !fused->raw_) return nullptr;
  auto plan = collected<InferredPlan>(fusion, [&](strata_plan* raw) {
    return call_noted({&fusion, "infer"}, functions.infer, static_cast<const void*>(fused->raw_),
                      raw_inputs.data(), static_cast<std::int64_t>(raw_inputs.size()), raw);
  });
  if (!plan || (inputs.size() > 1 && !plan->has_trait("branches"))) return nullptr;
  fused->plan_ = std::move(*plan);
  return fused;
}

FusedInstance::~FusedInstance() {
  if (raw_) destroy(*entry_, functions().destroy, raw_);
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

}  // namespace

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
