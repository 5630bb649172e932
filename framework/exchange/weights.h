// Weights under the names and layouts of PyTorch and Keras, out of safetensors files and into them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/base/error.h"
#include "framework/exchange/trained_model.h"

namespace strata {

enum class WeightsConvention { kPyTorch, kKeras };

struct ConvertedWeights {
  std::size_t tensors = 0;
  // Layers of theirs whose options have to be as the model has them for the weights to give the
  // same: "batch_norm1: BatchNorm(eps = 1e-05, momentum = 0.1)".
  std::vector<std::string> options;
};

// Names are paths of layers and of tensors: "stage1.conv1.weight", in Keras
// "stage1/conv1/kernel".
Result<ConvertedWeights> export_weights(const TrainedModel& model, WeightsConvention convention,
                                        const std::string& path);

// Reads a file of theirs into the model's tensors. `renames` are (from, to): the parts of names
// before a dot or slash, so that ("fc", "dense1") makes fc.weight to dense1.weight. What does not
// fit is one message: all that is missing, unknown or of another shape or type.
Result<ConvertedWeights> import_weights(
    const std::string& path, WeightsConvention convention,
    const std::vector<std::pair<std::string, std::string>>& renames, TrainedModel& model);

// As a weights file of Strata's own, with the model.
Status write_weights(const TrainedModel& model, const std::string& path);

}  // namespace strata
