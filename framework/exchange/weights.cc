#include "framework/exchange/weights.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "framework/base/diagnostic.h"
#include "framework/exchange/keras_order.h"
#include "framework/train/safetensors.h"

namespace strata {
namespace {

// One tensor of theirs, and where its elements are in ours.
struct Theirs {
  std::string name;
  std::vector<std::int64_t> extents;
  const NamedTensor* ours = nullptr;  // null: a counter of PyTorch's
  std::vector<std::int64_t> places;   // theirs[i] is ours[places[i]]; empty: the same order
};

// Of one layer's tensor in Keras' form.
Theirs in_keras(const NamedTensor& ours, const TensorForm& form,
                const std::vector<std::int64_t>* order) {
  const std::vector<std::int64_t> view =
      form.view.empty() ? std::vector<std::int64_t>(ours.shape.begin(), ours.shape.end())
                        : form.view;
  std::vector<int> axes = form.axes;
  if (axes.empty()) {
    axes.resize(view.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  std::vector<std::int64_t> strides(view.size(), 1);
  for (std::size_t i = view.size(); i-- > 1;) strides[i - 1] = strides[i] * view[i];

  Theirs theirs{"", {}, &ours, {}};
  for (const int axis : axes) theirs.extents.push_back(view[static_cast<std::size_t>(axis)]);
  const std::int64_t count = ours.shape.elements();
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t rest = i, place = 0;
    for (std::size_t axis = axes.size(); axis-- > 0;) {
      place += rest % theirs.extents[axis] * strides[static_cast<std::size_t>(axes[axis])];
      rest /= theirs.extents[axis];
    }
    if (order && form.features >= 0) {
      const std::int64_t inner = ours.shape.elements(form.features + 1, ours.shape.rank());
      const std::int64_t features = ours.shape[form.features];
      const std::int64_t feature = place / inner % features;
      place += ((*order)[static_cast<std::size_t>(feature)] - feature) * inner;
    }
    theirs.places.push_back(place);
  }
  return theirs;
}

std::string keras_path(const std::string& path) {
  std::string out = path;
  std::replace(out.begin(), out.end(), '.', '/');
  return out;
}

struct TheirWeights {
  std::vector<Theirs> tensors;  // in the order of the graph
  std::vector<std::string> options;
};

void add_pytorch(const TrainedModel& model, const GraphNode& node, const LayerTensors& layer,
                 TheirWeights& all) {
  const auto add = [&](const std::string& name) {
    const NamedTensor* ours = model.find(node.path, name);
    all.tensors.push_back({ours->name, extents_of(ours->shape), ours, {}});
  };
  for (const auto& parameter : node.plan.parameters) add(parameter.name);
  for (const auto& state : node.plan.states) add(state.name);
  for (const std::string& counter : layer.counters())
    all.tensors.push_back({node.path + "." + counter, {}, nullptr, {}});
  for (const std::string& option : layer.pytorch_options())
    all.options.push_back(node.path + ": " + option);
}

Status add_keras(const TrainedModel& model, const GraphNode& node, const LayerTensors& layer,
                 const std::vector<std::int64_t>* order, TheirWeights& all) {
  std::size_t found = 0;
  for (const TensorForm& form : layer.keras_forms()) {
    const NamedTensor* ours = model.find(node.path, form.ours);
    if (!ours) continue;  // one that the options leave out
    ++found;
    Theirs theirs = in_keras(*ours, form, order);
    theirs.name = keras_path(node.path) + "/" + form.theirs;
    all.tensors.push_back(std::move(theirs));
  }
  if (found != node.plan.parameters.size() + node.plan.states.size()) {
    return make_error(ExitCode::kModel, "`{}` ({}) does not say how Keras keeps its tensors",
                      node.path, node.layer->entry().name());
  }
  if (order && found > 0 &&
      std::none_of(layer.keras_forms().begin(), layer.keras_forms().end(),
                   [](const TensorForm& form) { return form.features >= 0; })) {
    return make_error(ExitCode::kModel,
                      "`{}` ({}) cannot be converted: it reads a flattened image, whose values "
                      "Keras has in another order",
                      node.path, node.layer->entry().name());
  }
  for (const std::string& option : layer.keras_options())
    all.options.push_back(keras_path(node.path) + ": " + option);
  return {};
}

Result<TheirWeights> their_weights(const TrainedModel& model, WeightsConvention convention) {
  const Graph& graph = model.program().graph;
  std::vector<LayerTensors> layers;
  for (const GraphNode& node : graph.nodes) {
    auto layer = layer_tensors_of(graph, node);
    if (!layer) return layer.error();
    layers.push_back(std::move(*layer));
  }
  FeatureOrders orders;
  if (convention == WeightsConvention::kKeras) {
    auto found = keras_feature_orders(graph, layers);
    if (!found) return found.error();
    orders = std::move(*found);
  }
  TheirWeights all;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const GraphNode& node = graph.nodes[n];
    if (convention == WeightsConvention::kPyTorch) {
      add_pytorch(model, node, layers[n], all);
      continue;
    }
    const auto order = orders.find(&node);
    const Status added =
        add_keras(model, node, layers[n], order == orders.end() ? nullptr : &order->second, all);
    if (!added) return added.error();
  }
  return all;
}

// theirs[i] = ours[places[i]], and the other way round.
template <class T>
void gather(const Theirs& tensor, const T* ours, T* theirs) {
  for (std::size_t i = 0; i < tensor.places.size(); ++i)
    theirs[i] = ours[static_cast<std::size_t>(tensor.places[i])];
}
template <class T>
void read_into(const SafetensorsFile& file, const SafetensorsFile::Tensor& from,
               const Theirs& tensor, T* ours) {
  if (tensor.places.empty()) return read_floats(file, from, ours);
  std::vector<T> theirs(tensor.places.size());
  read_floats(file, from, theirs.data());
  for (std::size_t i = 0; i < theirs.size(); ++i)
    ours[static_cast<std::size_t>(tensor.places[i])] = theirs[i];
}

// Lists for messages.
class Listed {
 public:
  void add(const std::string& item) {
    if (++count_ <= kShown) text_ += (text_.empty() ? "" : ", ") + item;
  }
  bool empty() const { return count_ == 0; }
  std::string text() const {
    return count_ > kShown ? fmt::format("{} and {} more", text_, count_ - kShown) : text_;
  }

 private:
  static constexpr int kShown = 8;
  int count_ = 0;
  std::string text_;
};

std::string renamed(const std::string& name,
                    const std::vector<std::pair<std::string, std::string>>& renames) {
  for (const auto& [from, to] : renames) {
    if (name.starts_with(from) &&
        (name.size() == from.size() || name[from.size()] == '.' || name[from.size()] == '/')) {
      return to + name.substr(from.size());
    }
  }
  return name;
}

// Keras 2 ends names of variables with the number of their output.
std::string without_output_number(const std::string& name) {
  return name.ends_with(":0") ? name.substr(0, name.size() - 2) : name;
}

std::string extents_text(const std::vector<std::int64_t>& extents) {
  return Shape(extents.begin(), extents.end()).text();
}

// Which tensor of the file is which of the model; or all that does not fit, in one message.
Result<std::vector<const SafetensorsFile::Tensor*>> matched(
    const SafetensorsFile& file, const std::string& path, const TheirWeights& wanted,
    WeightsConvention convention, const std::vector<std::pair<std::string, std::string>>& renames) {
  std::map<std::string, const SafetensorsFile::Tensor*> by_name;
  for (const SafetensorsFile::Tensor& tensor : file.tensors) {
    std::string name = renamed(tensor.name, renames);
    if (convention == WeightsConvention::kKeras) name = without_output_number(name);
    const auto [at, added] = by_name.emplace(name, &tensor);
    if (!added) {
      return make_error(ExitCode::kData, "`{}` and `{}` of `{}` are both `{}`", at->second->name,
                        tensor.name, path, name);
    }
  }
  Listed missing, other_shapes, other_types, unknown;
  std::vector<const SafetensorsFile::Tensor*> found;
  std::set<std::string> known;
  std::vector<std::string> absent;
  for (const Theirs& theirs : wanted.tensors) {
    known.insert(theirs.name);
    const auto at = by_name.find(theirs.name);
    const SafetensorsFile::Tensor* tensor = at == by_name.end() ? nullptr : at->second;
    found.push_back(tensor);
    if (!theirs.ours) continue;  // a counter may be left out
    if (!tensor) {
      missing.add("`" + theirs.name + "`");
      absent.push_back(theirs.name);
    } else if (tensor->shape != theirs.extents) {
      other_shapes.add(fmt::format("`{}` is {}, not {}", tensor->name, extents_text(tensor->shape),
                                   extents_text(theirs.extents)));
    } else if (!is_float_type(tensor->dtype)) {
      other_types.add(
          fmt::format("`{}` is {}, not F16, BF16, F32 or F64", tensor->name, tensor->dtype));
    }
  }
  for (const auto& [name, tensor] : by_name) {
    if (known.contains(name)) continue;
    const std::string nearest = nearest_name(name, absent);
    unknown.add(nearest.empty() ? "`" + tensor->name + "`"
                                : fmt::format("`{}` (`{}`?)", tensor->name, nearest));
  }
  std::string facts;
  for (const auto& [list, before] : {std::pair{&missing, "it has no "},
                                     {&unknown, "the model has no "},
                                     {&other_shapes, ""},
                                     {&other_types, ""}}) {
    if (!list->empty()) facts += (facts.empty() ? "" : "; ") + (before + list->text());
  }
  if (facts.empty()) return found;
  Error error = make_error(ExitCode::kData, "`{}` does not fit the model: {}", path, facts);
  error.hint = !missing.empty() && !unknown.empty()
                   ? "names are those of the model's layers: `as` gives a layer another one, and "
                     "--rename fc=dense1 reads fc.weight as dense1.weight"
                   : "`trainer export --weights` writes a file as it has to be, for comparison";
  return error;
}

}  // namespace

Result<ConvertedWeights> export_weights(const TrainedModel& model, WeightsConvention convention,
                                        const std::string& path) {
  auto all = their_weights(model, convention);
  if (!all) return all.error();
  std::vector<StoredTensor> tensors;
  std::vector<std::vector<char>> buffers;
  buffers.reserve(all->tensors.size());
  const std::int64_t no_batches = 0;
  for (const Theirs& tensor : all->tensors) {
    if (!tensor.ours) {
      tensors.push_back({tensor.name, "I64", {}, &no_batches, sizeof no_batches});
      continue;
    }
    StoredTensor out = stored(*tensor.ours);
    out.name = tensor.name;
    out.shape = tensor.extents;
    if (!tensor.places.empty()) {
      std::vector<char>& buffer = buffers.emplace_back(static_cast<std::size_t>(out.bytes));
      if (tensor.ours->precision == Precision::kF64) {
        gather(tensor, static_cast<const double*>(out.data),
               reinterpret_cast<double*>(buffer.data()));
      } else {
        gather(tensor, static_cast<const float*>(out.data),
               reinterpret_cast<float*>(buffer.data()));
      }
      out.data = buffer.data();
    }
    tensors.push_back(std::move(out));
  }
  const Status written = write_safetensors(
      path, tensors, {{"format", convention == WeightsConvention::kKeras ? "keras" : "pt"}});
  if (!written) return written.error();
  return ConvertedWeights{tensors.size(), std::move(all->options)};
}

Result<ConvertedWeights> import_weights(
    const std::string& path, WeightsConvention convention,
    const std::vector<std::pair<std::string, std::string>>& renames, TrainedModel& model) {
  auto all = their_weights(model, convention);
  if (!all) return all.error();
  auto file = read_safetensors(path);
  if (!file) return file.error();
  auto found = matched(*file, path, *all, convention, renames);
  if (!found) return found.error();
  std::size_t count = 0;
  for (std::size_t i = 0; i < found->size(); ++i) {
    const Theirs& theirs = all->tensors[i];
    if (!theirs.ours) continue;
    ++count;
    const SafetensorsFile::Tensor& from = *(*found)[i];
    if (theirs.ours->precision == Precision::kF64) {
      read_into(*file, from, theirs, static_cast<double*>(theirs.ours->data));
    } else {
      read_into(*file, from, theirs, static_cast<float*>(theirs.ours->data));
    }
  }
  return ConvertedWeights{count, std::move(all->options)};
}

Status write_weights(const TrainedModel& model, const std::string& path) {
  return write_safetensors(path, model.tensors(),
                           {{"format", "pt"}, {"strata.model", model.program().resolved}});
}

}  // namespace strata
