// Charts as files of their own.
#include "framework/report/svg_files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "framework/report/charts.h"
#include "tests/report/sample_runs.h"

namespace strata::testing {
namespace {

std::set<std::string> names(const std::vector<report::SvgFile>& files) {
  std::set<std::string> out;
  for (const report::SvgFile& file : files) out.insert(file.name);
  return out;
}

std::string file(const std::vector<report::SvgFile>& files, const std::string& name) {
  for (const report::SvgFile& one : files)
    if (one.name == name) return one.text;
  ADD_FAILURE() << "no file " << name;
  return {};
}

// Every tag is closed in its turn, as XML wants it.
bool well_formed(const std::string& text) {
  std::vector<std::string> open;
  for (std::size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at + 1)) {
    const std::size_t end = text.find('>', at);
    if (end == std::string::npos || text.find('<', at + 1) < end) return false;
    const std::string tag = text.substr(at + 1, end - at - 1);
    if (tag[0] == '/') {
      if (open.empty() || open.back() != tag.substr(1)) return false;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
  }
  return open.empty();
}

TEST(SvgFiles, AreOneForEachChart) {
  const auto all = report::compare(sample_runs(sample_grid({10, 50, 250}, {0.01, 0.1}, 2, 8)));
  const auto files = report::svg_files(all);
  EXPECT_EQ(names(files),
            (std::set<std::string>{
                "samples_per_second-against-train-batch_size.svg", "train-accuracy-epochs.svg",
                "train-accuracy-seconds.svg", "train-accuracy-steps.svg", "train-loss-epochs.svg",
                "train-loss-seconds.svg", "train-loss-steps.svg",
                "val-accuracy-against-train-batch_size.svg", "val-accuracy-epochs.svg",
                "val-accuracy-heat-map.svg", "val-accuracy-seconds.svg", "val-accuracy-steps.svg",
                "val-loss-against-train-batch_size.svg", "val-loss-epochs.svg",
                "val-loss-heat-map.svg", "val-loss-seconds.svg", "val-loss-steps.svg"}));
  EXPECT_EQ(files.size(), names(files).size());
  for (const report::SvgFile& one : files) {
    EXPECT_TRUE(well_formed(one.text)) << one.name;
    EXPECT_NE(one.text.find("<title id=\"t\">"), std::string::npos);
    EXPECT_NE(one.text.find("<desc id=\"d\">"), std::string::npos);
    EXPECT_NE(one.text.find("fill=\"#fff\""), std::string::npos) << "no ground of its own";
    EXPECT_EQ(one.text.find("http", one.text.find("2000/svg")), std::string::npos);
  }
  const std::string epochs = file(files, "val-loss-epochs.svg");
  EXPECT_NE(epochs.find("lr = 0.1, batch_size = 50</text>"), std::string::npos) << epochs;
  EXPECT_NE(epochs.find("line: mean over seeds, band: lowest to highest"), std::string::npos);
}

TEST(SvgFiles, OfTheSameRunsAreTheSame) {
  const auto all = report::compare(sample_runs(sample_grid({10, 50, 250}, {0.01}, 2, 8)));
  const auto once = report::svg_files(all), again = report::svg_files(all);
  ASSERT_EQ(once.size(), again.size());
  for (std::size_t i = 0; i < once.size(); ++i) EXPECT_EQ(once[i].text, again[i].text);
}

TEST(SvgFiles, EscapeWhatFilesSay) {
  std::vector<SampleRun> runs(2);
  runs[0].optimizer = "\"<script>&\"";
  for (const report::SvgFile& one : report::svg_files(report::compare(sample_runs(runs)))) {
    EXPECT_TRUE(well_formed(one.text)) << one.text;
    EXPECT_EQ(one.text.find("<script"), std::string::npos);
  }
}

TEST(SvgFiles, AreNoneWithoutAnEpoch) {
  SampleRun run;
  run.epochs = 0, run.ends = false;
  EXPECT_TRUE(report::svg_files(report::compare(sample_runs({run}))).empty());
}

TEST(ValueCharts, HaveOnePointForEachValue) {
  const auto all = report::compare(sample_runs(sample_grid({10, 50, 250}, {0.01, 0.1}, 2, 8)));
  const auto charts = report::value_charts(all);
  ASSERT_EQ(charts.size(), 3u);  // the learning rate has two values only
  EXPECT_EQ(charts[1].title, "val accuracy against batch_size");
  EXPECT_EQ(charts[1].stops, (std::vector<double>{10, 50, 250}));
  ASSERT_EQ(charts[1].lines.size(), 2u);
  EXPECT_EQ(charts[1].lines[0].label, "lr = 0.01");
  ASSERT_EQ(charts[1].lines[0].points.size(), 3u);
  const report::CurvePoint& first = charts[1].lines[0].points[0];
  EXPECT_EQ(first.value, 10);
  EXPECT_EQ(first.count, 2);
  const double a = all.runs[0].best()->figure("val.accuracy"),
               b = all.runs[1].best()->figure("val.accuracy");
  EXPECT_DOUBLE_EQ(first.mean, (a + b) / 2);
  EXPECT_DOUBLE_EQ(first.low, std::min(a, b));
  EXPECT_DOUBLE_EQ(first.high, std::max(a, b));
}

TEST(ValueCharts, AreOfNumbersAlone) {
  std::vector<SampleRun> runs(4);
  for (std::size_t i = 0; i < runs.size(); ++i) runs[i].norm = std::string(i + 1, 'x');
  EXPECT_TRUE(report::value_charts(report::compare(sample_runs(runs))).empty());
}

}  // namespace
}  // namespace strata::testing
