// Models with made-up weights that between them use every layer: what the tests of exports compare.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "framework/base/random.h"
#include "framework/exchange/trained_model.h"
#include "framework/runtime/executor.h"
#include "framework/tensor/parallel.h"
#include "tests/support/programs.h"

namespace strata::testing {

struct ExchangeCase {
  std::string name;
  std::string input;  // "[1, 6, 6]"
  std::string body;   // makes y of x
};

inline const std::vector<ExchangeCase>& exchange_cases() {
  static const std::vector<ExchangeCase> cases = {
      {"perceptron", "[1, 6, 6]",
       "y = x -> Flatten -> Dense(16, bias = false) as fc1 -> BatchNorm as bn1 -> ReLU\n"
       "      -> Dropout(0.2) -> Dense(5) as fc2 -> Softmax\n"},
      {"network", "[3, 12, 10]",
       "y = x -> Conv2D(8, kernel = 3, padding = \"same\", bias = false) as conv1\n"
       "      -> BatchNorm as bn1 -> ReLU -> MaxPool2D(2)\n"
       "      -> Conv2D(12, kernel = 3, stride = 2, padding = 1) as conv2 -> SpatialDropout(0.1)\n"
       "      -> LeakyReLU(0.2) -> Flatten -> BatchNorm(scale = false) as bn2\n"
       "      -> Dense(7) as fc1 -> Tanh -> Dense(4) as fc2\n"},
      {"convolutions", "[4, 11, 9]",
       "a = x -> Conv2D(8, kernel = [3, 5], stride = [2, 3], padding = \"same\")\n"
       "b = x -> Conv2D(8, kernel = 3, dilation = 2, groups = 2, padding = 2)\n"
       "c = x -> Conv2D(8, kernel = [3, 2], groups = 4, bias = false)\n"
       "d = a -> GlobalAveragePool\n"
       "e = b -> GlobalMaxPool\n"
       "f = c -> Flatten\n"
       "y = Concat(d, e, f)\n"},
      {"pools", "[3, 11, 8]",
       "a = x -> MaxPool2D(3, stride = 2, padding = \"same\") -> Flatten\n"
       "b = x -> AveragePool2D(3, stride = 2, padding = 1) -> Flatten\n"
       "d = x -> MaxPool2D(2) -> Flatten\n"
       "e = x -> AveragePool2D(3, padding = \"same\") -> Flatten\n"
       "y = Concat(a, b, d, e)\n"},
      {"padded_means", "[3, 11, 8]",
       "y = x -> AveragePool2D([2, 3], padding = 1, count_padding = true)\n"},
      {"activations", "[4, 5, 6]",
       "a = x -> ReLU\n"
       "b = x -> LeakyReLU(0.1)\n"
       "c = x -> ELU(0.7)\n"
       "d = x -> SELU\n"
       "e = x -> Sigmoid\n"
       "f = x -> Tanh\n"
       "g = x -> Softplus\n"
       "h = x -> Softplus(2)\n"
       "i = x -> HardSwish\n"
       "j = x -> SiLU\n"
       "k = x -> PReLU\n"
       "l = x -> PReLU(shared = true)\n"
       "m = x -> GELU\n"
       "n = x -> GELU(\"tanh\")\n"
       "o = x -> Softmax\n"
       "p = x -> LogSoftmax\n"
       "y = Concat(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)\n"},
      {"normalizations", "[6, 4, 5]",
       "a = x -> LayerNorm(eps = 1e-3)\n"
       "b = x -> LayerNorm(axes = 3, shift = false)\n"
       "c = x -> GroupNorm(3)\n"
       "d = x -> GroupNorm(2, scale = false, shift = false)\n"
       "e = x -> InstanceNorm(scale = true, shift = true)\n"
       "f = x -> RMSNorm\n"
       "g = x -> BatchNorm(scale = false)\n"
       "h = x -> BatchRenorm\n"
       "y = Concat(a, b, c, d, e, f, g, h)\n"},
      {"shapes", "[4, 6, 5]",
       "a, b = Split(x, sizes = [1, 3])\n"
       "c = b -> Permute([1, 2, 0]) -> Reshape([3, 30])\n"
       "d = x -> ZeroPad2D([1, 0, 2, 3]) -> Upsample2D([2, 3]) -> Flatten\n"
       "e = x -> Upsample2D(3, mode = \"bilinear\") -> Flatten\n"
       "i = Multiply(x, x, x)\n"
       "j = Add(i, x, x)\n"
       "f = j -> Flatten\n"
       "g = a -> Flatten\n"
       "h = c -> Flatten\n"
       "y = Concat(g, h, d, e, f)\n"},
      {"sequences", "[3, 14]",
       "a = x -> Conv1D(6, kernel = 5, stride = 2, padding = \"same\") -> MaxPool1D(2)\n"
       "b = x -> Conv1D(6, kernel = 3, dilation = 2, groups = 3, padding = \"causal\", bias = "
       "false)\n"
       "c = b -> AveragePool1D(3, padding = 1, count_padding = true)\n"
       "d = b -> AveragePool1D(3, stride = 2, padding = \"same\")\n"
       "e = a -> Flatten\nf = c -> Flatten\ng = d -> Flatten\n"
       "y = Concat(e, f, g)\n"},
      {"backwards", "[4, 5, 6]",
       "a = x -> ConvTranspose2D(3, kernel = 3, stride = 2, padding = 1, output_padding = 1)\n"
       "b = x -> ConvTranspose2D(2, kernel = [2, 3], stride = 3, padding = \"same\", groups = 2)\n"
       "c = x -> ConvTranspose2D(2, kernel = 2, dilation = 2, bias = false)\n"
       "d = a -> Flatten\ne = b -> Flatten\nf = c -> Flatten\n"
       "y = Concat(d, e, f)\n"},
      {"words", "[4]", "y = x -> Embedding(9, units = 5, padding_index = 2)\n"},
      {"rows", "[5, 8]",
       "y = x -> Dense(6) -> LayerNorm -> GELU -> Dense(4, bias = false) -> RMSNorm(scale = "
       "false)\n"
       "      -> Softmax\n"},
  };
  return cases;
}

inline std::string text_of(const ExchangeCase& one) {
  return "format 1\nmodel " + one.name + "(x: " + one.input + ") -> y {\n" + one.body + "}\n";
}

// The same values each time, of the size that training would leave.
inline void fill_with_numbers(const std::vector<NamedTensor>& tensors) {
  std::uint64_t tensor_index = 0;
  for (const NamedTensor& tensor : tensors) {
    const std::int64_t count = tensor.shape.elements();
    std::vector<std::uint32_t> words(static_cast<std::size_t>(count));
    random_words(stream_key(7, Purpose::kSynthetic, ++tensor_index, 0), 0, count, words.data());
    const bool positive = tensor.shape.rank() <= 1 && !tensor.name.ends_with("bias") &&
                          !tensor.name.ends_with("mean");
    const std::int64_t fan_in =
        tensor.shape.rank() > 1 ? std::max<std::int64_t>(1, count / tensor.shape[0]) : 3;
    for (std::int64_t i = 0; i < count; ++i) {
      const double u = static_cast<double>(words[static_cast<std::size_t>(i)]) * 0x1p-32;
      static_cast<float*>(tensor.data)[i] = static_cast<float>(
          positive ? 0.5 + u : (2 * u - 1) * std::sqrt(3.0 / static_cast<double>(fan_in)));
    }
  }
}

// `whole`: numbers from 0 to 8, for Embedding.
inline std::vector<float> made_inputs(std::int64_t count, bool whole) {
  std::vector<std::uint32_t> words(static_cast<std::size_t>(count));
  random_words(stream_key(8, Purpose::kSynthetic, 0, 0), 0, count, words.data());
  std::vector<float> values;
  for (const std::uint32_t word : words)
    values.push_back(whole ? static_cast<float>(word % 9)
                           : static_cast<float>(4 * (static_cast<double>(word) * 0x1p-32) - 2));
  return values;
}

// [batch, elements] of the model's only output for inputs [batch, elements]. `weights` are copied.
inline std::vector<float> outputs_of(const Program& program,
                                     const std::vector<NamedTensor>& weights,
                                     const std::vector<float>& inputs, std::int64_t batch) {
  auto executor = Executor::create(program, batch, /*training=*/false);
  EXPECT_TRUE(executor.ok());
  const auto& tensors = (*executor)->tensors();
  for (std::size_t i = 0; i < tensors.size(); ++i)
    std::copy_n(static_cast<const char*>(weights[i].data), tensors[i].bytes(),
                static_cast<char*>(tensors[i].data));
  ThreadPool pool(1);
  const void* input = inputs.data();
  pool.run([&] { EXPECT_TRUE((*executor)->predict(batch, &input).ok()); });
  const Graph& graph = program.graph;
  const std::int64_t elements =
      graph.values[static_cast<std::size_t>(graph.outputs[0])].shape.elements();
  const auto* values = static_cast<const float*>((*executor)->output(0));
  return {values, values + batch * elements};
}

}  // namespace strata::testing
