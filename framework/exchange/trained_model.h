// A model with its weights, as exports read it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/error.h"
#include "framework/graph/program.h"
#include "framework/plugin/exchange.h"
#include "framework/runtime/executor.h"

namespace strata {

class TrainedModel {
 public:
  // `weights` as in evaluate(): a run folder, a checkpoint, a weights file. The program outlives
  // it.
  static Result<TrainedModel> load(const Program& program, const std::string& weights);
  // With memory for weights that the caller writes.
  static Result<TrainedModel> empty(const Program& program);

  const Program& program() const { return *program_; }
  // Parameters and states, in the order of the graph.
  const std::vector<NamedTensor>& tensors() const { return executor_->tensors(); }
  // Null where there is none; `path` is a node's.
  const NamedTensor* find(std::string_view path, std::string_view name) const;

 private:
  const Program* program_ = nullptr;
  std::unique_ptr<Executor> executor_;
  std::map<std::string, const NamedTensor*, std::less<>> by_name_;
};

// Elements in row-major order.
std::vector<double> values_of(const NamedTensor& tensor);

// What the layer's class says of itself in exchange.h; null where it says nothing.
const plugin_internal::ExchangeMethods* exchange_methods_of(const Instance& layer);

}  // namespace strata
