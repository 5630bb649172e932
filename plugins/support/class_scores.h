// What losses and metrics share that compare one score per class with class numbers.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "framework/plugin/registration.h"

namespace strata::plugins {

// Throws unless inputs are [classes] real scores (one score: two classes) and a class number per
// sample. Returns the number of classes. `who` is the name of the loss or metric.
inline std::int64_t check_class_scores(const std::string& who, const std::vector<Input>& inputs) {
  const Input& scores = inputs.at(0);
  const Input& label = inputs.at(1);
  if (scores.dtype != STRATA_REAL || scores.shape.rank() != 1) {
    throw PluginError(text(who, " needs one value per class, and `", scores.name,
                           "` has the shape ", scores.shape.text()),
                      "end the model with Flatten -> Dense(classes)");
  }
  if (label.dtype != STRATA_I32 || label.shape.rank() != 0) {
    throw PluginError(text(who, " compares with a class number per sample, and `", label.name,
                           "` is not one (its shape is ", label.shape.text(), ")"));
  }
  const std::int64_t classes = scores.shape[0] == 1 ? 2 : scores.shape[0];
  if (label.classes > classes) {
    throw PluginError(
        text("`", label.name, "` has ", label.classes, " classes, and `", scores.name,
             "` has only ", scores.shape[0], scores.shape[0] == 1 ? " value" : " values"),
        text("end the model with Dense(", label.classes, ")"));
  }
  return classes;
}

// Throws where a label of the batch is no class.
inline void check_labels(const std::int32_t* labels, std::int64_t batch, std::int64_t classes) {
  for (std::int64_t sample = 0; sample < batch; ++sample) {
    if (labels[sample] >= 0 && labels[sample] < classes) continue;
    throw PluginError(
        text("label ", labels[sample], " of sample ", sample,
             " of the batch is no class: there are ", classes, ", from 0 to ", classes - 1),
        {}, STRATA_DATA);
  }
}

// The class of the largest score, the first one of equals; of a single score (a logit) 1 where it
// is above 0. -1 where a score is NaN.
template <class T>
std::int64_t predicted_class(const T* scores, std::int64_t count) {
  if (count == 1) return std::isnan(scores[0]) ? -1 : scores[0] > T(0);
  std::int64_t best = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (std::isnan(scores[i])) return -1;
    if (scores[i] > scores[best]) best = i;
  }
  return best;
}

}  // namespace strata::plugins
