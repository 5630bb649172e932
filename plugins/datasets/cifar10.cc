// CIFAR10: small colour photographs in ten classes (Krizhevsky, 2009, "Learning Multiple Layers of
// Features from Tiny Images"), from its binary files.
#include "plugins/support/cifar.h"

namespace strata::plugins {
namespace {

class Cifar10 final : public CifarImages {
 public:
  struct Options {
    std::optional<std::string> path;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Colour photographs: 50000 images to train on and 10000 to validate, 3 × 32 × 32 "
            "pixels, ten classes.\n"
            "Fields: image (bytes, [3, 32, 32]) and label. Splits: train (data_batch_1.bin to "
            "data_batch_5.bin) and val (test_batch.bin). The files are those of the archive "
            "cifar-10-binary.tar.gz.")
        .example("CIFAR10(path = \"data/cifar-10-batches-bin\")");
    describe_path(schema);
  }
  using CifarImages::describe;

  explicit Cifar10(const Options& options)
      : CifarImages(options.path,
                    {.name = "CIFAR10",
                     .files = {{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                "data_batch_4.bin", "data_batch_5.bin"},
                               {"test_batch.bin"}},
                     .samples = {50000, 10000},
                     .labels = 1,
                     .label = 0,
                     .classes = {10},
                     .class_names = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog",
                                     "horse", "ship", "truck"},
                     .folders = {"cifar10", "cifar-10-batches-bin", "CIFAR10"},
                     .hint = "unpack cifar-10-binary.tar.gz (www.cs.toronto.edu/~kriz/cifar.html) "
                             "and give its folder as CIFAR10(path = …)"}) {}
};

const DatasetRegistration<Cifar10> kRegistration{"CIFAR10"};

}  // namespace
}  // namespace strata::plugins
