// The graph as an ONNX ModelProto. Field numbers are those of onnx.proto (IR version 8).
#include "framework/exchange/onnx.h"

#include <algorithm>
#include <set>

#include "framework/base/version.h"
#include "framework/exchange/protobuf.h"

namespace strata {
namespace {

constexpr std::int64_t kIrVersion = 8, kOpset = 17;
constexpr std::int64_t kFloat = 1, kInt64 = 7;     // TensorProto.DataType
constexpr std::size_t kMostBytes = 2'000'000'000;  // Protocol Buffers read less than 2 GiB

template <class T>
ProtobufMessage tensor_proto(const std::string& name, std::int64_t type,
                             const std::vector<std::int64_t>& extents,
                             const std::vector<T>& values) {
  ProtobufMessage tensor;
  for (const std::int64_t extent : extents) tensor.add(1, extent);
  tensor.add(2, type);
  tensor.add(8, name);
  tensor.add(
      9, std::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
  return tensor;
}

ProtobufMessage attribute_proto(const OnnxAttribute& attribute) {
  enum Type : std::int64_t { kTypeFloat = 1, kTypeInt = 2, kTypeString = 3, kTypeInts = 7 };
  ProtobufMessage proto;
  proto.add(1, attribute.first);
  if (const auto* integer = std::get_if<std::int64_t>(&attribute.second)) {
    proto.add(3, *integer);
    proto.add(20, kTypeInt);
  } else if (const auto* number = std::get_if<double>(&attribute.second)) {
    proto.add_float(2, static_cast<float>(*number));
    proto.add(20, kTypeFloat);
  } else if (const auto* string = std::get_if<std::string>(&attribute.second)) {
    proto.add(4, *string);
    proto.add(20, kTypeString);
  } else {
    for (const std::int64_t value : std::get<std::vector<std::int64_t>>(attribute.second))
      proto.add(8, value);
    proto.add(20, kTypeInts);
  }
  return proto;
}

ProtobufMessage value_info(const std::string& name, const Shape& sample, const std::string& doc) {
  ProtobufMessage batch, shape, tensor, type, info;
  batch.add(2, "batch");
  shape.add(1, batch);
  for (const std::int64_t extent : sample) {
    ProtobufMessage dimension;
    dimension.add(1, extent);
    shape.add(1, dimension);
  }
  tensor.add(1, kFloat);
  tensor.add(2, shape);
  type.add(1, tensor);
  info.add(1, name);
  info.add(2, type);
  if (!doc.empty()) info.add(3, doc);
  return info;
}

class Writer {
 public:
  explicit Writer(const TrainedModel& model)
      : model_(model), graph_(model.program().graph), names_(graph_.values.size()) {}

  Result<OnnxModel> write();

 private:
  friend class NodeWriter;

  std::string unique(const std::string& wanted) {
    std::string name = wanted;
    for (int i = 1; !taken_.insert(name).second; ++i) name = fmt::format("{}_{}", wanted, i);
    return name;
  }
  std::string& name_of(ValueId value) { return names_[static_cast<std::size_t>(value)]; }
  bool is_output(ValueId value) const {
    return std::find(graph_.outputs.begin(), graph_.outputs.end(), value) != graph_.outputs.end();
  }
  void name_values();
  void add_node(const std::string& name, const std::string& operation, const OnnxNames& inputs,
                const OnnxNames& outputs, const OnnxAttributes& attributes);
  Status add_layers();
  void add_inputs();
  void add_outputs();
  std::string preprocessing(int field) const;

  const TrainedModel& model_;
  const Graph& graph_;
  std::vector<std::string> names_;  // of values
  std::set<std::string> taken_;     // by values and constants
  ProtobufMessage nodes_, constants_, ends_;
  std::set<std::string> node_names_;
  int operators_ = 0;
};

// One layer's operators.
class NodeWriter final : public OnnxLayer {
 public:
  NodeWriter(Writer& writer, const GraphNode& node) : writer_(writer), node_(node) {}
  using OnnxLayer::node;
  using OnnxLayer::tensor;

  int input_count() const override { return static_cast<int>(node_.inputs.size()); }
  int output_count() const override { return static_cast<int>(node_.outputs.size()); }
  Shape input_shape(int i) const override { return shape(node_.inputs, i); }
  Shape output_shape(int i) const override { return shape(node_.outputs, i); }
  std::string input(int i) const override {
    return writer_.name_of(node_.inputs.at(static_cast<std::size_t>(i)));
  }
  std::string output(int i) const override {
    return writer_.name_of(node_.outputs.at(static_cast<std::size_t>(i)));
  }

  bool has(std::string_view parameter) const override {
    return writer_.model_.find(node_.path, parameter) != nullptr;
  }
  Shape shape_of(std::string_view parameter) const override { return found(parameter).shape; }
  std::vector<double> values_of(std::string_view parameter) const override {
    return strata::values_of(found(parameter));
  }
  std::string tensor(std::string_view parameter, const Shape& shape) override {
    return constant(found(parameter).name, shape, values_of(parameter));
  }
  std::string numbers(std::string_view what, const Shape& shape,
                      const std::vector<double>& values) override {
    return constant(fmt::format("{}/{}", node_.path, what), shape, values);
  }
  std::string integers(std::string_view what, const std::vector<std::int64_t>& values) override {
    const std::string name = writer_.unique(fmt::format("{}/{}", node_.path, what));
    writer_.constants_.add(
        5, tensor_proto(name, kInt64, {static_cast<std::int64_t>(values.size())}, values));
    return name;
  }

  void node(const std::string& operation, const OnnxNames& inputs, const OnnxNames& outputs,
            const OnnxAttributes& attributes) override {
    writer_.add_node(node_.path, operation, inputs, outputs, attributes);
  }
  std::string step(const std::string& operation, const OnnxNames& inputs,
                   const OnnxAttributes& attributes) override {
    const std::string name = writer_.unique(fmt::format("{}/{}", node_.path, operation));
    writer_.add_node(node_.path, operation, inputs, {name}, attributes);
    return name;
  }
  void pass_on() override {
    if (writer_.is_output(node_.outputs.at(0))) return node("Identity");
    writer_.name_of(node_.outputs[0]) = input(0);
  }

 private:
  const NamedTensor& found(std::string_view parameter) const {
    const NamedTensor* tensor = writer_.model_.find(node_.path, parameter);
    if (!tensor) throw PluginError(text("it has no tensor `", parameter, "`"));
    return *tensor;
  }
  Shape shape(const std::vector<ValueId>& values, int i) const {
    const ValueId value = values.at(static_cast<std::size_t>(i));
    return writer_.graph_.values[static_cast<std::size_t>(value)].shape;
  }
  std::string constant(const std::string& wanted, const Shape& shape,
                       const std::vector<double>& values) {
    const std::string name = writer_.unique(wanted);
    const std::vector<float> floats(values.begin(), values.end());
    writer_.constants_.add(5, tensor_proto(name, kFloat, extents_of(shape), floats));
    return name;
  }

  Writer& writer_;
  const GraphNode& node_;
};

// Inputs and outputs have the names that the file gives them, other values those of their layers.
void Writer::name_values() {
  for (std::size_t i = 0; i < graph_.inputs.size(); ++i)
    name_of(graph_.inputs[i]) = unique(graph_.input_names[i]);
  for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
    std::string& name = name_of(graph_.outputs[i]);
    if (name.empty()) name = unique(graph_.output_names[i]);
  }
  for (const GraphNode& node : graph_.nodes) {
    for (const ValueId value : node.outputs) {
      if (name_of(value).empty()) name_of(value) = unique(node.path);
    }
  }
}

void Writer::add_node(const std::string& name, const std::string& operation,
                      const OnnxNames& inputs, const OnnxNames& outputs,
                      const OnnxAttributes& attributes) {
  ProtobufMessage proto;
  for (const std::string& input : inputs) proto.add(1, input);
  for (const std::string& output : outputs) proto.add(2, output);
  std::string own = name;
  for (int i = 1; !node_names_.insert(own).second; ++i) own = fmt::format("{}_{}", name, i);
  proto.add(3, own);
  proto.add(4, operation);
  for (const OnnxAttribute& attribute : attributes) proto.add(5, attribute_proto(attribute));
  nodes_.add(1, proto);
  ++operators_;
}

// All layers that cannot be written are in one message.
Status Writer::add_layers() {
  std::string refused, hint;
  std::set<std::string> silent;  // kinds that say nothing of ONNX; each is named once
  for (const GraphNode& node : graph_.nodes) {
    const auto* methods = exchange_methods_of(*node.layer);
    const std::string kind = node.layer->entry().name();
    std::string why;
    if (!methods || !methods->to_onnx) {
      if (!silent.insert(kind).second) continue;
      why = fmt::format("`{}` ({}) does not say how it is written", node.path, kind);
      hint =
          "a layer says it with a method to_onnx (docs/exchange.md); layers of shared libraries "
          "cannot be written yet";
    } else {
      try {
        NodeWriter writer(*this, node);
        methods->to_onnx(node.layer->raw(), writer);
        continue;
      } catch (const std::exception& e) {
        why = fmt::format("`{}` ({}): {}", node.path, kind, e.what());
      }
    }
    refused += (refused.empty() ? "" : "; ") + why;
  }
  if (refused.empty()) return {};
  Error error = make_error(ExitCode::kModel, "the model `{}` cannot be written as ONNX: {}",
                           graph_.name, refused);
  error.hint = hint;
  return error;
}

// What has to be done to the data set's values before the network sees them.
std::string Writer::preprocessing(int field) const {
  const DataPipeline& data = model_.program().data;
  std::string doc =
      fmt::format("`{}` of {}", data.result().fields[static_cast<std::size_t>(field)].name,
                  print_call(data.dataset->call()));
  for (const InstancePtr& transform : data.transforms)
    doc += " -> " + print_call(transform->call());
  return doc;
}

void Writer::add_inputs() {
  const Program& program = model_.program();
  for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
    const ValueId value = graph_.inputs[i];
    const bool known = program.has_data && i < program.input_fields.size();
    ends_.add(11, value_info(name_of(value), graph_.values[static_cast<std::size_t>(value)].shape,
                             known ? preprocessing(program.input_fields[i]) : ""));
  }
}

// A value that is an output twice, or an input too, is copied under its other name.
void Writer::add_outputs() {
  std::set<ValueId> done(graph_.inputs.begin(), graph_.inputs.end());
  for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
    const ValueId value = graph_.outputs[i];
    std::string name = name_of(value);
    if (!done.insert(value).second) {
      name = unique(graph_.output_names[i]);
      add_node(name, "Identity", {name_of(value)}, {name}, {});
    }
    ends_.add(12, value_info(name, graph_.values[static_cast<std::size_t>(value)].shape, ""));
  }
}

Result<OnnxModel> Writer::write() {
  name_values();
  if (const Status status = add_layers(); !status) return status.error();
  add_inputs();
  add_outputs();
  ProtobufMessage graph, opset, file;
  graph.append(nodes_);
  graph.add(2, graph_.name);
  graph.append(constants_);
  graph.append(ends_);
  opset.add(1, "");
  opset.add(2, kOpset);
  file.add(1, kIrVersion);
  file.add(2, "Strata");
  file.add(3, kVersion);
  if (graph.bytes().size() > kMostBytes) {
    return make_error(
        ExitCode::kModel,
        "the model `{}` has {} bytes of weights, and an ONNX file holds less than 2 GB",
        graph_.name, constants_.bytes().size());
  }
  file.add(7, graph);
  file.add(8, opset);
  return OnnxModel{file.bytes(), operators_};
}

}  // namespace

Result<OnnxModel> write_onnx(const TrainedModel& model) { return Writer(model).write(); }

}  // namespace strata
