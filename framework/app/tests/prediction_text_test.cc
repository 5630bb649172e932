#include "framework/app/prediction_text.h"

#include <gtest/gtest.h>

#include <cmath>

namespace strata::app {
namespace {

Prediction classes() {
  Prediction prediction;
  prediction.samples = 2;
  prediction.output = "logits";
  prediction.shape = Shape{3};
  prediction.values = {0.1, 0.7, 0.2, 0.5, 0.25, 0.25};
  prediction.probabilities = true;
  return prediction;
}

TEST(PredictionText, CsvOfClasses) {
  EXPECT_EQ(predictions_csv(classes(), {.classification = true}),
            "index,class,probability\n0,1,0.7\n1,0,0.5\n");
}

TEST(PredictionText, CsvQuotesNames) {
  Prediction prediction = classes();
  prediction.class_names = {"plain", "with, comma", "with \"quotes\""};
  EXPECT_EQ(predictions_csv(prediction, {.classification = true, .top = 3}),
            "index,rank,class,name,probability\n"
            "0,1,1,\"with, comma\",0.7\n0,2,2,\"with \"\"quotes\"\"\",0.2\n0,3,0,plain,0.1\n"
            "1,1,0,plain,0.5\n1,2,1,\"with, comma\",0.25\n1,3,2,\"with \"\"quotes\"\"\",0.25\n");
}

TEST(PredictionText, CsvOfAllProbabilities) {
  EXPECT_EQ(predictions_csv(classes(), {.classification = true, .all = true}),
            "index,class,probability,p0,p1,p2\n0,1,0.7,0.1,0.7,0.2\n1,0,0.5,0.5,0.25,0.25\n");
}

TEST(PredictionText, MoreClassesThanThereAre) {
  const std::string text = predictions_csv(classes(), {.classification = true, .top = 100});
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 7);
}

TEST(PredictionText, CsvOfValues) {
  Prediction prediction = classes();
  EXPECT_EQ(predictions_csv(prediction, {}),
            "index,logits0,logits1,logits2\n0,0.1,0.7,0.2\n1,0.5,0.25,0.25\n");
  prediction.shape = Shape{1};
  prediction.values = {1.5, -2};
  EXPECT_EQ(predictions_csv(prediction, {}), "index,logits\n0,1.5\n1,-2\n");
}

TEST(PredictionText, FilesHaveAColumn) {
  const std::vector<std::string> files = {"a,b.png", "c.jpg"};
  EXPECT_EQ(predictions_csv(classes(), {.classification = true, .files = files}),
            "index,file,class,probability\n0,\"a,b.png\",1,0.7\n1,c.jpg,0,0.5\n");
  EXPECT_EQ(predictions_csv(classes(), {.files = files}),
            "index,file,logits0,logits1,logits2\n0,\"a,b.png\",0.1,0.7,0.2\n1,c.jpg,0.5,0.25,"
            "0.25\n");
  EXPECT_EQ(predictions_json(classes(), {.classification = true, .files = files}),
            "[\n {\"index\":0,\"file\":\"a,b.png\",\"class\":1,\"probability\":0.7},\n "
            "{\"index\":1,\"file\":\"c.jpg\",\"class\":0,\"probability\":0.5}\n]\n");
}

TEST(PredictionText, NamesThatRepeatTheNumbersAreDropped) {
  Prediction prediction = classes();
  prediction.class_names = {"0", "1", "2"};
  drop_plain_names(prediction);
  EXPECT_TRUE(prediction.class_names.empty());
  prediction.class_names = {"0", "1", "two"};
  drop_plain_names(prediction);
  EXPECT_EQ(prediction.class_names.size(), 3u);
}

TEST(PredictionText, Json) {
  Prediction prediction = classes();
  prediction.class_names = {"a", "b", "c"};
  prediction.samples = 1;
  EXPECT_EQ(predictions_json(prediction, {.classification = true, .top = 2}),
            "[\n {\"index\":0,\"class\":1,\"name\":\"b\",\"probability\":0.7,\"top\":"
            "[{\"class\":1,\"name\":\"b\",\"probability\":0.7},{\"class\":2,\"name\":\"c\","
            "\"probability\":0.2}]}\n]\n");
  EXPECT_EQ(predictions_json(prediction, {}), "[\n {\"index\":0,\"values\":[0.1,0.7,0.2]}\n]\n");
}

TEST(PredictionText, SoftmaxOfLargeScores) {
  Prediction prediction = classes();
  prediction.values = {1e4, 1e4, -1e4, 0, std::log(3.0), -1e300};
  apply_softmax(prediction);
  const std::vector<double> expected = {0.5, 0.5, 0, 0.25, 0.75, 0};
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(prediction.values[i], expected[i], 1e-12);
}

}  // namespace
}  // namespace strata::app
