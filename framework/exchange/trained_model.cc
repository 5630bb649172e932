#include "framework/exchange/trained_model.h"

#include "framework/train/session.h"

namespace strata {

Result<TrainedModel> TrainedModel::empty(const Program& program) {
  auto executor = Executor::create(program, 1, /*training=*/false);
  if (!executor) return executor.error();
  TrainedModel model;
  model.program_ = &program;
  model.executor_ = std::move(*executor);
  for (const NamedTensor& tensor : model.tensors()) model.by_name_[tensor.name] = &tensor;
  return model;
}

Result<TrainedModel> TrainedModel::load(const Program& program, const std::string& weights) {
  auto model = empty(program);
  if (!model) return model;
  const Status loaded = load_weights(weights, *model->executor_, nullptr);
  if (!loaded) return loaded.error();
  return model;
}

const NamedTensor* TrainedModel::find(std::string_view path, std::string_view name) const {
  const auto at = by_name_.find(fmt::format("{}.{}", path, name));
  return at == by_name_.end() ? nullptr : at->second;
}

std::vector<double> values_of(const NamedTensor& tensor) {
  const std::int64_t count = tensor.shape.elements();
  if (tensor.precision == Precision::kF64) {
    const auto* values = static_cast<const double*>(tensor.data);
    return {values, values + count};
  }
  const auto* values = static_cast<const float*>(tensor.data);
  return {values, values + count};
}

const plugin_internal::ExchangeMethods* exchange_methods_of(const Instance& layer) {
  const plugin_internal::ExchangeMethods* methods = plugin_internal::exchange_methods();
  while (methods && methods->functions != layer.entry().table->functions) methods = methods->next;
  return methods;
}

}  // namespace strata
