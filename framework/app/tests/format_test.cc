#include "framework/app/format.h"

#include <gtest/gtest.h>

#include <limits>

#include "framework/app/catalog.h"
#include "framework/app/console.h"
#include "framework/app/progress.h"
#include "framework/app/trainer.h"

namespace strata::app {
namespace {

TEST(Format, Numbers) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(-123456), "-123,456");
  EXPECT_EQ(counted(1, "step"), "1 step");
  EXPECT_EQ(counted(60000, "sample"), "60,000 samples");
}

TEST(Format, Times) {
  EXPECT_EQ(duration(0.00312), "3.1 ms");
  EXPECT_EQ(duration(0.0312), "31 ms");
  EXPECT_EQ(duration(0.714), "0.71 s");
  EXPECT_EQ(duration(42.04), "42.0 s");
  EXPECT_EQ(duration(59.96), "1:00 min");
  EXPECT_EQ(duration(185), "3:05 min");
  EXPECT_EQ(duration(7400), "2:03:20 h");
  EXPECT_EQ(clock(5), "0:05");
  EXPECT_EQ(clock(std::numeric_limits<double>::infinity()), "?");
}

TEST(Format, Figures) {
  EXPECT_EQ(figure("val.accuracy", 0.98214), "98.21 %");
  EXPECT_EQ(figure("val.loss", 0.0712345), "0.0712");
  EXPECT_EQ(figure("loss", 0.000012345), "1.234e-05");
  EXPECT_EQ(figure("loss", 12345.67), "12345.7");
  EXPECT_EQ(figure("loss", std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(figure_label("val.top_k"), "val top k");
}

TEST(Format, TableAlignsByCells) {
  EXPECT_EQ(table({{"a", "1"}, {"größe", "22"}}, 1), "  a       1\n  größe  22\n");
}

TEST(Format, WrapsAtWords) {
  EXPECT_EQ(wrapped("one two three four five six", 24, "  "), "  one two three four\n  five six\n");
  EXPECT_EQ(wrapped("a\nb", 40, ""), "a\nb\n");
}

TEST(Format, QuotesForTheShell) {
  EXPECT_EQ(shell_quoted("runs/a/1"), "runs/a/1");
  EXPECT_EQ(shell_quoted("my runs/it's"), "'my runs/it'\\''s'");
}

TEST(Format, Overrides) {
  for (const char* yes : {"train.epochs=3", "width=", "a_b.c1=[1, 2]"})
    EXPECT_TRUE(is_override(yes)) << yes;
  for (const char* no : {"models/a=b.model", "=3", "a", "", "1a=2", "./a=b", "a b=c"})
    EXPECT_FALSE(is_override(no)) << no;
}

LiveLine line() {
  LiveLine out;
  out.epoch = 3;
  out.epochs = 10;
  out.fraction = 0.5;
  out.figures = "loss 0.0812  accuracy 97.52 %";
  out.samples_per_second = 84507;
  out.seconds_left = 42;
  return out;
}

TEST(LiveLineText, DropsWhatDoesNotFit) {
  EXPECT_EQ(live_line(line(), 100, false),
            "epoch  3/10  50 % [==========----------]  loss 0.0812  accuracy 97.52 %  84,507 "
            "samples/s  0:42 left");
  EXPECT_EQ(live_line(line(), 80, false),
            "epoch  3/10  50 % [=========---------]  loss 0.0812  accuracy 97.52 %  0:42 left");
  EXPECT_EQ(live_line(line(), 62, false),
            "epoch  3/10  50 %  loss 0.0812  accuracy 97.52 %  0:42 left");
  EXPECT_EQ(live_line(line(), 50, false), "epoch  3/10  50 %  loss 0.0812  accuracy 97.52 %");
  EXPECT_EQ(live_line(line(), 20, false), "epoch  3/10  50 %  l");
}

TEST(LiveLineText, FitsAnyWidth) {
  for (int width = 0; width < 140; ++width) {
    for (const bool unicode : {false, true})
      EXPECT_LE(cells(live_line(line(), width, unicode)), width);
  }
}

TEST(LiveLineText, SurvivesAnyFraction) {
  LiveLine odd = line();
  for (const double fraction : {-1.0, 0.0, 1.0, 7.0}) {
    odd.fraction = fraction;
    EXPECT_LE(cells(live_line(odd, 80, true)), 80);
  }
}

}  // namespace
}  // namespace strata::app
