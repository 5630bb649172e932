// The optimizer's step over all parameters: slices in parallel, each checked, updated and cleared
// while it is in cache.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "framework/runtime/graph_buffers.h"

namespace strata {

template <class T>
class Updater {
 public:
  explicit Updater(const Instance* optimizer);  // null: nothing is updated

  const std::vector<std::string>& slot_names() const { return slot_names_; }
  void plan(std::vector<ParameterRun>& parameters);

  // Updates every parameter from its gradient and clears the gradient. Where a gradient is not
  // finite, `bad` is the first such parameter; slices of others may be updated by then.
  Status update(std::int64_t step, double learning_rate, const ParameterRun*& bad);
  void clear_gradients();

 private:
  struct Slice {
    ParameterRun* parameter;
    std::int64_t begin, count;
  };
  void update_slice(const Slice& slice, std::int64_t step, double learning_rate);

  const Instance* optimizer_;
  std::vector<std::string> slot_names_;
  std::vector<Slice> slices_;
  std::vector<std::uint8_t> bad_;  // per slice
  std::atomic<bool> failed_{false};
  Error error_;
};

extern template class Updater<float>;
extern template class Updater<double>;

}  // namespace strata
