// Losses and metrics of a step: reads the model's outputs and the batch's fields, writes the
// outputs' gradients.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/runtime/executor.h"
#include "framework/runtime/graph_buffers.h"

namespace strata {

template <class T>
class Terms {
 public:
  Terms(const Program& program, const GraphBuffers& buffers, std::int64_t capacity);

  // Adds the batch's losses to `figures`; with `gradient` also writes the gradient of their sum
  // over `samples` to the outputs' gradients.
  Status losses(const BatchView& batch, bool gradient, Figures& figures, std::int64_t samples);
  // Whether every sample's loss was finite.
  bool finite() const;
  Status metrics(const BatchView& batch, Figures& figures);

  const double* sample_losses() const { return total_.data(); }
  Figures make_figures() const;

 private:
  struct Run {
    const Term* term = nullptr;
    std::vector<strata_shape> shapes;
    std::vector<const void*> inputs;
    std::vector<void*> d_inputs;
    std::vector<std::int64_t> elements;  // per sample, of each input
    std::vector<void*> add_to;  // where a second loss adds its gradient; null where it is the first
  };
  void point_to(Run& run, const BatchView& batch);
  static void prepare(Run& run, const Term& term, const Program& program);

  const Program& program_;
  const GraphBuffers& buffers_;
  std::vector<Run> losses_, metrics_;
  std::vector<double> sample_, total_;  // [capacity]
  std::vector<std::vector<T>> extra_;   // gradients of second losses on an output
  std::int64_t batch_ = 0;
};

extern template class Terms<float>;
extern template class Terms<double>;

}  // namespace strata
