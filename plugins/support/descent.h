// The options that all optimizers have, described once. `Options` has lr, weight_decay and
// decay_all.
#pragma once

#include <cmath>

#include "framework/plugin/optimizer.h"

namespace strata::plugins {

template <class Options>
void describe_rate(Schema<Options>& schema) {
  schema.template option<double>("lr", &Options::lr)
      .min(0)
      .doc("learning rate, before the schedule's factor");
  schema.hint_for("learning_rate", "it is called `lr` here")
      .hint_for("no_decay", "it is a setting of `train`, beside `optimizer`");
}

enum class Decay { kInGradient, kApart };

template <class Options>
void describe_decay(Schema<Options>& schema, Decay kind) {
  schema.template option<double>("weight_decay", &Options::weight_decay)
      .min(0)
      .doc(
          kind == Decay::kInGradient
              ? "added to the gradient: weight_decay * w; on weights, not on biases and norms"
              : "subtracted by itself: lr * weight_decay * w; on weights, not on biases and norms");
  schema.template option<bool>("decay_all", &Options::decay_all)
      .doc("apply weight decay to biases and norms too");
}

template <class Options>
void describe_betas(Schema<Options>& schema, const char* first, const char* second) {
  schema.template option<double>("beta1", &Options::beta1).min(0).below(1).doc(first);
  schema.template option<double>("beta2", &Options::beta2).min(0).below(1).doc(second);
  schema.hint_for("betas", "they are called `beta1` and `beta2` here")
      .hint_for("beta_1", "it is called `beta1` here")
      .hint_for("beta_2", "it is called `beta2` here");
}

template <class Options>
void describe_eps(Schema<Options>& schema, const char* doc) {
  schema.template option<double>("eps", &Options::eps).above(0).doc(doc);
  schema.hint_for("epsilon", "it is called `eps` here");
}

// The decay that applies to this parameter.
template <class Options, class T>
T decay_of(const Options& options, const UpdatePass<T>& pass) {
  const bool applies = pass.apply_decay() || (options.decay_all && !pass.no_decay());
  return static_cast<T>(applies ? options.weight_decay : 0);
}

// The averages of the gradient and of its square that Adam and its relatives keep.
inline constexpr const char* kFirstBeta = "weight of the old average of the gradient";
inline constexpr const char* kSecondBeta = "weight of the old average of the squared gradient";

}  // namespace strata::plugins
