// CIFAR100: small colour photographs in a hundred classes (Krizhevsky, 2009, "Learning Multiple
// Layers of Features from Tiny Images"), from its binary files.
#include "plugins/support/cifar.h"

namespace strata::plugins {
namespace {

class Cifar100 final : public CifarImages {
 public:
  struct Options {
    std::optional<std::string> path;
    std::string labels = "fine";
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Colour photographs: 50000 images to train on and 10000 to validate, 3 × 32 × 32 "
            "pixels, a hundred classes.\n"
            "Fields: image (bytes, [3, 32, 32]) and label. Splits: train (train.bin) and val "
            "(test.bin). The files are those of the archive cifar-100-binary.tar.gz.")
        .example("CIFAR100(path = \"data/cifar-100-binary\")");
    describe_path(schema);
    schema.option("labels", &Options::labels)
        .choices({"fine", "coarse"})
        .doc("the hundred classes, or the twenty that they are grouped into");
    schema.hint_for("label_mode", "it is called `labels` here");
  }
  using CifarImages::describe;

  explicit Cifar100(const Options& options)
      : CifarImages(options.path,
                    {.name = "CIFAR100",
                     .files = {{"train.bin"}, {"test.bin"}},
                     .samples = {50000, 10000},
                     .labels = 2,
                     .label = options.labels == "fine" ? 1 : 0,
                     .classes = {20, 100},
                     .class_names = {},
                     .folders = {"cifar100", "cifar-100-binary", "CIFAR100"},
                     .hint = "unpack cifar-100-binary.tar.gz (www.cs.toronto.edu/~kriz/cifar.html) "
                             "and give its folder as CIFAR100(path = …)"}) {}
};

const DatasetRegistration<Cifar100> kRegistration{"CIFAR100"};

}  // namespace
}  // namespace strata::plugins
