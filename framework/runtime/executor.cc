// The executor over laid-out buffers, in f32 or f64.
#include "framework/runtime/executor.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <deque>
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
  TypedExecutor(const Program& program, std::int64_t capacity, bool training,
                const ExecutorOptions& options)
      : program_(program),
        graph_(program.graph),
        capacity_(capacity),
        options_(options),
        updater_(training ? &program.train : nullptr, options.values != nullptr),
        buffers_(
            graph_,
            plan_units(graph_, options.fuse ? program.fusions : std::vector<const Entry*>{}),
            {capacity, sizeof(T), training, options.reuse, updater_.keeps_gradients(),
             training && program.train.ema.has_value(), options.fold && !training,
             updater_.slot_names(), training ? program.train.frozen : std::vector<std::string>{}}),
        terms_(program, buffers_, capacity),
        failures_(buffers_.units.size()) {
    for (const ValueId input : graph_.inputs)
      input_storage_.push_back(static_cast<T*>(buffers_.value(input)));
    if (training) updater_.plan(buffers_);
    for (UnitRun& run : buffers_.units) {
      owners_.push_back({this, &run});
      run.pass.gradient = &receive;
      run.pass.host = &owners_.back();
      units_.push_back({run.path, run.kind, run.unit.nodes, run.backward,
                        run.backward && !run.d_inputs.empty() && run.d_inputs[0] != nullptr});
    }
  }

  std::int64_t capacity() const override { return capacity_; }
  const std::vector<NamedTensor>& tensors() const override {
    prepared_ = false;
    return buffers_.tensors;
  }
  const void* output(int index) const override {
    return buffers_.value(graph_.outputs[static_cast<std::size_t>(index)]);
  }
  const double* sample_losses() const override { return terms_.sample_losses(); }
  Figures make_figures() const override { return terms_.make_figures(); }
  Memory memory() const override { return buffers_.memory(); }
  void swap_averages() override { updater_.swap_averages(); }
  const std::vector<Executor::Unit>& units() const override { return units_; }
  void watch(StepWatcher* watcher) override { watcher_ = watcher; }

  Status initialize(std::uint64_t seed) override {
    prepared_ = false;
    for (const ParameterRun& parameter : buffers_.parameters) {
      Status done = fill(parameter, seed);
      if (!done) return done;
      const auto bytes = static_cast<std::size_t>(parameter.tensor.bytes());
      for (void* slot : parameter.slots) std::memset(slot, 0, bytes);
      if (parameter.average) std::memcpy(parameter.average, parameter.tensor.data, bytes);
    }
    updater_.clear_gradients();
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
    if (done) {
      const Timed timed(watcher_, StepWatcher::Work::kLoss, -1);
      done =
          terms_.losses(batch, true, figures, context.samples > 0 ? context.samples : batch.size);
      if (done && !terms_.finite()) done = diverged("the loss", batch, context);
      if (done) done = terms_.metrics(batch, figures);
    }
    if (!done) return done;
    updater_.begin(context.step, context.learning_rate, first_of_step_, context.update);
    first_of_step_ = context.update;
    done = backward(batch.size);
    if (options_.values && done) show_parameters();
    int bad = -1;
    Status updated;
    {
      const Timed timed(updater_.keeps_gradients() ? watcher_ : nullptr, StepWatcher::Work::kUpdate,
                        -1);
      updated = updater_.end(bad);
    }
    if (bad >= 0) {
      const std::string& name = buffers_.parameters[static_cast<std::size_t>(bad)].tensor.name;
      Error error =
          make_error(ExitCode::kDiverged, "the gradient of `{}` is not a finite number at step {}",
                     name, context.step);
      error.hint = "try a smaller learning rate, or `clip_norm = 1.0` in `train`";
      return error;
    }
    return done ? updated : done;
  }

  Status evaluate(const BatchView& batch, Figures& figures) override {
    bind(batch);
    Status done = forward(batch.size, false, nullptr);
    if (done) done = terms_.losses(batch, false, figures, batch.size);
    if (done) done = terms_.metrics(batch, figures);
    return done;
  }

  Status predict(std::int64_t size, const void* const* inputs) override {
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i)
      buffers_.bind_input(graph_.inputs[i], inputs[i]);
    if (options_.fold && !prepared_) {
      if (Status done = prepare(); !done) return done;
    }
    return forward(size, false, nullptr);
  }

 private:
  // Tells the watcher of a piece of work, if there is one.
  class Timed {
   public:
    Timed(StepWatcher* watcher, StepWatcher::Work work, int unit) : watcher_(watcher) {
      if (watcher) span_ = {work, unit, now(), 0};
    }
    ~Timed() {
      if (!watcher_) return;
      span_.end = now();
      watcher_->on_work(span_);
    }
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;

   private:
    static std::int64_t now() {
      return std::chrono::duration_cast<std::chrono::nanoseconds>(
                 std::chrono::steady_clock::now().time_since_epoch())
          .count();
    }
    StepWatcher* watcher_;
    StepWatcher::Span span_;
  };

  struct Owner {
    TypedExecutor* executor;
    UnitRun* run;
  };

  static void receive(void* host, std::int64_t parameter, std::int64_t begin, std::int64_t count,
                      void* values) {
    const Owner& owner = *static_cast<Owner*>(host);
    ParameterRun& run =
        owner.executor->buffers_
            .parameters[static_cast<std::size_t>(owner.run->first_parameter + parameter)];
    owner.executor->updater_.receive(run, begin, count, static_cast<T*>(values));
  }

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
    const Status done =
        call_noted(**initializer, "fill",
                   (*initializer)->template functions<strata_initializer>().fill, &pass);
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

  // Runs body(unit) wave by wave, the units of a wave at once. Of several failures the first unit's
  // counts.
  template <class Body>
  Status over(const std::vector<std::vector<int>>& waves, Body&& body) {
    for (const std::vector<int>& wave : waves) {
      if (wave.size() == 1) {
        const auto u = static_cast<std::size_t>(wave[0]);
        if (Status done = body(u); !done) return at(buffers_.units[u], done.error());
        continue;
      }
      std::atomic<bool> failed{false};
      auto task = [&](std::int64_t i) {
        const auto u = static_cast<std::size_t>(wave[static_cast<std::size_t>(i)]);
        failures_[u] = body(u);
        if (!failures_[u]) failed = true;
      };
      parallel_tasks(
          static_cast<std::int64_t>(wave.size()),
          [](void* context, std::int64_t i) { (*static_cast<decltype(task)*>(context))(i); },
          &task);
      if (!failed) continue;
      for (const int unit : wave) {
        const auto u = static_cast<std::size_t>(unit);
        if (!failures_[u]) return at(buffers_.units[u], failures_[u].error());
      }
    }
    return {};
  }

  Status forward(std::int64_t size, bool training, const StepContext* context) {
    return over(buffers_.forward_waves, [&](std::size_t u) {
      UnitRun& run = buffers_.units[u];
      const Timed timed(watcher_, StepWatcher::Work::kForward, static_cast<int>(u));
      run.pass.batch = size;
      run.pass.training = training;
      run.pass.prepared = prepared_ && run.prepare_call ? run.prepared.data() : nullptr;
      run.pass.scratch = run.scratch.data();
      if (context) {
        const std::int64_t batch = context->batch > 0 ? context->batch : context->step;
        const StreamKey key = stream_key(context->seed, Purpose::kLayer,
                                         static_cast<std::uint64_t>(batch), run.path_hash);
        run.pass.key[0] = key[0];
        run.pass.key[1] = key[1];
      }
      const Status done =
          call_noted(run.call("forward"), run.forward_call, run.instance, &run.pass);
      if (options_.values && training && done && !run.outputs.empty())
        options_.values->on_output(static_cast<int>(u), buffers_.value(run.outputs[0]),
                                   elements_of(run.outputs[0], size));
      return done;
    });
  }

  Status backward(std::int64_t size) {
    return over(buffers_.backward_waves, [&](std::size_t u) {
      UnitRun& run = buffers_.units[u];
      Status done;
      {
        const Timed timed(watcher_, StepWatcher::Work::kBackward, static_cast<int>(u));
        run.pass.scratch = run.scratch_backward.data();
        for (const ValueId v : run.zero_outputs) clear(v, size);
        for (const ValueId v : run.zero_inputs) clear(v, size);
        if (options_.values && !run.outputs.empty() && buffers_.gradient(run.outputs[0]))
          options_.values->on_output_gradient(static_cast<int>(u),
                                              buffers_.gradient(run.outputs[0]),
                                              elements_of(run.outputs[0], size));
        for (int p = 0; !run.hands_gradients() && p < run.parameter_count; ++p) {
          const ParameterRun& parameter = parameter_of(run, p);
          if (updater_.keeps_gradients() && !parameter.frozen) continue;
          std::memset(parameter.gradient, 0, static_cast<std::size_t>(parameter.tensor.bytes()));
        }
        done = call_noted(run.call("backward"), run.backward_call, run.instance, &run.pass);
      }
      if (!done || run.hands_gradients() || run.parameter_count == 0) return done;
      const Timed timed(watcher_, StepWatcher::Work::kUpdate, static_cast<int>(u));
      for (int p = 0; p < run.parameter_count; ++p) updater_.finish(parameter_of(run, p));
      return done;
    });
  }

  ParameterRun& parameter_of(const UnitRun& run, int p) {
    return buffers_.parameters[static_cast<std::size_t>(run.first_parameter + p)];
  }

  Status prepare() {
    for (UnitRun& run : buffers_.units) {
      if (!run.prepare_call) continue;
      run.pass.prepared = run.prepared.data();
      const Status done =
          call_noted(run.call("prepare"), run.prepare_call, run.instance, &run.pass);
      if (!done) return at(run, done.error());
    }
    prepared_ = true;
    return {};
  }

  void clear(ValueId value, std::int64_t size) {
    void* gradient = buffers_.gradient(value);
    if (gradient)
      std::memset(gradient, 0, static_cast<std::size_t>(elements_of(value, size)) * sizeof(T));
  }

  std::int64_t elements_of(ValueId value, std::int64_t size) const {
    return size * graph_.values[static_cast<std::size_t>(value)].shape.elements();
  }

  void show_parameters() {
    for (const ParameterRun& parameter : buffers_.parameters)
      if (!parameter.frozen && buffers_.units[static_cast<std::size_t>(parameter.unit)].backward)
        options_.values->on_parameter(parameter.unit, parameter.tensor, parameter.gradient);
  }

  static Error at(const UnitRun& run, Error error) {
    error.message = fmt::format("layer `{}` ({}): {}", run.path, run.kind, error.message);
    return error;
  }

  // Where a value that is not finite first arose: weights, inputs, then layer by layer. Values that
  // the plan kept to itself or wrote over are computed once more, on a plan that keeps them all.
  Error diverged(const std::string& what, const BatchView& batch, const StepContext& context) {
    Error error =
        make_error(ExitCode::kDiverged, "{} is not a finite number at step {}", what, context.step);
    error.hint = context.step <= 10 && context.learning_rate > 0
                     ? "this early, a learning rate that is too large or inputs that are not "
                       "normalized are likely"
                     : "try a smaller learning rate, `clip_norm = 1.0` in `train`, or batch "
                       "normalization";
    for (const ParameterRun& parameter : buffers_.parameters) {
      if (all_finite(static_cast<const T*>(parameter.tensor.data),
                     parameter.tensor.shape.elements()))
        continue;
      error.message += fmt::format(": the weights `{}` are not finite", parameter.tensor.name);
      return error;
    }
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      const std::string found = bad_samples(buffers_, graph_.inputs[i], batch.size);
      if (found.empty()) continue;
      error.message +=
          fmt::format(": the data gave it, field `{}`{}", graph_.input_names[i], found);
      error.hint = "look at the data and its transforms: no learning rate mends this";
      return error;
    }
    TypedExecutor plain(program_, capacity_, true, {.fuse = false, .reuse = false});
    for (std::size_t t = 0; t < buffers_.tensors.size(); ++t) {
      std::memcpy(plain.buffers_.tensors[t].data, buffers_.tensors[t].data,
                  static_cast<std::size_t>(buffers_.tensors[t].bytes()));
    }
    plain.bind(batch);
    if (!plain.forward(batch.size, true, &context)) return error;
    for (const GraphNode& node : graph_.nodes) {
      for (const ValueId v : node.outputs) {
        const std::string found = bad_samples(plain.buffers_, v, batch.size);
        if (found.empty()) continue;
        error.message += fmt::format(": layer `{}` ({}) gave it first{}", node.path,
                                     node.layer->entry().name(), found);
        return error;
      }
    }
    error.message += ": every layer's output is finite, so the loss itself gave it";
    return error;
  }

  // ", in samples 3, 4 and 17 of the batch"; empty where all are finite.
  std::string bad_samples(const GraphBuffers& buffers, ValueId v, std::int64_t batch) const {
    constexpr int kMost = 3;
    const std::int64_t elements = graph_.values[static_cast<std::size_t>(v)].shape.elements();
    const T* values = static_cast<const T*>(buffers.value(v));
    std::vector<std::string> samples;
    std::int64_t count = 0;
    for (std::int64_t s = 0; s < batch; ++s) {
      if (all_finite(values + s * elements, elements)) continue;
      if (++count <= kMost) samples.push_back(std::to_string(s + 1));
    }
    if (count == 0) return {};
    if (count == batch && batch > 1) return ", in every sample of the batch";
    return fmt::format(", in sample{} {}{} of the batch's {}", count == 1 ? "" : "s",
                       fmt::join(samples, ", "),
                       count > kMost ? fmt::format(" and {} more", count - kMost) : "", batch);
  }

  const Program& program_;
  const Graph& graph_;
  const std::int64_t capacity_;
  const ExecutorOptions options_;
  Updater<T> updater_;
  GraphBuffers buffers_;
  Terms<T> terms_;
  std::vector<T*> input_storage_;
  std::deque<Owner> owners_;
  std::vector<Status> failures_;  // of each unit, while a wave runs
  std::vector<Executor::Unit> units_;
  StepWatcher* watcher_ = nullptr;
  bool first_of_step_ = true;
  mutable bool prepared_ = false;
};

}  // namespace

double Figures::loss(const TrainSettings& settings) const {
  double total = 0;
  for (std::size_t i = 0; i < loss_sums.size(); ++i)
    total += settings.losses[i].weight * loss_sums[i];
  return samples > 0 ? total / static_cast<double>(samples) : 0;
}

Result<std::unique_ptr<Executor>> Executor::create(const Program& program, std::int64_t capacity,
                                                   bool training, const ExecutorOptions& options) {
  if (training && (program.train.losses.empty() || !program.train.optimizer)) {
    return make_error(ExitCode::kModel,
                      "training needs a `train` section with a loss and an optimizer");
  }
  try {
    if (program.train.precision == Precision::kF64) {
      return std::unique_ptr<Executor>(
          std::make_unique<TypedExecutor<double>>(program, capacity, training, options));
    }
    return std::unique_ptr<Executor>(
        std::make_unique<TypedExecutor<float>>(program, capacity, training, options));
  } catch (const std::bad_alloc&) {
    return make_error(ExitCode::kModel,
                      "not enough memory for the model's {} parameters and batches of {} samples",
                      program.graph.parameter_count(), capacity);
  }
}

}  // namespace strata
