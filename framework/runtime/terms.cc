// Losses and metrics over the buffers of a graph.
#include "framework/runtime/terms.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "framework/plugin/services.h"

namespace strata {

template <class T>
void Terms<T>::prepare(Run& run, const Term& term, const Program& program) {
  run.term = &term;
  for (const TermInput& input : term.inputs) {
    const auto index = static_cast<std::size_t>(input.index);
    const Shape& shape =
        input.is_field
            ? program.data.result().fields[index].shape
            : program.graph.values[static_cast<std::size_t>(program.graph.outputs[index])].shape;
    run.shapes.push_back(plugin_internal::from_shape(shape));
    run.elements.push_back(shape.elements());
  }
  run.inputs.resize(term.inputs.size());
  run.d_inputs.resize(term.inputs.size());
  run.add_to.resize(term.inputs.size());
}

template <class T>
Terms<T>::Terms(const Program& program, const GraphBuffers& buffers, std::int64_t capacity)
    : program_(program),
      buffers_(buffers),
      sample_(static_cast<std::size_t>(capacity)),
      total_(static_cast<std::size_t>(capacity)) {
  losses_.resize(program.train.losses.size());
  metrics_.resize(program.train.metrics.size());
  std::set<ValueId> written;
  for (std::size_t i = 0; i < losses_.size(); ++i) {
    Run& run = losses_[i];
    const Term& term = program.train.losses[i];
    prepare(run, term, program);
    for (std::size_t k = 0; k < term.inputs.size(); ++k) {
      if (term.inputs[k].is_field) continue;
      const ValueId output = program.graph.outputs[static_cast<std::size_t>(term.inputs[k].index)];
      void* gradient = buffers.gradient(output);
      if (!gradient) continue;
      run.d_inputs[k] = gradient;
      if (!written.insert(buffers.root(output)).second) {
        run.add_to[k] = gradient;
        run.d_inputs[k] =
            extra_.emplace_back(static_cast<std::size_t>(capacity * run.elements[k])).data();
      }
    }
  }
  for (std::size_t i = 0; i < metrics_.size(); ++i)
    prepare(metrics_[i], program.train.metrics[i], program);
}

template <class T>
void Terms<T>::point_to(Run& run, const BatchView& batch) {
  for (std::size_t k = 0; k < run.inputs.size(); ++k) {
    const TermInput& input = run.term->inputs[k];
    const auto index = static_cast<std::size_t>(input.index);
    run.inputs[k] =
        input.is_field ? batch.fields[index] : buffers_.value(program_.graph.outputs[index]);
  }
}

template <class T>
Status Terms<T>::losses(const BatchView& batch, bool gradient, Figures& figures,
                        std::int64_t samples) {
  batch_ = batch.size;
  std::fill_n(total_.begin(), batch.size, 0.0);
  for (std::size_t i = 0; i < losses_.size(); ++i) {
    Run& run = losses_[i];
    point_to(run, batch);
    const double weight = run.term->weight;
    const strata_loss_pass pass{sizeof pass,
                                sizeof(T) == 4 ? STRATA_F32 : STRATA_F64,
                                batch.size,
                                run.shapes.data(),
                                run.inputs.data(),
                                sample_.data(),
                                gradient ? run.d_inputs.data() : nullptr,
                                weight / static_cast<double>(samples),
                                &host_services(),
                                nullptr};
    const Instance& loss = *run.term->instance;
    const Status done = call_noted(loss, "evaluate", loss.functions<strata_loss>().evaluate, &pass);
    if (!done) return done;
    double sum = 0;
    for (std::int64_t s = 0; s < batch.size; ++s) {
      const double sample = sample_[static_cast<std::size_t>(s)];
      sum += sample;
      total_[static_cast<std::size_t>(s)] += weight * sample;
    }
    figures.loss_sums[i] += sum;
    for (std::size_t k = 0; gradient && k < run.add_to.size(); ++k) {
      if (!run.add_to[k]) continue;
      const T* from = static_cast<const T*>(run.d_inputs[k]);
      T* to = static_cast<T*>(run.add_to[k]);
      for (std::int64_t e = 0; e < batch.size * run.elements[k]; ++e) to[e] += from[e];
    }
  }
  figures.samples += batch.size;
  return {};
}

template <class T>
bool Terms<T>::finite() const {
  return std::all_of(total_.begin(), total_.begin() + batch_,
                     [](double x) { return std::isfinite(x); });
}

template <class T>
Status Terms<T>::metrics(const BatchView& batch, Figures& figures) {
  for (std::size_t i = 0; i < metrics_.size(); ++i) {
    Run& run = metrics_[i];
    point_to(run, batch);
    const strata_metric_pass pass{sizeof pass,       sizeof(T) == 4 ? STRATA_F32 : STRATA_F64,
                                  batch.size,        run.shapes.data(),
                                  run.inputs.data(), figures.accumulators[i].data()};
    const Instance& metric = *run.term->instance;
    const Status done =
        call_noted(metric, "update", metric.functions<strata_metric>().update, &pass);
    if (!done) return done;
  }
  return {};
}

template <class T>
Figures Terms<T>::make_figures() const {
  Figures figures;
  figures.loss_sums.assign(losses_.size(), 0.0);
  for (const Run& run : metrics_) {
    figures.accumulators.emplace_back(static_cast<std::size_t>(run.term->plan.accumulator), 0.0);
  }
  return figures;
}

template class Terms<float>;
template class Terms<double>;

}  // namespace strata
