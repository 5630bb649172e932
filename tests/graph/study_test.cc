// Studies: the runs that they ask for. Their mistakes are in tests/goldens/graph/study_*.
#include <gmock/gmock.h>

#include "tests/graph/elaborations.h"

namespace strata::testing {
namespace {

using ::testing::ElementsAre;

TEST(Studies, ListTheirRuns) {
  const auto outcome = sound(
      "param norm: str = \"none\" in [\"none\", \"batch\"]\n"
      "model m(image: [28, 28]) -> logits {\n"
      "  image -> Flatten -> Dense(9) -> if norm == \"batch\" { BatchNorm } -> Dense(10) as "
      "logits\n}\n" +
      kData + kTrain +
      "study s {\n  grid norm = [\"none\", \"batch\"]\n  zip (train.optimizer.lr, train.epochs) = "
      "[(1e-3, 10), (1e-2, 5)]\n"
      "  where not (norm == \"batch\" and train.epochs == 10) and train.batch_size == 32\n  seeds "
      "= 2\n"
      "  report val.loss, samples_per_second\n}");
  ASSERT_EQ(outcome->program->studies.size(), 1u);
  const Study& study = outcome->program->studies[0];
  EXPECT_EQ(study.axes.size(), 2u);
  ASSERT_EQ(study.runs.size(), 3u);
  EXPECT_THAT(study.overrides(study.runs[2]),
              ElementsAre("norm=\"batch\"", "train.optimizer.lr=0.01", "train.epochs=5"));
  EXPECT_THAT(study.seeds, ElementsAre(42, 43));
  EXPECT_THAT(study.reports, ElementsAre("val.loss", "samples_per_second"));
}

TEST(Studies, VaryPluginsAndData) {
  const auto outcome =
      sound("model m(image: [28, 28]) -> logits { image -> Flatten -> Dense(10) as logits }\n" +
            kData + kTrain +
            "study s {\n  grid train.optimizer = [Adam(lr = 0.1), SGD(lr = 0.1)]\n"
            "  grid data.mnist.rescale.scale = [1.0, 1 / 255]\n}");
  const Study& study = outcome->program->studies.at(0);
  EXPECT_EQ(study.runs.size(), 4u);
  for (const auto& run : study.runs) {  // what a study lists is what the command line takes
    ElaborateOptions options;
    options.overrides = study.overrides(run);
    sound("model m(image: [28, 28]) -> logits { image -> Flatten -> Dense(10) as logits }\n" +
              kData + kTrain,
          options);
  }
}

}  // namespace
}  // namespace strata::testing
