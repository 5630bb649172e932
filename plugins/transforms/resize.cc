// Resize: images of another size, by the nearest pixel or straight lines between pixel centres, as
// Keras' Resizing and PyTorch's interpolate with align_corners = False.
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "plugins/support/images.h"

namespace strata::plugins {
namespace {

class Resize final : public Transform {
 public:
  struct Options {
    std::variant<std::int64_t, std::vector<std::int64_t>> size = std::int64_t{0};
    std::string mode = "bilinear";
    std::optional<std::string> field;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Gives images another height and width.\n"
            "Bytes stay bytes and are rounded. Images that get much smaller are not smoothed "
            "first.")
        .example("Resize([16, 16])");
    schema.option("size", &Options::size)
        .required()
        .min(1)
        .doc("the new height and width, or [height, width]");
    schema.option("mode", &Options::mode)
        .choices({"bilinear", "nearest"})
        .doc("what stands between the pixels");
    describe_field(schema);
    schema.hint_for("interpolation", "it is called `mode` here")
        .hint_for("height", "write `size = [height, width]`")
        .hint_for("width", "write `size = [height, width]`");
  }

  explicit Resize(const Options& options)
      : field_(options.field), bilinear_(options.mode == "bilinear") {
    const auto* list = std::get_if<std::vector<std::int64_t>>(&options.size);
    if (list && list->size() != 2) {
      throw PluginError(text("`size` is one number or [height, width], and it has ", list->size(),
                             list->size() == 1 ? " number" : " numbers"));
    }
    height_ = list ? (*list)[0] : std::get<std::int64_t>(options.size);
    width_ = list ? (*list)[1] : height_;
  }

  DataPlan infer(const std::vector<Field>& fields) const {
    return change_image(fields, field_, "Resize", [this](const Shape& shape) {
      return shape.rank() == 3 ? Shape{shape[0], height_, width_} : Shape{height_, width_};
    });
  }

  template <class T>
  void apply(const TransformPass<T>& pass) const {
    with_image(pass, field_, [&]<class U>(int field, const U* in, U* out) {
      const ImageSize from(pass.shape(field));
      if (from.height == height_ && from.width == width_) return;  // in place
      const std::int64_t planes = pass.count() * from.planes;
      for (std::int64_t plane = 0; plane < planes; ++plane) {
        for (std::int64_t row = 0; row < height_; ++row) {
          const Place y = place(row, from.height, height_);
          for (std::int64_t column = 0; column < width_; ++column) {
            const Place x = place(column, from.width, width_);
            const U* upper = in + plane * from.positions() + y.first * from.width;
            const U* lower = in + plane * from.positions() + y.second * from.width;
            const double value = mix(mix(upper[x.first], upper[x.second], x.share),
                                     mix(lower[x.first], lower[x.second], x.share), y.share);
            out[(plane * height_ + row) * width_ + column] =
                static_cast<U>(std::is_floating_point_v<U> ? value : std::floor(value + 0.5));
          }
        }
      }
    });
  }

 private:
  // Between two inputs: (1 - share) of the first, and share of the second.
  struct Place {
    std::int64_t first, second;
    double share;
  };
  Place place(std::int64_t out, std::int64_t from, std::int64_t to) const {
    if (!bilinear_) return {out * from / to, out * from / to, 0};
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    const double at = std::max(0.0, (static_cast<double>(out) + 0.5) * scale - 0.5);
    const auto first = std::min(from - 1, static_cast<std::int64_t>(at));
    return {first, std::min(from - 1, first + 1), at - static_cast<double>(first)};
  }
  template <class A, class B>
  static double mix(A a, B b, double share) {
    return (1 - share) * static_cast<double>(a) + share * static_cast<double>(b);
  }

  const std::optional<std::string> field_;
  const bool bilinear_;
  std::int64_t height_ = 0, width_ = 0;
};

const TransformRegistration<Resize> kRegistration{"Resize"};

}  // namespace
}  // namespace strata::plugins
