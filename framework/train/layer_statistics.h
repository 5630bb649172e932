// What goes through a model's layers in a training step, in a few numbers each: what batch
// normalization changes, and where gradients vanish.
//
// They are taken on a second executor that runs each layer on its own (in a fused plan values
// between layers are never in memory), from a copy of the weights: training does not depend on them
// to the last bit, and they cost one plain step each time, and the memory of a second executor.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/graph/program.h"
#include "framework/runtime/executor.h"

namespace strata {

struct Moments {
  std::int64_t count = 0;  // 0: there are no values
  double mean = 0, deviation = 0,
         zeros = 0;  // deviation over n; zeros: share of exact ones, 0 to 1
};

// Two passes, in f64, in one fixed order.
template <class T>
Moments moments_of(const T* values, std::int64_t count);

struct LayerStatistics {
  struct Parameter {
    std::string name;  // "weight"
    Moments value, gradient;
  };
  std::string layer, kind;  // "dense1", "Dense"
  Moments activation;       // its first output, over all samples of the batch
  Moments gradient;         // of the loss (mean over the batch) with respect to that output
  std::vector<Parameter> parameters;
};

class LayerProbe final : private ValueWatcher {
 public:
  // For batches of at most `capacity` samples. Fails where there is not enough memory.
  static Result<std::unique_ptr<LayerProbe>> create(const Program& program, std::int64_t capacity);

  // Does the step that training is about to do, with weights and states as `tensors` (of another
  // executor of the same program) has them. False where it came to nothing: training meets, and
  // says, what stood against it.
  bool measure(const std::vector<NamedTensor>& tensors, const BatchView& batch,
               const Executor::StepContext& context);
  // Of the last measure(): layers that do something, in the order of the graph.
  const std::vector<LayerStatistics>& layers() const { return layers_; }

 private:
  LayerProbe() = default;
  void on_output(int unit, const void* values, std::int64_t count) override;
  void on_output_gradient(int unit, const void* values, std::int64_t count) override;
  void on_parameter(int unit, const NamedTensor& parameter, const void* gradient) override;
  Moments moments(const void* values, std::int64_t count) const;

  Precision precision_ = Precision::kF32;
  std::unique_ptr<Executor> executor_;
  std::vector<LayerStatistics> units_;  // of each unit of the executor
  std::vector<LayerStatistics> layers_;
};

}  // namespace strata
