// The executor over laid-out buffers, in f32 or f64.
#include "framework/runtime/executor.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "framework/base/random.h"
#include "framework/plugin/services.h"
#include "framework/runtime/finite.h"
#include "framework/runtime/graph_buffers.h"
#include "framework/runtime/terms.h"
#include "framework/runtime/updater.h"
#include "framework/tensor/parallel.h"

namespace strata {
namespace {

template <class T>
class TypedExecutor final : public Executor {
 public:
  TypedExecutor(const Program& program, std::int64_t capacity, bool training)
      : program_(program),
        graph_(program.graph),
        capacity_(capacity),
        training_(training),
        updater_(training ? program.train.optimizer.get() : nullptr),
        buffers_(graph_, capacity, sizeof(T), training, updater_.slot_names()),
        terms_(program, buffers_, capacity) {
    for (const ValueId input : graph_.inputs)
      input_storage_.push_back(static_cast<T*>(buffers_.value(input)));
    if (training) updater_.plan(buffers_.parameters);
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      units_.push_back({graph_.nodes[n].path, graph_.nodes[n].layer->entry().name(),
                        {static_cast<int>(n)}, buffers_.nodes[n].backward, true});
    }
  }

  std::int64_t capacity() const override { return capacity_; }
  const std::vector<NamedTensor>& tensors() const override { return buffers_.tensors; }
  const void* output(int index) const override {
    return buffers_.value(graph_.outputs[static_cast<std::size_t>(index)]);
  }
  const double* sample_losses() const override { return terms_.sample_losses(); }
  Figures make_figures() const override { return terms_.make_figures(); }
  Memory memory() const override { return buffers_.memory(); }
  void swap_averages() override {}
  const std::vector<Unit>& units() const override { return units_; }
  void watch(StepWatcher* watcher) override { watcher_ = watcher; }

  Status initialize(std::uint64_t seed) override {
    for (const ParameterRun& parameter : buffers_.parameters) {
      Status done = fill(parameter, seed);
      if (!done) return done;
      const auto bytes = static_cast<std::size_t>(parameter.tensor.bytes());
      for (void* slot : parameter.slots) std::memset(slot, 0, bytes);
      if (parameter.gradient) std::memset(parameter.gradient, 0, bytes);
    }
    for (std::size_t s = 0; s < buffers_.states.size(); ++s) {
      const NamedTensor& state = buffers_.states[s];
      std::fill_n(static_cast<T*>(state.data), state.shape.elements(),
                  static_cast<T>(buffers_.initial_states[s]));
    }
    return {};
  }

  Status train_step(const BatchView& batch, const StepContext& context, Figures& figures) override {
    bind(batch);
    Status done = forward(batch.size, true, &context);
    if (done) done = terms_.losses(batch, true, figures);
    if (done && !terms_.finite()) done = diverged("the loss", context.step);
    if (done) done = terms_.metrics(batch, figures);
    if (done) done = backward(batch.size);
    if (!done) {
      updater_.clear_gradients();
      return done;
    }
    const ParameterRun* bad = nullptr;
    done = updater_.update(context.step, context.learning_rate, bad);
    if (bad) done = diverged("the gradient of `" + bad->tensor.name + "`", context.step);
    return done;
  }

  Status evaluate(const BatchView& batch, Figures& figures) override {
    bind(batch);
    Status done = forward(batch.size, false, nullptr);
    if (done) done = terms_.losses(batch, false, figures);
    if (done) done = terms_.metrics(batch, figures);
    return done;
  }

  Status predict(std::int64_t size, const void* const* inputs) override {
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i)
      buffers_.bind_input(graph_.inputs[i], inputs[i]);
    return forward(size, false, nullptr);
  }

 private:
  Status fill(const ParameterRun& parameter, std::uint64_t seed) {
    const std::string& name = parameter.tensor.name;
    if (!parameter.plan->initializer)
      return make_error(ExitCode::kPlugin, "`{}` has no initializer", name);
    auto initializer = Instance::create(*parameter.plan->initializer);
    if (!initializer) return initializer.error();
    const StreamKey key =
        stream_key(seed, Purpose::kWeights, name_hash(name.data(), name.size()), 0);
    const strata_shape shape = plugin_internal::from_shape(parameter.plan->shape);
    std::vector<double> values(static_cast<std::size_t>(parameter.plan->shape.elements()));
    const strata_initializer_pass pass{sizeof pass,
                                       &shape,
                                       parameter.plan->fan_in,
                                       parameter.plan->fan_out,
                                       {key[0], key[1]},
                                       static_cast<std::int64_t>(values.size()),
                                       values.data(),
                                       &host_services(),
                                       nullptr};
    const Status done = call_plugin((*initializer)->template functions<strata_initializer>().fill,
                                    (*initializer)->raw(), &pass);
    if (!done) return done;
    std::transform(values.begin(), values.end(), static_cast<T*>(parameter.tensor.data),
                   [](double x) { return static_cast<T>(x); });
    return {};
  }

  // Points the graph's inputs to the batch's fields; bytes and class indices become numbers of the
  // run's precision.
  void bind(const BatchView& batch) {
    const DataDescription& fields = program_.data.result();
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      const auto field = static_cast<std::size_t>(program_.input_fields[i]);
      const void* data = batch.fields[field];
      const std::int64_t count = batch.size * fields.fields[field].shape.elements();
      switch (fields.fields[field].dtype) {
        case STRATA_U8:
          convert(static_cast<const std::uint8_t*>(data), count, input_storage_[i]);
          break;
        case STRATA_I32:
          convert(static_cast<const std::int32_t*>(data), count, input_storage_[i]);
          break;
        default:
          buffers_.bind_input(graph_.inputs[i], data);
          continue;
      }
      buffers_.bind_input(graph_.inputs[i], input_storage_[i]);
    }
  }

  template <class From>
  static void convert(const From* from, std::int64_t count, T* to) {
    for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<T>(from[i]);
  }

  Status forward(std::int64_t size, bool training, const StepContext* context) {
    batch_size_ = size;
    for (NodeRun& run : buffers_.nodes) {
      if (run.view) continue;
      run.pass.batch = size;
      run.pass.training = training;
      if (context) {
        const std::string& path = run.node->path;
        const StreamKey key =
            stream_key(context->seed, Purpose::kLayer, static_cast<std::uint64_t>(context->step),
                       name_hash(path.data(), path.size()));
        run.pass.key[0] = key[0];
        run.pass.key[1] = key[1];
      }
      const Status done = call_plugin(run.node->layer->functions<strata_layer>().forward,
                                      run.node->layer->raw(), &run.pass);
      if (!done) return at(run, done.error());
    }
    return {};
  }

  Status backward(std::int64_t size) {
    for (std::size_t n = buffers_.nodes.size(); n-- > 0;) {
      NodeRun& run = buffers_.nodes[n];
      if (!run.backward) continue;
      for (const ValueId v : run.zero_outputs) clear(v, size);
      for (const ValueId v : run.zero_inputs) clear(v, size);
      const Status done = call_plugin(run.node->layer->functions<strata_layer>().backward,
                                      run.node->layer->raw(), &run.pass);
      if (!done) return at(run, done.error());
    }
    return {};
  }

  void clear(ValueId value, std::int64_t size) {
    void* gradient = buffers_.gradient(value);
    const std::int64_t elements =
        size * graph_.values[static_cast<std::size_t>(value)].shape.elements();
    if (gradient) std::memset(gradient, 0, static_cast<std::size_t>(elements) * sizeof(T));
  }

  static Error at(const NodeRun& run, Error error) {
    error.message = fmt::format("layer `{}` ({}): {}", run.node->path,
                                run.node->layer->entry().name(), error.message);
    return error;
  }

  // Where a value that is not finite first arose: weights, inputs, then layer by layer.
  Error diverged(const std::string& what, std::int64_t step) {
    std::string where;
    for (const ParameterRun& parameter : buffers_.parameters) {
      if (where.empty() && !all_finite(static_cast<const T*>(parameter.tensor.data),
                                       parameter.tensor.shape.elements())) {
        where = fmt::format("the weights `{}` are not finite", parameter.tensor.name);
      }
    }
    const auto look = [&](ValueId v, const std::string& name) {
      const std::int64_t elements = graph_.values[static_cast<std::size_t>(v)].shape.elements();
      const std::int64_t bad =
          first_not_finite(static_cast<const T*>(buffers_.value(v)), batch_size_ * elements);
      if (bad >= 0)
        where = fmt::format("{} first, in sample {} of the batch", name, bad / elements + 1);
    };
    for (std::size_t i = 0; i < graph_.inputs.size() && where.empty(); ++i) {
      look(graph_.inputs[i], fmt::format("the data gave it: field `{}`", graph_.input_names[i]));
    }
    for (const GraphNode& node : graph_.nodes) {
      for (const ValueId v : node.outputs) {
        if (where.empty())
          look(v, fmt::format("layer `{}` ({}) gave it", node.path, node.layer->entry().name()));
      }
    }
    Error error =
        make_error(ExitCode::kDiverged, "{} is not a finite number at step {}", what, step);
    if (!where.empty()) error.message += ": " + where;
    error.hint = "try a smaller learning rate, normalized inputs or batch normalization";
    return error;
  }

  const Program& program_;
  const Graph& graph_;
  std::int64_t capacity_;
  bool training_;
  std::int64_t batch_size_ = 0;
  Updater<T> updater_;
  GraphBuffers buffers_;
  Terms<T> terms_;
  std::vector<T*> input_storage_;
  std::vector<Unit> units_;
  StepWatcher* watcher_ = nullptr;
};

}  // namespace

double Figures::loss(const TrainSettings& settings) const {
  double total = 0;
  for (std::size_t i = 0; i < loss_sums.size(); ++i)
    total += settings.losses[i].weight * loss_sums[i];
  return samples > 0 ? total / static_cast<double>(samples) : 0;
}

Result<std::unique_ptr<Executor>> Executor::create(const Program& program, std::int64_t capacity,
                                                   bool training, const ExecutorOptions&) {
  if (training && (program.train.losses.empty() || !program.train.optimizer)) {
    return make_error(ExitCode::kModel,
                      "training needs a `train` section with a loss and an optimizer");
  }
  try {
    if (program.train.precision == Precision::kF64) {
      return std::unique_ptr<Executor>(
          std::make_unique<TypedExecutor<double>>(program, capacity, training));
    }
    return std::unique_ptr<Executor>(
        std::make_unique<TypedExecutor<float>>(program, capacity, training));
  } catch (const std::bad_alloc&) {
    return make_error(ExitCode::kModel,
                      "not enough memory for the model's {} parameters and batches of {} samples",
                      program.graph.parameter_count(), capacity);
  }
}

}  // namespace strata
