// From gradients to weights: the optimizer's rule on slices of parameters, as soon as their
// gradients are known, or at the end of the step where something needs all of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "framework/graph/program.h"
#include "framework/runtime/graph_buffers.h"

namespace strata {

// Gradients of several batches added up, clipping by norm (of all gradients together: Pascanu et
// al., 2013, arXiv:1211.5063), then by value (every element), the optimizer, and the weights'
// moving average (Polyak and Juditsky, 1992), in this order. Where the optimizer's rate follows
// from lengths of whole parameters (LAMB), its directions take the place of the gradients first.
// Every slice is checked for numbers that are not finite while it is in cache.
template <class T>
class Updater {
 public:
  // Null: nothing is updated. `keep` gradients until a step's end, whether or not that is needed.
  explicit Updater(const TrainSettings* train, bool keep = false);

  const std::vector<std::string>& slot_names() const { return slot_names_; }
  // Whether a step needs whole gradients before it may change a weight.
  bool keeps_gradients() const { return keeps_gradients_; }
  void plan(GraphBuffers& buffers);

  // Before backward: `first` and `last` batch of a step.
  void begin(std::int64_t step, double learning_rate, bool first, bool last);
  // The gradient of a stretch of a parameter, from any thread; `values` may be changed.
  void receive(ParameterRun& parameter, std::int64_t begin, std::int64_t count, T* values);
  // A unit added all of its gradients to parameter.gradient.
  void finish(ParameterRun& parameter);
  // After backward. The number of the first parameter whose gradient is not finite goes to `bad`,
  // -1 where there is none.
  Status end(int& bad);
  void clear_gradients();

  // Exchanges weights and averages.
  void swap_averages();

 private:
  struct Lengths {
    double weights = 0, direction = 0;
  };
  struct Slice {
    ParameterRun* parameter;
    std::int64_t begin, count;
  };
  template <class Body>
  void over(const std::vector<Slice>& slices, Body&& body);
  // Clips, unless directions were found, and runs the optimizer's rule and the average.
  void update(ParameterRun& parameter, std::int64_t begin, std::int64_t count, T* gradient);
  void call(decltype(strata_optimizer::update) function, ParameterRun& parameter,
            std::int64_t begin, std::int64_t count, T* gradient);
  int index_of(const ParameterRun& parameter) const {
    return static_cast<int>(&parameter - parameters_->data());
  }
  bool check(const ParameterRun& parameter, const T* gradient, std::int64_t count);
  void clip_by_norm();
  void clip_by_value(T* gradient, std::int64_t count) const;
  void find_directions();

  const TrainSettings* train_;
  const Instance* optimizer_ = nullptr;
  std::vector<std::string> slot_names_;
  bool keeps_gradients_ = false;
  std::vector<ParameterRun>* parameters_ = nullptr;
  std::vector<Slice> slices_;
  std::vector<double> sums_;  // of squares, of each slice
  // Of optimizers whose rate follows from lengths of whole parameters; null otherwise.
  decltype(strata_optimizer::direct) direct_ = nullptr;
  std::vector<double> weight_sums_;  // as sums_
  std::vector<Lengths> lengths_;     // of each parameter
  std::int64_t step_ = 1;
  double learning_rate_ = 0;
  bool first_ = true, last_ = true;
  std::atomic<int> bad_{0};  // number of the first bad parameter, or how many there are
  std::mutex failing_;
  Status failure_;
};

extern template class Updater<float>;
extern template class Updater<double>;

}  // namespace strata
