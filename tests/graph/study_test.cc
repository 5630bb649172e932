// Studies: the runs that they ask for. Their mistakes are in tests/goldens/graph/study_*.
#include <gmock/gmock.h>

#include <cmath>
#include <set>

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

const char kDrawn[] =
    "param rate: float = 0.1 in 0.0..0.9\nparam width: int = 8 in 1..4096\n"
    "model m(image: [28, 28]) -> logits {\n"
    "  image -> Flatten -> Dense(width) -> Dropout(rate) -> Dense(10) as logits\n}\n";

std::vector<std::vector<std::string>> drawn(const std::string& lines) {
  const auto outcome = sound(kDrawn + kData + kTrain + "study s {\n" + lines + "\n}");
  std::vector<std::vector<std::string>> all;
  if (!outcome->program) return all;
  const Study& study = outcome->program->studies.at(0);
  for (const auto& run : study.runs) all.push_back(study.overrides(run));
  return all;
}

double number_in(const std::string& given) { return std::stod(given.substr(given.find('=') + 1)); }

TEST(Studies, DrawFromRanges) {
  const auto all = drawn(
      "  grid rate = 0.0..0.5\n  grid train.optimizer.lr = log_uniform(1e-4..1e-1)\n"
      "  grid width = log_uniform(1..1024)\n  grid train.batch_size = 10..19\n  random = 400");
  ASSERT_EQ(all.size(), 400u);
  double rates = 0, exponents = 0, narrow = 0, batches = 0;
  for (const auto& run : all) {
    ASSERT_EQ(run.size(), 4u);
    const double rate = number_in(run[0]), lr = number_in(run[1]), width = number_in(run[2]);
    EXPECT_TRUE(rate >= 0 && rate <= 0.5 && lr >= 1e-4 && lr <= 0.1) << run[0] << run[1];
    EXPECT_TRUE(width >= 1 && width <= 1024 && width == std::floor(width)) << run[2];
    EXPECT_LE(run[1].size(), std::string("train.optimizer.lr=0.0001234").size()) << run[1];
    rates += rate, exponents += std::log10(lr), narrow += width <= 32;
    batches += number_in(run[3]);
  }
  EXPECT_NEAR(rates / 400, 0.25, 0.03);      // deviations of the means: 0.007,
  EXPECT_NEAR(exponents / 400, -2.5, 0.18);  // 0.043,
  EXPECT_NEAR(narrow / 400, 0.55, 0.1);      // 0.025: log(32.5 / 0.5) of log(1024.5 / 0.5),
  EXPECT_NEAR(batches / 400, 14.5, 0.6);     // and 0.14
}

TEST(Studies, DrawTheSameAgainAndMoreOfThem) {
  const std::string lines =
      "  grid rate = 0.0..0.5\n  grid train.last_batch = [\"keep\", \"drop\"]\n"
      "  where train.last_batch == \"drop\" or rate < 0.25\n";
  const auto few = drawn(lines + "  random = 5"), more = drawn(lines + "  random = 20");
  ASSERT_EQ(few.size(), 5u);
  ASSERT_EQ(more.size(), 20u);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), more.begin()));
  EXPECT_EQ(std::set(more.begin(), more.end()).size(), 20u);
  for (const auto& run : more)
    EXPECT_TRUE(run[1] == "train.last_batch=\"drop\"" || number_in(run[0]) < 0.25);
  // Another study of the file draws others.
  const auto other = sound(kDrawn + kData + kTrain + "study t {\n" + lines + "  random = 5\n}");
  const Study& study = other->program->studies.at(0);
  EXPECT_NE(study.overrides(study.runs[0]), few[0]);
}

TEST(Studies, ListRangesOfIntsWithoutRandom) {
  const auto all = drawn("  grid width = 3..5");
  EXPECT_THAT(all,
              ElementsAre(ElementsAre("width=3"), ElementsAre("width=4"), ElementsAre("width=5")));
}

}  // namespace
}  // namespace strata::testing
