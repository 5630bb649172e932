// Runs a program's graph: forward, losses, backward, updates, over buffers that are laid out once.
//
// One executor serves one thread at a time; its work runs on the pool that calls it
// (ThreadPool::run). How work is cut depends on shapes alone, so results are the same bits on any
// number of threads. Nothing is allocated in a step.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/graph/program.h"

namespace strata {

enum class TensorRole { kParameter, kState, kSlot };

// A tensor that makes up the state of training, by its stable name: "dense1.weight",
// "batch_norm1.running_mean", "dense1.weight/exp_avg".
struct NamedTensor {
  std::string name;
  Shape shape;
  Precision precision = Precision::kF32;
  TensorRole role = TensorRole::kParameter;
  void* data = nullptr;  // owned by the executor

  std::int64_t bytes() const { return shape.elements() * (precision == Precision::kF32 ? 4 : 8); }
};

// Samples in the caller's buffers, one per field of the data pipeline's result, [size, elements]
// each.
struct BatchView {
  std::int64_t size = 0;
  const void* const* fields = nullptr;
};

// Sums over samples, so that batches of any size add up.
struct Figures {
  std::int64_t samples = 0;
  std::vector<double> loss_sums;                  // one per loss, unweighted
  std::vector<std::vector<double>> accumulators;  // one per metric

  double loss(const TrainSettings& settings) const;  // weighted, per sample
};

class Executor {
 public:
  // `capacity`: the largest batch. Without losses (prediction) `training` is false and no gradients
  // are laid out.
  static Result<std::unique_ptr<Executor>> create(const Program& program, std::int64_t capacity,
                                                  bool training);
  virtual ~Executor() = default;

  virtual std::int64_t capacity() const = 0;
  // Parameters, states and slots, in the order of the graph; the data may be read and written
  // between steps.
  virtual const std::vector<NamedTensor>& tensors() const = 0;
  // Starting values by the initializers, each from a stream of (seed, the parameter's name); states
  // and slots reset.
  virtual Status initialize(std::uint64_t seed) = 0;

  struct StepContext {
    std::uint64_t seed = 0;
    std::int64_t step = 1;  // from 1, over the whole run
    double learning_rate = 0;
  };
  // One step of training. Adds to `figures`. Fails where a value is not finite: the message names
  // the first bad layer (ExitCode::kDiverged); weights are then as before the step.
  virtual Status train_step(const BatchView& batch, const StepContext& context,
                            Figures& figures) = 0;
  // Forward in inference mode, losses and metrics.
  virtual Status evaluate(const BatchView& batch, Figures& figures) = 0;
  // Forward in inference mode only; outputs are then at output(i). `inputs`: one per input of the
  // graph, in the run's precision.
  virtual Status predict(std::int64_t size, const void* const* inputs) = 0;
  // The i-th output of the model, [batch, elements], in the run's precision; valid until the next
  // call.
  virtual const void* output(int index) const = 0;
  // Per sample, of the last train_step or evaluate: the weighted sum of the losses.
  virtual const double* sample_losses() const = 0;

  virtual Figures make_figures() const = 0;  // zeros, of the right sizes
  // Bytes of everything that was laid out, by use.
  struct Memory {
    std::int64_t weights = 0, gradients = 0, slots = 0, activations = 0, scratch = 0;
    std::int64_t total() const { return weights + gradients + slots + activations + scratch; }
  };
  virtual Memory memory() const = 0;
};

}  // namespace strata
