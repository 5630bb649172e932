// MaxPool2D: the largest value of each window (Ranzato et al., CVPR 2007), as torch.nn.MaxPool2d;
// the gradient goes to the first one of equals.
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "framework/plugin/exchange.h"
#include "plugins/support/window.h"

namespace strata::plugins {
namespace {

class MaxPool2D final : public Layer {
 public:
  struct Options : WindowOptions {};

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Takes the largest value of each window of images of shape [channels, height, width].\n"
            "Padding never wins. Sizes that do not fit lose what is left at the right and at the "
            "bottom, unless `padding = \"same\"`.")
        .example("MaxPool2D(2)");
    describe_window(schema);
  }

  explicit MaxPool2D(const Options& options) : options_(options) {}

  Plan infer(const Shape& input) const {
    const Windows w = windows_of(options_, input, "MaxPool2D");
    const std::int64_t outputs = w.channels * w.out_positions();
    return Plan()
        .output({w.channels, w.y.out, w.x.out})
        .saved(small(w) ? (outputs + 3) / 4 : outputs)  // where in its window the largest value is
        .overwrites()
        .flops(static_cast<double>(outputs * w.y.size * w.x.size));
  }

  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    const Windows w = windows_of(options_, pass.input_shape(), "MaxPool2D");
    with_places(w, pass.saved(), [&](auto* places) {
      each_plane(pass, w.channels, work(w), [&](std::int64_t plane) {
        const T* x = pass.input() + plane * w.in_positions();
        T* y = pass.output() + plane * w.out_positions();
        auto* place = places + plane * w.out_positions();
        if (of_two(w)) {
          for (std::int64_t row = 0; row < w.y.out; ++row) {
            in_blocks(w.x.out, [&](auto size, std::int64_t i) {
              largest_of_four<size()>(x + 2 * (row * w.x.in + i), w.x.in, y + row * w.x.out + i,
                                      place + row * w.x.out + i);
            });
          }
        } else {
          largest(w, x, y, place);
        }
      });
    });
  }

  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    if (!pass.d_input()) return;
    const Windows w = windows_of(options_, pass.input_shape(), "MaxPool2D");
    with_places(w, pass.saved(), [&](const auto* places) {
      each_plane(pass, w.channels, work(w), [&](std::int64_t plane) {
        const T* dy = pass.d_output() + plane * w.out_positions();
        const auto* place = places + plane * w.out_positions();
        if (of_two(w) && !pass.accumulate()) {
          T* dx = pass.d_input() + plane * w.in_positions();
          for (std::int64_t row = 0; row < w.y.out; ++row) {
            T* to = dx + 2 * row * w.x.in;
            in_blocks(w.x.out, [&](auto size, std::int64_t i) {
              const std::int64_t from = row * w.x.out + i;
              spread_to_four<size()>(dy + from, place + from, w.x.in, to + 2 * i);
            });
            if (w.x.in > 2 * w.x.out) to[w.x.in - 1] = to[2 * w.x.in - 1] = T(0);
          }
          std::fill_n(dx + 2 * w.y.out * w.x.in, (w.y.in - 2 * w.y.out) * w.x.in, T(0));
          return;
        }
        T* dx = begin_plane(pass, plane, w.in_positions());
        for (std::int64_t row = 0; row < w.y.out; ++row) {
          for (std::int64_t column = 0; column < w.x.out; ++column) {
            const auto k = static_cast<std::int64_t>(place[row * w.x.out + column]);
            dx[(w.y.start(row) + k / w.x.size) * w.x.in + w.x.start(column) + k % w.x.size] +=
                dy[row * w.x.out + column];
          }
        }
      });
    });
  }

  void to_onnx(OnnxLayer& onnx) const {
    onnx.node("MaxPool", window_attributes(windows_of(options_, onnx.input_shape(), "MaxPool2D")));
  }
  void to_others(LayerTensors& tensors) const { tensors.channels_first(); }

 private:
  static std::int64_t work(const Windows& w) {
    return w.in_positions() + w.out_positions() * w.y.size * w.x.size;
  }

  // Places in windows of up to 256 values are kept as bytes, four in the room of the smallest T.
  static bool small(const Windows& w) { return w.y.size * w.x.size <= 256; }

  // use(places of all planes)
  template <class T, class Use>
  static void with_places(const Windows& w, T* saved, const Use& use) {
    if (small(w)) {
      using Byte = std::conditional_t<std::is_const_v<T>, const std::uint8_t, std::uint8_t>;
      use(reinterpret_cast<Byte*>(saved));
    } else {
      use(saved);
    }
  }

  // Windows of 2 × 2 beside one another, as nearly everywhere.
  static bool of_two(const Windows& w) {
    const auto two = [](const Window& axis) {
      return axis.size == 2 && axis.stride == 2 && axis.before == 0 &&
             axis.end(axis.out - 1) == 2 * axis.out;
    };
    return two(w.y) && two(w.x);
  }

  template <class T, class Place>
  static void largest(const Windows& w, const T* x, T* y, Place* place) {
    for (std::int64_t row = 0; row < w.y.out; ++row) {
      for (std::int64_t column = 0; column < w.x.out; ++column) {
        std::int64_t best = w.y.begin(row) * w.x.in + w.x.begin(column);
        for (std::int64_t i = w.y.begin(row); i < w.y.end(row); ++i) {
          for (std::int64_t j = w.x.begin(column); j < w.x.end(column); ++j) {
            // A NaN is passed on.
            if (x[i * w.x.in + j] > x[best] || std::isnan(x[i * w.x.in + j])) best = i * w.x.in + j;
          }
        }
        y[row * w.x.out + column] = x[best];
        place[row * w.x.out + column] = static_cast<Place>(
            (best / w.x.in - w.y.start(row)) * w.x.size + best % w.x.in - w.x.start(column));
      }
    }
  }

  // Windows of 2 × 2 are worked on a few at a time, without branches and in a known number, so that
  // the compiler vectorises. The last ones of a row may be done twice.
  template <class Work>
  static void in_blocks(std::int64_t count, const Work& work) {
    const auto blocks = [&](auto size) {
      for (std::int64_t i = 0; i < count; i += size)
        work(size, std::min<std::int64_t>(i, count - size));
    };
    if (count >= 8) return blocks(std::integral_constant<int, 8>());
    if (count >= 4) return blocks(std::integral_constant<int, 4>());
    blocks(std::integral_constant<int, 1>());
  }

  template <int kCount, class T, class Place>
  [[gnu::noinline]] static void largest_of_four(const T* __restrict x, std::int64_t width,
                                                T* __restrict y, Place* __restrict place) {
    T best[kCount];
    std::int32_t at[kCount];
    for (int i = 0; i < kCount; ++i) {
      const T a = x[2 * i], b = x[2 * i + 1], c = x[width + 2 * i], d = x[width + 2 * i + 1];
      // The first one of equals, and a NaN is passed on.
      T most = a;
      std::int32_t which = 0;
      const bool second = (b > most) | (b != b);
      most = second ? b : most;
      which = second ? 1 : which;
      const bool third = (c > most) | (c != c);
      most = third ? c : most;
      which = third ? 2 : which;
      const bool fourth = (d > most) | (d != d);
      best[i] = fourth ? d : most;
      at[i] = fourth ? 3 : which;
    }
    for (int i = 0; i < kCount; ++i) y[i] = best[i];
    for (int i = 0; i < kCount; ++i) place[i] = static_cast<Place>(at[i]);
  }

  template <int kCount, class T, class Place>
  [[gnu::noinline]] static void spread_to_four(const T* __restrict dy,
                                               const Place* __restrict place, std::int64_t width,
                                               T* __restrict dx) {
    for (int below = 0; below < 2; ++below) {
      for (int i = 0; i < kCount; ++i) {
        const auto at = static_cast<std::int32_t>(place[i]) - 2 * below;
        const T gradient = dy[i];
        dx[below * width + 2 * i] = at == 0 ? gradient : T(0);
        dx[below * width + 2 * i + 1] = at == 1 ? gradient : T(0);
      }
    }
  }

  const Options options_;
};

const LayerRegistration<MaxPool2D> kRegistration{"MaxPool2D"};
const ExchangeRegistration<MaxPool2D> kExchange;

}  // namespace
}  // namespace strata::plugins
