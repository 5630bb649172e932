// RandomFlip: mirrors images at random while training (as in Krizhevsky et al., 2012).
#include <algorithm>
#include <optional>

#include "framework/plugin/transform.h"

namespace strata::plugins {
namespace {

class RandomFlip final : public Transform {
 public:
  struct Options {
    bool horizontal = true;
    bool vertical = false;
    double probability = 0.5;
    std::optional<std::string> field;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Mirrors each image at random, in training only.\n"
            "Images are [height, width] or [channels, height, width]. Whether a sample is mirrored "
            "depends on the seed, the "
            "epoch and the sample alone.")
        .example("RandomFlip(horizontal = true)");
    schema.option("horizontal", &Options::horizontal).doc("mirror left and right");
    schema.option("vertical", &Options::vertical).doc("mirror top and bottom");
    schema.option("probability", &Options::probability)
        .min(0)
        .max(1)
        .doc("of each kind of mirroring");
    schema.option("field", &Options::field).doc("the data's field to work on; none: its first one");
    schema.hint_for("p", "it is called `probability` here")
        .hint_for("mode", "write `horizontal = true, vertical = true`");
  }

  explicit RandomFlip(const Options& options) : options_(options) {}

  DataPlan infer(const std::vector<Field>& fields) const {
    DataPlan plan;
    bool found = false;
    for (const Field& field : fields) {
      if (!found && (!options_.field || *options_.field == field.name)) {
        found = true;
        if (field.shape.rank() != 2 && field.shape.rank() != 3) {
          throw PluginError(
              text("RandomFlip takes images, [height, width] or [channels, height, width], and `",
                   field.name, "` is ", field.shape.text()));
        }
      }
      plan.field(field);
    }
    if (!found) throw PluginError(text("the data has no field `", *options_.field, "`"));
    return plan;
  }

  template <class T>
  void apply(const TransformPass<T>& pass) const {
    if (!pass.training()) return;
    const int field = pass.find(options_.field.value_or(""));
    switch (pass.dtype(field)) {
      case STRATA_U8:
        return flip(pass, pass.shape(field), pass.template output<std::uint8_t>(field));
      case STRATA_I32:
        return flip(pass, pass.shape(field), pass.template output<std::int32_t>(field));
      default:
        return flip(pass, pass.shape(field), pass.template output<T>(field));
    }
  }

 private:
  // images: [samples, channels, height, width], in place
  template <class T, class U>
  void flip(const TransformPass<T>& pass, const Shape& shape, U* images) const {
    const std::int64_t width = shape[-1], height = shape[-2],
                       channels = shape.elements() / (width * height);
    for (std::int64_t sample = 0; sample < pass.count(); ++sample) {
      std::uint32_t words[2];
      pass.random(pass.key(sample), 0, 2, words);
      const auto happens = [&](std::uint32_t word) {
        return static_cast<double>(word) * 0x1p-32 < options_.probability;
      };
      const bool mirror_x = options_.horizontal && happens(words[0]);
      const bool mirror_y = options_.vertical && happens(words[1]);
      U* image = images + sample * shape.elements();
      for (std::int64_t c = 0; c < channels; ++c, image += height * width) {
        for (std::int64_t y = 0; mirror_x && y < height; ++y)
          std::reverse(image + y * width, image + (y + 1) * width);
        for (std::int64_t y = 0; mirror_y && y < height / 2; ++y) {
          std::swap_ranges(image + y * width, image + (y + 1) * width,
                           image + (height - 1 - y) * width);
        }
      }
    }
  }

  const Options options_;
};

const TransformRegistration<RandomFlip> kRegistration{"RandomFlip"};

}  // namespace
}  // namespace strata::plugins
