// Trained models as ONNX files (onnx.ai), opset 17: for ONNX Runtime, OpenCV and others. Operators
// are those that layers name (framework/plugin/exchange.h).
#pragma once

#include <cstdint>
#include <string>

#include "framework/base/error.h"
#include "framework/exchange/trained_model.h"

namespace strata {

struct OnnxModel {
  std::string bytes;  // of the file
  int operators = 0;
};

// The model in inference: inputs are what the model reads, behind the data's transforms, as floats
// [batch, …] with any batch. Weights are stored as floats. Fails with ExitCode::kModel, and the
// names of all layers that cannot be written, where there are any.
Result<OnnxModel> write_onnx(const TrainedModel& model);

}  // namespace strata
