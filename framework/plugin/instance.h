// Living plugins on the host's side: instances with an owner, and what their infer says, as C++
// values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/plugin/options.h"
#include "framework/plugin/registration.h"
#include "framework/tensor/shape.h"

namespace strata {

// A created plugin; owns the C values of its options. Immutable afterwards, shared by whoever runs
// it.
class Instance {
 public:
  static Result<std::shared_ptr<Instance>> create(PluginCall call);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  const PluginCall& call() const { return call_; }
  const Entry& entry() const { return *call_.entry; }
  void* raw() const { return raw_; }
  // The options as the plugin was handed them.
  const std::vector<strata_value>& raw_options() const;
  // The kind's function table: functions<strata_layer>().
  template <class Table>
  const Table& functions() const {
    return *static_cast<const Table*>(entry().table->functions);
  }

 private:
  struct Values;
  Instance() = default;
  PluginCall call_;
  std::unique_ptr<Values> values_;
  void* raw_ = nullptr;
};
using InstancePtr = std::shared_ptr<Instance>;

// What a layer, loss or metric said in infer.
struct InferredPlan {
  struct Parameter {
    std::string name;
    Shape shape;
    const PluginCall* initializer = nullptr;  // lives in the instance's options
    std::int64_t fan_in = 0, fan_out = 0;
    bool decay = false;
  };
  struct State {
    std::string name;
    Shape shape;
    double initial = 0;
  };
  struct Buffer {
    std::int64_t per_sample = 0, fixed = 0;
    std::int64_t elements(std::int64_t batch) const { return per_sample * batch + fixed; }
  };
  struct MetricResult {
    std::string name;
    bool higher_is_better = true;
  };
  std::vector<Shape> outputs;
  std::vector<Parameter> parameters;
  std::vector<State> states;
  std::vector<Buffer> saved, scratch;
  std::vector<std::int64_t> prepared;  // elements
  std::uint32_t flags = 0;             // strata_layer_flag
  double flops = 0;                    // forward, per sample
  std::vector<std::string> traits;
  std::int64_t accumulator = 0;
  std::vector<MetricResult> results;

  bool has(strata_layer_flag flag) const { return (flags & flag) != 0; }
  bool has_trait(std::string_view trait) const;
};

// Layers, losses and metrics.
Result<InferredPlan> infer(const Instance& instance, const std::vector<Input>& inputs);

// A fusion at work in place of some layers.
class FusedInstance {
 public:
  // Null where the fusion cannot stand for these members (their options are not what it can do, or
  // branches come in, after the first input, and it does not know of those).
  static std::shared_ptr<FusedInstance> create(const Entry& fusion,
                                               const std::vector<const Instance*>& members,
                                               const std::vector<Input>& inputs);
  ~FusedInstance();
  FusedInstance(const FusedInstance&) = delete;
  FusedInstance& operator=(const FusedInstance&) = delete;

  const Entry& entry() const { return *entry_; }
  const strata_fusion& functions() const {
    return *static_cast<const strata_fusion*>(entry_->table->functions);
  }
  void* raw() const { return raw_; }
  const InferredPlan& plan() const { return plan_; }  // buffers and flags

 private:
  FusedInstance() = default;
  const Entry* entry_ = nullptr;
  void* raw_ = nullptr;
  InferredPlan plan_;
};

struct DataDescription {
  struct FieldInfo {
    std::string name;
    strata_dtype dtype = STRATA_REAL;
    Shape shape;
    std::int64_t classes = 0;
    std::vector<std::string> class_names;
  };
  struct Split {
    std::string name;
    std::int64_t samples = -1;
  };
  // Numbers that a transform finds in the training split before it can work.
  struct Fitted {
    std::string name;
    Shape shape;
  };
  std::vector<FieldInfo> fields;
  std::vector<Split> splits;
  std::vector<Fitted> fitted{};  // of what infer_transform describes

  int find_field(std::string_view name) const;  // -1 where there is none
  int find_split(std::string_view name) const;
};

Result<DataDescription> describe_dataset(const Instance& dataset);
// Loads the data; `folders` are searched in order.
Result<DataDescription> open_dataset(const Instance& dataset,
                                     const std::vector<std::string>& folders);
// Fields after a transform; splits stay.
Result<DataDescription> infer_transform(const Instance& transform, const DataDescription& input);

// The host's Error of what a plugin's function said as it failed. A bug of a library that is not
// built in is the library's, and the message says where that lies.
Error to_error(strata_error& error, const void* function);
// What a library did that it must not.
Error plugin_fault(const std::string& library, const std::string& what);
// The host's Error where a function threw, which none may. To be called while the exception is
// handled.
Error thrown_error(const void* function);
// Runs a function of a table that takes an error as its last argument.
template <class Function, class... Args>
Status call_plugin(Function function, Args... args) {
  strata_error error;  // not zeroed whole: this is called for every layer of every step
  error.struct_size = sizeof error;
  error.code = STRATA_OK;
  error.message[0] = error.hint[0] = 0;
  try {
    if (function(args..., &error) == STRATA_OK) return {};
  } catch (...) {
    return thrown_error(reinterpret_cast<const void*>(function));
  }
  return to_error(error, reinterpret_cast<const void*>(function));
}

}  // namespace strata
