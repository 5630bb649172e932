// RandomErasing: overwrites a random rectangle of an image while training (Zhong et al., 2017,
// arXiv:1708.04896), with the draw of torchvision's RandomErasing.
#include <algorithm>
#include <cmath>

#include "plugins/support/images.h"

namespace strata::plugins {
namespace {

class RandomErasing final : public Transform {
 public:
  struct Options {
    double probability = 0.5;
    std::vector<double> area = {0.02, 0.33};
    std::vector<double> ratio = {0.3, 3.3};
    double value = 0;
    std::optional<std::string> field;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Overwrites a random rectangle of each image, in training only.\n"
            "What happens to a sample depends on the seed, the epoch and the sample alone. It "
            "works "
            "on the values as they are: after Normalize, 0 is the mean.")
        .example("RandomErasing(0.25)");
    schema.option("probability", &Options::probability)
        .min(0)
        .max(1)
        .doc("with which an image gets a rectangle");
    schema.option("area", &Options::area)
        .above(0)
        .max(1)
        .doc("[smallest, largest] share of the image that is covered");
    schema.option("ratio", &Options::ratio)
        .above(0)
        .doc("[smallest, largest] height over width of the rectangle");
    schema.option("value", &Options::value)
        .doc("what is written there; 0 to 255, whole, where images are bytes");
    describe_field(schema);
    schema.hint_for("p", "it is called `probability` here")
        .hint_for("scale", "it is called `area` here");
  }

  explicit RandomErasing(const Options& options) : options_(options) {
    for (const auto* range : {&options.area, &options.ratio}) {
      if (range->size() != 2 || (*range)[0] > (*range)[1])
        throw PluginError("`area` and `ratio` are pairs, [smallest, largest]");
    }
  }

  DataPlan infer(const std::vector<Field>& fields) const {
    return change_image(fields, options_.field, "RandomErasing",
                        [](const Shape& shape) { return shape; });
  }

  template <class T>
  void apply(const TransformPass<T>& pass) const {
    if (!pass.training()) return;
    with_image(pass, options_.field, [&]<class U>(int field, const U*, U* images) {
      const ImageSize size(pass.shape(field));
      const bool bytes = pass.dtype(field) == STRATA_U8;
      const auto value =
          static_cast<U>(bytes ? std::clamp(options_.value, 0.0, 255.0) : options_.value);
      for (std::int64_t sample = 0; sample < pass.count(); ++sample) {
        SampleNumbers<T> numbers(pass, sample);
        if (numbers.uniform() >= options_.probability) continue;
        U* image = images + sample * size.planes * size.positions();
        for (int attempt = 0; attempt < 10; ++attempt) {
          if (erase(image, size, numbers, value)) break;
        }
      }
    });
  }

 private:
  // One draw; false where the rectangle does not fit.
  template <class U, class Numbers>
  bool erase(U* image, const ImageSize& size, Numbers& numbers, U value) const {
    const double share =
        options_.area[0] + numbers.uniform() * (options_.area[1] - options_.area[0]);
    const double low = std::log(options_.ratio[0]), high = std::log(options_.ratio[1]);
    const double ratio = std::exp(low + numbers.uniform() * (high - low));
    const double area = share * static_cast<double>(size.positions());
    const auto height = static_cast<std::int64_t>(std::lround(std::sqrt(area * ratio)));
    const auto width = static_cast<std::int64_t>(std::lround(std::sqrt(area / ratio)));
    if (height < 1 || width < 1 || height >= size.height || width >= size.width) return false;
    const std::int64_t top = numbers.below(size.height - height + 1);
    const std::int64_t left = numbers.below(size.width - width + 1);
    fill_rectangle(image, size, top, left, height, width, value);
    return true;
  }

  const Options options_;
};

const TransformRegistration<RandomErasing> kRegistration{"RandomErasing"};

}  // namespace
}  // namespace strata::plugins
