// RandomCrop: a random part of each image, after zeros around it (as in He et al., 2016,
// arXiv:1512.03385, on CIFAR), as torchvision's RandomCrop.
#include <algorithm>
#include <cstring>

#include "plugins/support/images.h"

namespace strata::plugins {
namespace {

class RandomCrop final : public Transform {
 public:
  struct Options {
    std::int64_t padding = 4;
    std::optional<std::vector<std::int64_t>> size;
    std::optional<std::string> field;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Takes a random part of each image in training, the middle otherwise, with zeros "
            "around "
            "it.\n"
            "Without `size`, images keep theirs and are moved by up to `padding` pixels. Where the "
            "part lies depends on the seed, the epoch and the sample alone.")
        .example("RandomCrop(padding = 4)");
    schema.option("padding", &Options::padding)
        .min(0)
        .max(4096)
        .doc("zeros on all sides before a part is taken");
    schema.option("size", &Options::size)
        .min(1)
        .doc("[height, width] of the part; none: the image's own");
    describe_field(schema);
    schema.hint_for("height", "write `size = [height, width]`")
        .hint_for("width", "write `size = [height, width]`");
  }

  explicit RandomCrop(const Options& options) : options_(options) {
    if (options.size && options.size->size() != 2)
      throw PluginError(text("`size` is [height, width], and it has ", options.size->size(),
                             options.size->size() == 1 ? " number" : " numbers"));
  }

  DataPlan infer(const std::vector<Field>& fields) const {
    return change_image(fields, options_.field, "RandomCrop", [this](const Shape& shape) {
      if (!options_.size) return shape;
      for (const int axis : {-2, -1}) {
        const std::int64_t wanted = (*options_.size)[axis == -2 ? 0 : 1];
        if (wanted <= shape[axis] + 2 * options_.padding) continue;
        throw PluginError(text("a part of ", wanted, " pixels does not fit into ", shape.text(),
                               " with a padding of ", options_.padding));
      }
      std::vector<std::int64_t> extents(shape.begin(), shape.end() - 2);
      extents.insert(extents.end(), options_.size->begin(), options_.size->end());
      return Shape(extents.begin(), extents.end());
    });
  }

  template <class T>
  void apply(const TransformPass<T>& pass) const {
    with_image(pass, options_.field, [&](int field, const auto* in, auto* out) {
      const ImageSize from(pass.shape(field));
      ImageSize to = from;
      if (options_.size) to.height = (*options_.size)[0], to.width = (*options_.size)[1];
      for (std::int64_t sample = 0; sample < pass.count(); ++sample) {
        SampleNumbers<T> numbers(pass, sample);
        const std::int64_t rows = from.height + 2 * options_.padding - to.height;
        const std::int64_t columns = from.width + 2 * options_.padding - to.width;
        const std::int64_t top = pass.training() ? numbers.below(rows + 1) : rows / 2;
        const std::int64_t left = pass.training() ? numbers.below(columns + 1) : columns / 2;
        for (std::int64_t plane = 0; plane < from.planes; ++plane) {
          crop(in + (sample * from.planes + plane) * from.positions(), from,
               out + (sample * from.planes + plane) * to.positions(), to, top - options_.padding,
               left - options_.padding);
        }
      }
    });
  }

 private:
  // Row r of `out` is row r + top of `in`, from column `left` on; outside there are zeros. In
  // place, rows are written after they were read.
  template <class U>
  static void crop(const U* in, const ImageSize& from, U* out, const ImageSize& to,
                   std::int64_t top, std::int64_t left) {
    const std::int64_t first = std::clamp<std::int64_t>(-left, 0, to.width);  // columns of `out`
    const std::int64_t last = std::clamp(from.width - left, first, to.width);
    for (std::int64_t i = 0; i < to.height; ++i) {
      const std::int64_t row = top >= 0 ? i : to.height - 1 - i;
      U* target = out + row * to.width;
      const std::int64_t source = row + top;
      if (source < 0 || source >= from.height || first == last) {
        std::fill_n(target, to.width, U(0));
        continue;
      }
      std::memmove(target + first, in + source * from.width + first + left,
                   static_cast<std::size_t>(last - first) * sizeof(U));
      std::fill(target, target + first, U(0));
      std::fill(target + last, target + to.width, U(0));
    }
  }

  const Options options_;
};

const TransformRegistration<RandomCrop> kRegistration{"RandomCrop"};

}  // namespace
}  // namespace strata::plugins
