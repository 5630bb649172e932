// The options that convolutions have in common, described once. E is the type of a kernel, a stride
// and a dilation (a number, or one per axis), P that of a padding.
#pragma once

#include <string>
#include <vector>

#include "framework/plugin/exchange.h"

namespace strata::plugins {

template <class E, class P>
struct ConvolutionOptions {
  std::int64_t channels = 0;
  E kernel = std::int64_t{3};
  E stride = std::int64_t{1};
  P padding = std::string("valid");
  E dilation = std::int64_t{1};
  std::int64_t groups = 1;
  bool bias = true;
  InitializerRef weight_init{"GlorotUniform"};
  InitializerRef bias_init{"Zeros"};
};

// What the options of one layer say of themselves.
struct ConvolutionDocs {
  std::string layer;  // its name
  std::string channels, kernel, stride, padding, dilation;
  std::vector<std::string> paddings{"same", "valid"};  // words that `padding` may be
};

// Adds them all; `more` adds the layer's own ones, which stand behind `padding`. No extent is above
// `most`, so that sizes made of them never overflow.
template <class E, class P, class Options, class More>
void describe_convolution(Schema<Options>& schema, const ConvolutionDocs& docs, double most,
                          const More& more) {
  const auto extent = [&](const char* name, E Options::*member, const std::string& doc) {
    schema.option(name, member).min(1).max(most).doc(doc);
  };
  schema.template option<std::int64_t>("channels", &Options::channels)
      .required()
      .min(1)
      .doc(docs.channels);
  extent("kernel", &Options::kernel, docs.kernel);
  extent("stride", &Options::stride, docs.stride);
  schema.template option<P>("padding", &Options::padding)
      .choices(docs.paddings)
      .min(0)
      .max(most)
      .doc(docs.padding);
  more();
  extent("dilation", &Options::dilation, docs.dilation);
  schema.template option<std::int64_t>("groups", &Options::groups)
      .min(1)
      .doc("parts that inputs and channels are divided into");
  schema.template option<bool>("bias", &Options::bias).doc("learn a bias per channel");
  schema.template option<InitializerRef>("weight_init", &Options::weight_init)
      .doc("starting values of the filters");
  schema.template option<InitializerRef>("bias_init", &Options::bias_init)
      .doc("starting values of the bias");
  schema.hint_for("filters", "it is called `channels` here")
      .hint_for("out_channels", "it is called `channels` here")
      .hint_for("in_channels", "the input's channels are known from the layer before")
      .hint_for("kernel_size", "it is called `kernel` here")
      .hint_for("strides", "it is called `stride` here")
      .hint_for("dilation_rate", "it is called `dilation` here")
      .hint_for("use_bias", "it is called `bias` here")
      .hint_for("activation", "an activation is a layer of its own: " + docs.layer + "(…) -> ReLU");
}
template <class E, class P, class Options>
void describe_convolution(Schema<Options>& schema, const ConvolutionDocs& docs, double most) {
  describe_convolution<E, P>(schema, docs, most, [] {});
}

}  // namespace strata::plugins
