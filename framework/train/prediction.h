// Outputs of a trained model for samples that have no labels.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/graph/program.h"
#include "framework/runtime/executor.h"

namespace strata {

struct Prediction {
  std::int64_t samples = 0;
  std::string output;  // the model's first output
  Shape shape;         // per sample
  std::vector<double>
      values;  // [samples, elements], as the model gives them (logits or probabilities)
  bool probabilities = false;  // whether they sum to one already (the model ends in a softmax)
  std::vector<std::string> class_names;  // of the label field, where it has any
};

// What one sample is as the data set would give it, before transforms: [28, 28] bytes for MNIST.
const DataDescription::FieldInfo& prediction_input(const Program& program);

// Fills [count, elements] with samples from number `begin` on. Called on the pool's threads, in
// order.
using ReadSamples = std::function<Status(std::int64_t begin, std::int64_t count, double* values)>;

// `read` gives `count` samples, a batch at a time, as the data set would give them; the file's
// transforms are applied (without augmentation). `weights` as in evaluate().
Result<Prediction> predict(const Program& program, const std::string& weights,
                           const ReadSamples& read, std::int64_t count, int threads,
                           const ExecutorOptions& options = {});

}  // namespace strata
