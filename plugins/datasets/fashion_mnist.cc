// FashionMNIST: Zalando's articles in MNIST's format (Xiao, Rasul and Vollgraf, 2017,
// arXiv:1708.07747).
#include "plugins/support/image_classes.h"

namespace strata::plugins {
namespace {

class FashionMnist final : public ImageClasses {
 public:
  using Options = ImageClasses::Options;

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Articles of clothing: 60000 images to train on and 10000 to validate, 28 × 28 grey "
            "pixels, ten classes.\n"
            "Fields: image (bytes, [28, 28]) and label. Splits: train and val (the test files, "
            "t10k-…).")
        .example("FashionMNIST -> Normalize(mean = 0.2860, std = 0.3530)");
    describe_path(schema);
  }
  using ImageClasses::describe;

  explicit FashionMnist(const Options& options)
      : ImageClasses(
            options,
            {"FashionMNIST",
             {"T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker",
              "bag", "ankle boot"},
             {"fashion-mnist", "fashion_mnist", "FashionMNIST", "FashionMNIST/raw"},
             "`apt-get install dataset-fashion-mnist` brings it, or give the files' folder as "
             "FashionMNIST(path = …)"}) {}
};

const DatasetRegistration<FashionMnist> kRegistration{"FashionMNIST"};

}  // namespace
}  // namespace strata::plugins
