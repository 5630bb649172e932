// What pooling layers share: a window that slides over images of shape [channels, height, width],
// and its options, which are those of Conv2D. Padding "same" is Keras' and ONNX' SAME_UPPER.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "framework/plugin/exchange.h"

namespace strata::plugins {

using Extent = std::variant<std::int64_t, std::vector<std::int64_t>>;
using Padding = std::variant<std::string, std::int64_t, std::vector<std::int64_t>>;

// One axis: output o looks at inputs [begin(o), end(o)), and at padding around them.
struct Window {
  std::int64_t in, out, size, stride, before;
  std::int64_t begin(std::int64_t o) const { return std::max<std::int64_t>(0, start(o)); }
  std::int64_t end(std::int64_t o) const { return std::min(in, start(o) + size); }
  std::int64_t start(std::int64_t o) const { return o * stride - before; }
};

struct Windows {
  std::int64_t channels;
  Window y, x;
  std::int64_t in_positions() const { return y.in * x.in; }
  std::int64_t out_positions() const { return y.out * x.out; }
};

// The number for the vertical axis (0) or the horizontal one (1).
inline std::int64_t extent_of(const Extent& extent, int axis) {
  const auto* list = std::get_if<std::vector<std::int64_t>>(&extent);
  return list ? (*list)[static_cast<std::size_t>(axis)] : std::get<std::int64_t>(extent);
}

inline std::int64_t number_of(const Padding& padding, int axis) {
  const auto* list = std::get_if<std::vector<std::int64_t>>(&padding);
  return list ? (*list)[static_cast<std::size_t>(axis)] : std::get<std::int64_t>(padding);
}

// Throws unless a list has two numbers.
inline void check_extent(const char* option, const Extent& extent) {
  const auto* list = std::get_if<std::vector<std::int64_t>>(&extent);
  if (list && list->size() != 2) {
    throw PluginError(text("`", option, "` has ", list->size(),
                           list->size() == 1 ? " number" : " numbers",
                           ", and it is one number, or [vertical, horizontal]"));
  }
}

struct WindowOptions {
  Extent size = std::int64_t{2};
  std::optional<Extent> stride;
  Padding padding = std::string("valid");
};

template <class Options>
void hint_window(Schema<Options>& schema) {
  schema.hint_for("pool_size", "it is called `size` here")
      .hint_for("kernel_size", "it is called `size` here")
      .hint_for("kernel", "it is called `size` here")
      .hint_for("strides", "it is called `stride` here")
      .hint_for("ceil_mode", "padding = \"same\" keeps what is left at the edges");
}

// Adds size, stride and padding.
template <class Options>
void describe_window(Schema<Options>& schema) {
  schema.template option<Extent>("size", &Options::size)
      .min(1)
      .doc("the window's size, or [height, width]");
  schema.template option<std::optional<Extent>>("stride", &Options::stride)
      .min(1)
      .doc("the step between windows, or [vertical, horizontal]; none: the window's size");
  schema.template option<Padding>("padding", &Options::padding)
      .choices({"same", "valid"})
      .min(0)
      .doc(
          "what is added around the image: \"same\", \"valid\", a number, or [vertical, "
          "horizontal]");
  hint_window(schema);
}

inline Window window_of(const WindowOptions& options, const Shape& input, int axis,
                        const char* who) {
  Window w{};
  w.in = input[1 + axis];
  w.size = extent_of(options.size, axis);
  w.stride = options.stride ? extent_of(*options.stride, axis) : w.size;
  const auto* word = std::get_if<std::string>(&options.padding);
  if (word && *word == "same") {
    w.out = (w.in + w.stride - 1) / w.stride;
    w.before = std::max<std::int64_t>(0, (w.out - 1) * w.stride + w.size - w.in) / 2;
    return w;
  }
  if (!word) w.before = number_of(options.padding, axis);
  if (w.before >= w.size) {
    throw PluginError(text("a padding of ", w.before, " leaves windows of size ", w.size,
                           " with nothing but padding"));
  }
  if (w.in + 2 * w.before < w.size) {
    throw PluginError(text(who, "'s window of ", w.size, " does not fit into ", input.text()));
  }
  w.out = (w.in + 2 * w.before - w.size) / w.stride + 1;
  return w;
}

inline Windows windows_of(const WindowOptions& options, const Shape& input, const char* who) {
  if (input.rank() != 3) {
    throw PluginError(
        text(who, " takes images of shape [channels, height, width], not ", input.text()));
  }
  check_extent("size", options.size);
  if (options.stride) check_extent("stride", *options.stride);
  if (const auto* list = std::get_if<std::vector<std::int64_t>>(&options.padding))
    check_extent("padding", Extent(*list));
  return {input[0], window_of(options, input, 0, who), window_of(options, input, 1, who)};
}

// The same for sequences of shape [channels, length].
struct SequenceWindowOptions {
  std::int64_t size = 2;
  std::optional<std::int64_t> stride;
  std::variant<std::string, std::int64_t> padding = std::string("valid");
};

template <class Options>
void describe_sequence_window(Schema<Options>& schema) {
  schema.template option<std::int64_t>("size", &Options::size).min(1).doc("the window's length");
  schema.template option<std::optional<std::int64_t>>("stride", &Options::stride)
      .min(1)
      .doc("the step between windows; none: the window's length");
  schema.template option<std::variant<std::string, std::int64_t>>("padding", &Options::padding)
      .choices({"same", "valid"})
      .min(0)
      .doc("what is added around the sequence: \"same\", \"valid\" or a number");
  hint_window(schema);
}

// A sequence as an image of height 1.
inline Windows windows_of(const SequenceWindowOptions& options, const Shape& input,
                          const char* who) {
  if (input.rank() != 2) {
    throw PluginError(
        text(who, " takes sequences of shape [channels, length], not ", input.text()));
  }
  WindowOptions plain;
  plain.size = options.size;
  if (options.stride) plain.stride = Extent(*options.stride);
  std::visit([&](const auto& padding) { plain.padding = padding; }, options.padding);
  return {input[0], Window{1, 1, 1, 1, 0}, window_of(plain, input, 0, who)};
}

// body(plane) for each channel of each sample, `operations` being the work in one.
template <class Pass, class Body>
void each_plane(const Pass& pass, std::int64_t channels, std::int64_t operations,
                const Body& body) {
  pass.tiles(pass.batch() * channels, std::max<std::int64_t>(1, kElementwiseTile / operations),
             [&](std::int64_t first, std::int64_t last) {
               for (std::int64_t plane = first; plane < last; ++plane) body(plane);
             });
}

// Gradients of planes are added to dx; a plane that is not added to begins with zeros.
template <class T>
T* begin_plane(const BackwardPass<T>& pass, std::int64_t plane, std::int64_t positions) {
  T* dx = pass.d_input() + plane * positions;
  if (!pass.accumulate()) std::fill_n(dx, positions, T(0));
  return dx;
}

// As ONNX' pooling operators take them. Sizes that do not fit lose what is left there, too.
inline OnnxAttributes window_attributes(const std::vector<Window>& axes) {
  std::vector<std::int64_t> sizes, strides, before, after;
  for (const Window& axis : axes) {
    sizes.push_back(axis.size);
    strides.push_back(axis.stride);
    before.push_back(axis.before);
    after.push_back(std::max<std::int64_t>(
        0, (axis.out - 1) * axis.stride + axis.size - axis.in - axis.before));
  }
  before.insert(before.end(), after.begin(), after.end());
  return {{"kernel_shape", sizes}, {"pads", before}, {"strides", strides}};
}
inline OnnxAttributes window_attributes(const Windows& w) {
  return window_attributes(std::vector<Window>{w.y, w.x});
}
inline OnnxAttributes sequence_attributes(const Windows& w) {
  return window_attributes(std::vector<Window>{w.x});
}

}  // namespace strata::plugins
