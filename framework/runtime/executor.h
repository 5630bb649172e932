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

enum class TensorRole { kParameter, kState, kSlot, kAverage, kFitted };

// A tensor that makes up the state of training, by its stable name: "dense1.weight",
// "batch_norm1.running_mean", "dense1.weight/exp_avg", "dense1.weight/ema",
// "data/standardize.mean".
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

// Is told how long each piece of a step took; called from the threads that do the work.
class StepWatcher {
 public:
  enum class Work { kForward, kLoss, kBackward, kUpdate };
  struct Span {
    Work work = Work::kForward;
    int unit = -1;  // into Executor::units(); -1: of no layer (losses, the update of all weights)
    std::int64_t begin = 0, end = 0;  // nanoseconds of the steady clock
  };
  virtual ~StepWatcher() = default;
  virtual void on_work(const Span& span) = 0;
};

// Is shown the values of training steps; called from the threads that do the work, for several
// units at once.
class ValueWatcher {
 public:
  virtual ~ValueWatcher() = default;
  // The first output of a unit, [count], after its forward; and its gradient, before the unit's
  // backward.
  virtual void on_output(int unit, const void* values, std::int64_t count) = 0;
  virtual void on_output_gradient(int unit, const void* values, std::int64_t count) = 0;
  // A parameter as it was in this step, and its gradient of the same size. After backward, one by
  // one in the order of tensors().
  virtual void on_parameter(int unit, const NamedTensor& parameter, const void* gradient) = 0;
};

struct ExecutorOptions {
  bool fuse = true;   // layers that a fusion plugin can do in one; false: each on its own
  bool reuse = true;  // memory of values that nobody reads any more
  // Prediction alone: what depends on weights only (batch normalization folded into them) is
  // computed once. Weights may then only be written before the first prediction, or after tensors()
  // was called again.
  bool fold = false;
  // Sees every training step; gradients are then kept until the step's end.
  ValueWatcher* values = nullptr;
};

class Executor {
 public:
  // `capacity`: the largest batch. Without losses (prediction) `training` is false and no gradients
  // are laid out.
  static Result<std::unique_ptr<Executor>> create(const Program& program, std::int64_t capacity,
                                                  bool training,
                                                  const ExecutorOptions& options = {});
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
    std::int64_t step = 1;  // of the optimizer, from 1, over the whole run
    double learning_rate = 0;
    std::int64_t batch = 0;    // of the run, from 1, which keys the random streams; 0: as `step`
    std::int64_t samples = 0;  // of all batches that make up the step; 0: of this one alone
    bool update = true;        // false: the gradients wait for the step's other batches
  };
  // One step of training, or one batch of a step that several make up (gradient accumulation). Adds
  // to `figures`. Fails where a value is not finite: the message names the first bad layer
  // (ExitCode::kDiverged); weights may then have made part of the step.
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

  // Exchanges the weights with their moving averages (train.ema), and back. Does nothing where none
  // are kept.
  virtual void swap_averages() = 0;

  // What runs as one: a layer, or several that a fusion does together.
  struct Unit {
    std::string path;             // "dense1", or "dense1 + batch_norm1 + re_lu1"
    std::string kind;             // "Dense", or the fusion's name
    std::vector<int> nodes;       // into Graph::nodes
    bool backward = false;        // whether it has anything to do in backward
    bool input_gradient = false;  // whether backward also makes the gradient of its input
  };
  virtual const std::vector<Unit>& units() const = 0;
  virtual void watch(StepWatcher* watcher) = 0;  // null: nobody

  virtual Figures make_figures() const = 0;  // zeros, of the right sizes
  // Bytes of everything that was laid out, by use.
  struct Memory {
    std::int64_t weights = 0, gradients = 0, slots = 0, activations = 0, scratch = 0;
    std::int64_t total() const { return weights + gradients + slots + activations + scratch; }
  };
  virtual Memory memory() const = 0;
};

}  // namespace strata
