// Cutout: zeroes a square at a random place of each image while training (DeVries and Taylor, 2017,
// arXiv:1708.04552).
#include <algorithm>

#include "plugins/support/images.h"

namespace strata::plugins {
namespace {

class Cutout final : public Transform {
 public:
  struct Options {
    std::int64_t size = 8;
    std::int64_t count = 1;
    std::optional<std::string> field;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Sets squares at random places of each image to zero, in training only.\n"
            "Their centres lie anywhere in the image, so parts may be outside of it. Where they "
            "lie "
            "depends on the seed, the epoch and the sample alone. After Normalize, 0 is the mean.")
        .example("Cutout(16)");
    schema.option("size", &Options::size).min(1).max(65536).doc("side of the squares, in pixels");
    schema.option("count", &Options::count).min(1).max(1000).doc("how many squares an image gets");
    describe_field(schema);
    schema.hint_for("length", "it is called `size` here")
        .hint_for("n_holes", "it is called `count` here");
  }

  explicit Cutout(const Options& options) : options_(options) {}

  DataPlan infer(const std::vector<Field>& fields) const {
    return change_image(fields, options_.field, "Cutout", [](const Shape& shape) { return shape; });
  }

  template <class T>
  void apply(const TransformPass<T>& pass) const {
    if (!pass.training()) return;
    with_image(pass, options_.field, [&]<class U>(int field, const U*, U* images) {
      const ImageSize size(pass.shape(field));
      for (std::int64_t sample = 0; sample < pass.count(); ++sample) {
        SampleNumbers<T> numbers(pass, sample);
        for (std::int64_t i = 0; i < options_.count; ++i) {
          const std::int64_t row = numbers.below(size.height), column = numbers.below(size.width);
          fill_rectangle(images + sample * size.planes * size.positions(), size,
                         row - options_.size / 2, column - options_.size / 2, options_.size,
                         options_.size, U(0));
        }
      }
    });
  }

 private:
  const Options options_;
};

const TransformRegistration<Cutout> kRegistration{"Cutout"};

}  // namespace
}  // namespace strata::plugins
