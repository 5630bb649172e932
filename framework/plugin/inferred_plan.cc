// What layers, losses, metrics and fusions infer: shapes, buffers and flags.
#include <algorithm>
#include <cmath>

#include "framework/plugin/collector.h"

namespace strata {

bool InferredPlan::has_trait(std::string_view trait) const {
  return std::find(traits.begin(), traits.end(), trait) != traits.end();
}

namespace plugin_host {
namespace {

InferredPlan::Buffer buffer_of(std::int64_t per_sample, std::int64_t fixed) {
  require(per_sample >= 0 && fixed >= 0 && per_sample <= Shape::kMaxElements &&
              fixed <= Shape::kMaxElements,
          "it wants a buffer of an impossible size");
  return {per_sample, fixed};
}

}  // namespace

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

}  // namespace plugin_host

using plugin_host::collected;
using plugin_host::path_of;

namespace {

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
  if (raw_) plugin_host::destroy(*entry_, functions().destroy, raw_);
}

}  // namespace strata
