// Embedding: a learned vector for each of a number of things (Bengio et al., 2003), as
// torch.nn.Embedding.
#include <cmath>
#include <optional>

#include "framework/plugin/exchange.h"

namespace strata::plugins {
namespace {

class Embedding final : public Layer {
 public:
  struct Options {
    std::int64_t rows = 0;
    std::int64_t units = 0;
    std::optional<std::int64_t> padding_index;
    InitializerRef weight_init{"GlorotUniform"};
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Replaces whole numbers from 0 to rows - 1 (words, codes, classes) by learned vectors: "
            "[…] becomes […, units].\n"
            "It reads the model's input: a field of bytes, or of real numbers that are whole. "
            "[length, units] becomes what Conv1D takes, [units, length], by Permute([1, 0]).")
        .example("Embedding(1000, units = 16)");
    schema.option("rows", &Options::rows)
        .required()
        .min(1)
        .max(kMostRows)
        .doc("how many things there are");
    schema.option("units", &Options::units).required().min(1).doc("the length of the vectors");
    schema.option("padding_index", &Options::padding_index)
        .min(0)
        .doc("a number that stands for nothing: its vector is zeros, and learns nothing");
    schema.option("weight_init", &Options::weight_init).doc("starting values of the vectors");
    schema.hint_for("num_embeddings", "it is called `rows` here")
        .hint_for("embedding_dim", "it is called `units` here")
        .hint_for("input_dim", "it is called `rows` here")
        .hint_for("output_dim", "it is called `units` here")
        .hint_for("padding_idx", "it is called `padding_index` here")
        .hint_for("mask_zero", "write `padding_index = 0` for vectors of zeros there");
  }

  explicit Embedding(const Options& options) : options_(options) {
    if (options.padding_index.value_or(0) >= options.rows) {
      throw PluginError(text("`padding_index` is ", *options.padding_index,
                             ", and the rows are 0 to ", options.rows - 1));
    }
  }

  Plan infer(const Shape& input) const {
    if (input.rank() >= kMostRank) {
      throw PluginError(text("Embedding adds an axis, and ", input.text(), " has ", input.rank(),
                             " already, the most there may be"));
    }
    std::vector<std::int64_t> extents(input.begin(), input.end());
    extents.push_back(options_.units);
    return Plan()
        .output(Shape(extents.begin(), extents.end()))
        .parameter("weight", {options_.rows, options_.units}, options_.weight_init, options_.rows,
                   options_.units, /*decay=*/true)
        .needs_input()
        .overwrites()
        .trait("takes-indices");
  }

  // x: [count], y: [count, units]
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const std::int64_t units = options_.units;
    pass.tiles(pass.input_size(), std::max<std::int64_t>(1, kElementwiseTile / units),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   const std::int64_t row = row_of(pass.input()[i]);
                   T* y = pass.output() + i * units;
                   if (row == options_.padding_index) {
                     std::fill_n(y, units, T(0));
                   } else {
                     std::copy_n(pass.parameter(0) + row * units, units, y);
                   }
                 }
               });
  }

  // Rows that occur several times get the sum of their gradients, in the order of the batch; so
  // tasks share the units out, and not the batch.
  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    const std::int64_t count = pass.input_size(), units = options_.units;
    pass.tiles(units, std::max<std::int64_t>(kFewestUnits, kElementwiseTile / count),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = 0; i < count; ++i) {
                   const std::int64_t row = row_of(pass.input()[i]);
                   if (row == options_.padding_index) continue;
                   const T* dy = pass.d_output() + i * units;
                   T* d_weight = pass.d_parameter(0) + row * units;
                   for (std::int64_t j = begin; j < end; ++j) d_weight[j] += dy[j];
                 }
               });
    // A step from one number to the next has no slope.
    if (pass.d_input() && !pass.accumulate()) std::fill_n(pass.d_input(), count, T(0));
  }

  void to_onnx(OnnxLayer& onnx) const {
    std::vector<double> weight = onnx.values_of("weight");
    if (options_.padding_index)
      std::fill_n(weight.begin() + *options_.padding_index * options_.units, options_.units, 0.0);
    const std::string table = onnx.numbers("weight", onnx.shape_of("weight"), weight);
    constexpr std::int64_t kInt64 = 7;  // TensorProto.DataType
    const std::string indices = onnx.step("Cast", {onnx.input()}, {{"to", kInt64}});
    onnx.node("Gather", {table, indices}, {onnx.output()}, {{"axis", 0}});
  }
  void to_others(LayerTensors& tensors) const { tensors.keras("weight", "embeddings"); }

 private:
  static constexpr double kMostRows = 1 << 24;  // whole numbers that f32 holds
  static constexpr int kMostRank = STRATA_MAX_RANK;
  static constexpr std::int64_t kFewestUnits = 16;  // a cache line of f32

  template <class T>
  std::int64_t row_of(T x) const {
    if (x >= T(0) && x < static_cast<T>(options_.rows)) {
      const auto row = static_cast<std::int64_t>(x);
      if (static_cast<T>(row) == x) return row;
    }
    throw PluginError(
        text("Embedding read ", static_cast<double>(x),
             ", and its rows are the whole numbers from 0 to ", options_.rows - 1),
        "give it as many `rows` as there are numbers, and leave out transforms that scale them");
  }

  const Options options_;
};

const LayerRegistration<Embedding> kRegistration{"Embedding"};
const ExchangeRegistration<Embedding> kExchange;

}  // namespace
}  // namespace strata::plugins
