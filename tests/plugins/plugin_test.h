// Short ways to make and call plugins in tests.
#pragma once

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "framework/plugin/instance.h"
#include "framework/plugin/options.h"
#include "framework/plugin/pass.h"
#include "framework/plugin/testing/layer_run.h"

namespace strata::test {

using Json = nlohmann::ordered_json;
using conformance::Buffer;
using conformance::LayerCase;
using conformance::LayerRun;
using conformance::serial_services;

inline const Registry& registry() {
  static const Registry registry = Registry::builtin();
  return registry;
}

inline Json read_json(const std::string& path) { return Json::parse(std::ifstream(path)); }

inline OptionValue option_value(const Json& json) {
  if (json.is_null()) return {};
  if (json.is_boolean()) return {json.get<bool>()};
  if (json.is_number_integer()) return {json.get<std::int64_t>()};
  if (json.is_number()) return {json.get<double>()};
  if (json.is_string()) return {json.get<std::string>()};
  OptionValue::List items;
  for (const Json& item : json) items.push_back(option_value(item));
  return {std::move(items)};
}

// A plugin with some options given and the others at their defaults: create(STRATA_LAYER, "Dense",
// {{"units", 3}}).
inline Result<InstancePtr> try_create(Kind kind, const std::string& name,
                                      const Json& options = Json::object()) {
  const Entry* entry = registry().find(kind, name);
  if (!entry) return make_error(ExitCode::kPlugin, "no {} `{}`", kind_name(kind), name);
  PluginCall call{entry, {}};
  for (const auto& [key, value] : options.items()) {
    if (entry->find_option(key) < 0) return make_error(ExitCode::kModel, "no option `{}`", key);
  }
  for (std::int64_t i = 0; i < entry->schema().option_count; ++i) {
    const strata_option& option = entry->schema().options[i];
    if (!options.contains(option.name)) {
      auto value = default_value(option, registry());
      if (!value) return value.error();
      call.options.push_back(std::move(*value));
      continue;
    }
    OptionValue value = option_value(options[option.name]);
    const std::string problem = check_option(option, value);
    if (!problem.empty()) return Error{ExitCode::kModel, problem, {}};
    call.options.push_back(std::move(value));
  }
  return Instance::create(std::move(call));
}

inline InstancePtr create(Kind kind, const std::string& name,
                          const Json& options = Json::object()) {
  auto instance = try_create(kind, name, options);
  if (!instance) throw std::runtime_error(instance.error().message);
  return *instance;
}

// What a plugin says of inputs that it should refuse.
inline std::string refusal(const InstancePtr& instance, const std::vector<Input>& inputs) {
  const auto plan = infer(*instance, inputs);
  return plan ? "accepted" : plan.error().message;
}

inline Input output(Shape shape, std::string name = "logits") {
  return {std::move(name), shape, STRATA_REAL, false, 0};
}
inline Input label(std::int64_t classes) { return {"label", {}, STRATA_I32, true, classes}; }
inline Input target(Shape shape, strata_dtype dtype = STRATA_REAL) {
  return {"target", shape, dtype, true, 0};
}

// A layer on one input, in f64, with its buffers.
struct OneLayer {
  OneLayer(const std::string& name, const Json& options, const Shape& input, std::int64_t batch)
      : instance(create(STRATA_LAYER, name, options)),
        plan(plan_of(input)),
        layer_case(*instance, plan, {input}, batch) {}

  InferredPlan plan_of(const Shape& input) const {
    auto made = infer(*instance, {{"x", input, STRATA_REAL, false, 0}});
    if (!made) throw std::runtime_error(made.error().message);
    return *made;
  }
  InstancePtr instance;
  InferredPlan plan;
  LayerCase layer_case;
};

// Losses of a batch and, where wanted, the gradient of their sum times `scale` with respect to the
// first input.
struct LossResult {
  Status status;
  std::vector<double> losses, gradient;
};
template <class T>
LossResult evaluate(const InstancePtr& loss, const Shape& shape, const std::vector<double>& scores,
                    const std::vector<std::int32_t>& labels,
                    const std::vector<double>& targets = {}, double scale = 1) {
  const bool has_labels = targets.empty();
  const std::int64_t batch = static_cast<std::int64_t>(scores.size()) / shape.elements();
  Buffer<T> input(static_cast<std::int64_t>(scores.size())), gradient(input.size());
  Buffer<T> values(static_cast<std::int64_t>(targets.size()));
  Buffer<double> losses(batch);
  input.set(scores);
  values.set(targets);
  const strata_shape shapes[] = {plugin_internal::from_shape(shape),
                                 plugin_internal::from_shape(has_labels ? Shape{} : shape)};
  const void* inputs[] = {input.data(),
                          has_labels ? static_cast<const void*>(labels.data()) : values.data()};
  void* gradients[] = {gradient.data(), nullptr};
  strata_loss_pass pass{};
  pass.struct_size = sizeof pass;
  pass.dtype = dtype_of<T>();
  pass.batch = batch;
  pass.shapes = shapes;
  pass.inputs = inputs;
  pass.losses = losses.data();
  pass.d_inputs = gradients;
  pass.scale = scale;
  pass.services = &serial_services();
  Status status = call_plugin(loss->functions<strata_loss>().evaluate, loss->raw(), &pass);
  return {std::move(status), losses.values(), gradient.values()};
}

MATCHER_P2(IsNear, expected, relative, "") {
  if (arg.size() != expected.size()) return false;
  for (std::size_t i = 0; i < arg.size(); ++i) {
    if (!(std::abs(arg[i] - expected[i]) <= relative * std::max(1.0, std::abs(expected[i])))) {
      *result_listener << "element " << i << " is " << arg[i] << ", not " << expected[i];
      return false;
    }
  }
  return true;
}

}  // namespace strata::test
