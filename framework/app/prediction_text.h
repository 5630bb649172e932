// Predictions as CSV and JSON.
#pragma once

#include <string>
#include <vector>

#include "framework/graph/program.h"
#include "framework/train/prediction.h"

namespace strata::app {

// Whether the output is one score per class of a label, by the losses that the model trains with.
bool is_classification(const Program& program, const Prediction& prediction);

// Turns scores into probabilities in place, sample by sample; stable for any finite scores.
void apply_softmax(Prediction& prediction);

// Forgets class names that only repeat the numbers, as those of MNIST do.
void drop_plain_names(Prediction& prediction);

struct PredictionStyle {
  bool classification = false;          // values are probabilities of classes
  int top = 1;                          // how many classes per sample, the likeliest first
  bool all = false;                     // every class's probability
  std::vector<std::string> files = {};  // that the samples are; empty where one holds them all
};

// Classes: index[,file],class[,name],probability, and a rank with top > 1, a row per class; or
// index[,file],class,p0,p1,… with `all`. Values: index, file and the elements of the output.
std::string predictions_csv(const Prediction& prediction, const PredictionStyle& style);
std::string predictions_json(const Prediction& prediction, const PredictionStyle& style);

}  // namespace strata::app
