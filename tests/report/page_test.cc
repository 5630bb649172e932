// What a page holds, and what it must not.
#include "framework/report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <regex>

#include "framework/report/chart.h"
#include "framework/report/line_difference.h"
#include "framework/report/markup.h"
#include "framework/report/predictions.h"
#include "tests/report/sample_runs.h"

namespace strata::report {
namespace {

using ::strata::testing::fresh_folder;
using ::strata::testing::sample_grid;
using ::strata::testing::sample_runs;
using ::strata::testing::SampleRun;
using ::strata::testing::write_run;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string page_of(const std::vector<SampleRun>& runs) {
  return draw_page(compare(sample_runs(runs)));
}

int count(const std::string& text, const std::string& what) {
  int found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++found;
  return found;
}

TEST(Page, OfOneRunHasCurvesOfBothSplitsInOneChart) {
  const std::string page = page_of({SampleRun{}});
  EXPECT_THAT(page, HasSubstr("<title>spirals/1</title>"));
  EXPECT_THAT(page, HasSubstr("Done after 10 epochs in 1.50 s. Best in epoch "));
  EXPECT_EQ(count(page, "<svg "), 2 * 3);  // loss and accuracy, over epochs, steps, seconds
  EXPECT_EQ(count(page, "faint\""), 2 * 3);
  EXPECT_THAT(page, Not(HasSubstr("<div class=\"legend\"")));
  EXPECT_THAT(page, HasSubstr("batch_size = 50"));
  EXPECT_THAT(page, Not(HasSubstr("class=\"b\"")));
}

TEST(Page, OfSeedsHasBandsAndSpread) {
  const std::string page = page_of(sample_grid({10, 50}, {0.01}, 3, 10));
  EXPECT_THAT(page, HasSubstr("<h1>spirals: 6 runs</h1>"));
  EXPECT_THAT(page, HasSubstr("6 runs of 2 settings, varied by <code>train.batch_size</code>"));
  EXPECT_THAT(page, HasSubstr("Highest val accuracy: <b>"));
  EXPECT_EQ(count(page, "class=\"b\" d=\""), 2 * 3 * 2 * 2);  // charts, axes, settings, splits
  EXPECT_THAT(page, HasSubstr("<mark>10</mark>, <mark>50</mark>"));
  EXPECT_THAT(page, HasSubstr("<mark>  batch_size = 10</mark>"));
  EXPECT_THAT(page, HasSubstr("<ins>+   batch_size = 50</ins>"));
  EXPECT_THAT(page, Not(HasSubstr("class=\"heat\"")));
}

TEST(Page, OfTwoAxesHasHeatMaps) {
  const std::string page = page_of(sample_grid({10, 50}, {0.001, 0.01}, 1, 10));
  EXPECT_EQ(count(page, "<figure class=\"heat\">"), 2);  // val loss and val accuracy
  EXPECT_EQ(count(page, "<td style=\"--t:"), 2 * 4);
  EXPECT_EQ(count(page, "<svg "), 4 * 3);  // four settings: each split has its charts
}

TEST(Page, EveryChartHasWordsAndData) {
  const std::string page = page_of(sample_grid({10, 50}, {0.01}, 2, 10));
  EXPECT_EQ(count(page, "aria-describedby=\"chart"), count(page, "<svg "));
  EXPECT_EQ(count(page, "<p hidden id=\"chart"), 2);
  EXPECT_THAT(page, HasSubstr("batch_size = 10: from "));
  EXPECT_EQ(count(page, "class=\"csv part\""), 2);
  EXPECT_THAT(page, HasSubstr("download=\"curves.csv\" href=\"data:text/csv;charset=utf-8,"
                              "run,setting,epoch,step,seconds,val.loss,val.accuracy,train.loss,"
                              "train.accuracy%0Aspirals/1,1,1,100,0.11,"));
}

TEST(Page, AsksForNothing) {
  const std::string page = page_of(sample_grid({10, 50}, {0.001, 0.01}, 2, 10));
  const std::regex outside(R"((src|href)="(?!#|data:)|url\(|@import|https?://|fetch\()");
  std::smatch found;
  EXPECT_FALSE(std::regex_search(page, found, outside)) << found.str();
}

TEST(Page, OfFiftyRunsIsBelow300KB) {
  EXPECT_LT(
      page_of(sample_grid({5, 10, 25, 50, 100}, {0.001, 0.003, 0.01, 0.03, 0.1}, 2, 200)).size(),
      300'000u);
  std::vector<double> rates;
  for (int i = 1; i <= 10; ++i) rates.push_back(0.001 * i);
  const std::string page = page_of(sample_grid({5, 10, 25, 50, 100}, rates, 1, 200));
  EXPECT_LT(page.size(), 300'000u);
  EXPECT_THAT(page, HasSubstr("The data below hold one epoch in "));
}

TEST(Page, OfFiftyRunsWithAllThatTheyCanNoteIsBelow300KB) {
  auto runs = sample_grid({5, 10, 25, 50, 100}, {0.001, 0.003, 0.01, 0.03, 0.1}, 2, 60);
  for (SampleRun& run : runs) run.log_steps = 5, run.statistics = 20, run.predictions = true;
  const std::string page = page_of(runs);
  EXPECT_LT(page.size(), 300'000u);
  for (const char* section : {"Curves", "Results", "Predictions", "Layers", "Environment"})
    EXPECT_THAT(page, HasSubstr(">" + std::string(section) + "</h2>"));
}

TEST(Page, ShowsLayersOverTime) {
  SampleRun run;
  run.statistics = 10;
  const std::string page = page_of({run});
  for (const char* title :
       {"activations: mean", "activations: standard deviation", "activations: share of zeros",
        "gradients of activations: mean", "gradients of activations: standard deviation",
        "gradients of activations: share of zeros", "gradients of weights: standard deviation"})
    EXPECT_THAT(page, HasSubstr("<figcaption>" + std::string(title) + "</figcaption>"));
  EXPECT_THAT(page, HasSubstr("re_lu1: 44.56 % at step 10, "));  // words for who does not see it
  EXPECT_THAT(page, HasSubstr("href=\"data:text/csv;charset=utf-8,run,layer,kind,epoch,step,"
                              "activation.mean,activation.deviation,activation.zeros,"));
  EXPECT_THAT(page, HasSubstr("<td>dense1 + re_lu1</td><td data-v=\"2e-05\">20.0 µs</td>"));
  EXPECT_THAT(page, HasSubstr("70.0 %</td>"));  // 70 of 100 microseconds
  EXPECT_THAT(page_of({SampleRun{}}), Not(HasSubstr(">Layers</h2>")));
}

TEST(Page, HasTheDataOfEachLayerChart) {
  std::vector<SampleRun> runs = sample_grid({10, 50}, {0.01}, 1, 2);
  for (SampleRun& run : runs) run.statistics = 10;
  std::string page = page_of(runs);
  EXPECT_EQ(count(page, "<p hidden id=\"layers"), count(page, "aria-describedby=\"layers"));
  EXPECT_EQ(count(page, "href=\"#layers-csv\">CSV</a></figure>"),
            count(page, "<p hidden id=\"layers"));
  EXPECT_THAT(page, HasSubstr("data-figures=\"activation.zeros\" data-run=\"spirals/2\""));
  EXPECT_THAT(page, Not(HasSubstr("The data below hold")));
  runs[0].statistics = 1, runs[0].epochs = 4;
  page = page_of(runs);  // 400 steps and 4, of two layers each
  EXPECT_THAT(page, HasSubstr(" The data below hold one of these steps in 5; metrics.jsonl holds "
                              "all.</p>"));
}

TEST(Page, NamesTheLayersOfAllModelsInTheirOrder) {
  auto runs = sample_runs({SampleRun{.statistics = 10}, SampleRun{.lr = 0.1, .statistics = 10}});
  for (auto& record : runs[1].statistics) {
    record.layers.insert(record.layers.begin() + 1, record.layers[0]);
    record.layers[1].layer = "batch_norm1";
  }
  const std::string page = draw_page(compare(std::move(runs)));
  const std::size_t first = page.find("</i>dense1</button>");
  const std::size_t second = page.find("</i>batch_norm1</button>", first);
  EXPECT_LT(first, second);
  EXPECT_NE(page.find("</i>re_lu1</button>", second), std::string::npos);
}

TEST(Page, SaysWhereUpdatesAreCounted) {
  SampleRun run;
  run.statistics = 10;
  EXPECT_THAT(page_of({run}), HasSubstr("<button type=\"button\">update</button>"));
  auto runs = sample_runs({run});
  for (auto& time : runs[0].times) time.update = 0;
  const std::string page = draw_page(compare(std::move(runs)));
  EXPECT_THAT(page, Not(HasSubstr("<button type=\"button\">update</button>")));
  EXPECT_THAT(page, HasSubstr("medians of the steps that were timed, updates of weights counted "
                              "with backward</caption>"));
}

TEST(Page, ShowsSingleSteps) {
  SampleRun run;
  run.log_steps = 4;
  const std::string page = page_of({run});
  EXPECT_THAT(page, HasSubstr("<figcaption>training loss of single steps</figcaption>"));
  EXPECT_THAT(page, HasSubstr("download=\"steps.csv\" href=\"data:text/csv;charset=utf-8,"
                              "run,setting,epoch,step,seconds,loss%0Aspirals/1,1,1,4,"));
  run.log_steps = 1, run.epochs = 45;  // 900 steps
  EXPECT_THAT(page_of({run}), HasSubstr(">CSV, one step in 3</a>"));
}

TEST(Page, ShowsPredictions) {
  SampleRun run;
  run.predictions = true;
  const std::string page = page_of({run});
  EXPECT_THAT(page, HasSubstr("Confusion matrix: validation samples after epoch 7"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">&lt;dog&gt;</th>"));
  EXPECT_THAT(page, HasSubstr("class%20%5C%20taken%20for,cat,%3Cdog%3E,fox%0Acat,60,5,1%0A"));
  EXPECT_THAT(page, HasSubstr("alt=\"sample 100: cat, taken for &lt;dog&gt;\""));
  EXPECT_EQ(count(page, "<img "), 24);
}

TEST(Page, TakesNoImageThatIsNone) {
  const std::string folder = fresh_folder();
  write_run(folder + "/1", SampleRun{});
  for (const char* image : {"https://example.org/x.png", "data:image/png;base64,\\\" onload=x",
                            "data:text/html,<script>"}) {
    std::ofstream(folder + "/1/predictions.json")
        << R"({"worst":[{"sample":1,"loss":2,"image":")" << image << "\"}]}";
    auto runs = read_runs({folder});
    ASSERT_TRUE(runs.ok());
    EXPECT_EQ(count(draw_page(compare(*runs)), "<img "), 0) << image;
  }
}

TEST(Page, OfDamagedExtrasIsDrawn) {
  for (const char* text :
       {"", "[]", "{", "{\"classes\":3,\"confusion\":[[1]]}", "{\"worst\":[1,{}]}",
        "{\"classes\":[\"a\",\"b\"],\"confusion\":[1,[2,\"x\"]]}"}) {
    const std::string folder = fresh_folder();
    SampleRun run;
    run.log_steps = 5, run.statistics = 5;
    write_run(folder + "/1", run);
    std::ofstream(folder + "/1/predictions.json") << text;
    std::ofstream(folder + "/1/metrics.jsonl", std::ios::app)
        << "{\"event\":\"statistics\",\"step\":7}\n"
        << R"({"event":"statistics","step":900,"layers":{"a":3,"b":{"activation":[1,2]}},"times":{"a":[1]}})"
        << "\n{\"event\":\"step\"}\n{\"event\":\"st";
    auto runs = read_runs({folder});
    ASSERT_TRUE(runs.ok());
    EXPECT_THAT(draw_page(compare(*runs)), HasSubstr("</html>")) << text;
  }
}

TEST(Page, OfRunsOfOlderVersionsIsDrawn) {
  const std::string folder = fresh_folder();
  write_run(folder + "/1", SampleRun{});
  write_run(folder + "/2", SampleRun{});
  std::ofstream(folder + "/2/model.model") << "";
  std::ofstream(folder + "/2/metrics.jsonl")
      << "{\"event\":\"start\"}\n{\"event\":\"epoch\",\"epoch\":1,\"train.loss\":0.5}\n";
  auto runs = read_runs({folder});
  ASSERT_TRUE(runs.ok());
  EXPECT_THAT(draw_page(compare(*runs)),
              HasSubstr("/2 has no model.model: its settings are unknown.</p>"));
  auto alone = read_runs({folder + "/2"});
  ASSERT_TRUE(alone.ok());
  EXPECT_THAT(draw_page(compare(*alone)), HasSubstr("</html>"));
}

// A matrix with rows that are too long, too short, or negative would put numbers in wrong places.
TEST(Page, LeavesOutADamagedMatrix) {
  for (const char* rows : {"[1,2,3],[3,4]", "[1],[3,4]", "[1,-2],[3,4]", "[1,2.5],[3,4]",
                           "[1,2],[3,4],[5,6]", "[1,1e99],[3,4]"}) {
    const std::string folder = fresh_folder();
    write_run(folder + "/1", SampleRun{});
    std::ofstream(folder + "/1/predictions.json")
        << R"({"classes":["a","b"],"confusion":[)" << rows
        << R"(],"worst":[{"sample":7,"loss":2,"label":1,"predicted":0}]})";
    auto runs = read_runs({folder});
    ASSERT_TRUE(runs.ok());
    const std::string page = draw_page(compare(*runs));
    EXPECT_THAT(page, Not(HasSubstr("Confusion matrix"))) << rows;
    EXPECT_THAT(page, HasSubstr("Samples with the largest loss")) << rows;
    EXPECT_THAT(page, HasSubstr("1 has a damaged predictions.json.</p>")) << rows;
  }
}

TEST(Page, ShowsWhatAStudyMeasured) {
  const std::string folder = fresh_folder();
  auto samples = sample_grid({10, 50, 250}, {0.01}, 2, 5);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::string run = folder + "/" + std::to_string(i + 1);
    write_run(run, samples[i]);
    const double x = static_cast<double>(i);
    ASSERT_TRUE(write_measured(run, {{"gap.accuracy", 0.01 * x},
                                     {"peak_memory", 6.4e7 + 1e6 * x},
                                     {"seconds_to_target", i == 0 ? std::nan("") : 1.5}}));
  }
  std::ofstream(folder + "/6/figures.json") << "[1]";
  auto runs = read_runs({folder});
  ASSERT_TRUE(runs.ok());
  const std::string page = draw_page(compare(*runs));
  EXPECT_THAT(page, HasSubstr("<button type=\"button\">gap accuracy</button>"));
  EXPECT_THAT(page, HasSubstr("<td data-v=\"0.005\">0.50 ± 0.71 %</td>"));
  EXPECT_THAT(page, HasSubstr("<td data-v=\"6.45e+07\">64.5 ± 0.7 MB</td>"));
  EXPECT_THAT(page, HasSubstr("<td data-v=\"1.5\">1.50 s</td>"));
  EXPECT_THAT(page, HasSubstr("<figcaption>gap accuracy against batch_size</figcaption>"));
  EXPECT_THAT(page, HasSubstr(" MB</text>"));
  EXPECT_THAT(page,
              HasSubstr("Measured when a run had ended: gap accuracy, peak memory and seconds to "
                        "target.</p>"));
  EXPECT_THAT(page, HasSubstr("6 has a damaged figures.json.</p>"));
}

TEST(Page, SaysThatASeedCountsOnce) {
  const std::string page = page_of({SampleRun{}, SampleRun{}, SampleRun{.seed = 2}});
  EXPECT_THAT(page,
              HasSubstr("Of runs with the same settings and the same seed one counts: the one "
                        "that got furthest, and of equals the last.</p>"));
  EXPECT_THAT(page, HasSubstr("standard deviation of 2 runs"));
}

TEST(Page, OfManySettingsHasCurvesOfTheBest) {
  std::vector<double> rates;
  for (int i = 1; i <= 30; ++i) rates.push_back(0.001 * i);
  const std::string page = page_of(sample_grid({50}, rates, 1, 10));
  EXPECT_EQ(count(page, "class=\"key\""), 8);
  EXPECT_THAT(page,
              HasSubstr("data-g=\"all-g\" aria-pressed=\"true\"><i class=\"dot all-g\" "
                        "aria-hidden=\"true\"></i>all 30 settings: median, lowest to highest"));
  EXPECT_THAT(page,
              HasSubstr("Of 30 settings, the 7 best by val accuracy have curves of their own."));
  EXPECT_EQ(count(page, "data-g=\"all-g\"><path class=\"b\""), 4 * 3);
}

// A random search: no two settings have a value in common.
TEST(Page, OfDrawnValuesHasDots) {
  std::vector<SampleRun> runs(40);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    runs[i].batch_size = static_cast<int>(10 + i);
    runs[i].lr = std::pow(10, -4 + 0.07 * static_cast<double>((i * 17) % 40));
  }
  const std::string page = page_of(runs);
  EXPECT_EQ(count(page, "class=\"p\" d=\""), 2 * 2 * 2);  // axes, figures, all and the best
  EXPECT_THAT(page, HasSubstr("the best by val accuracy</button>"));
  EXPECT_THAT(page, HasSubstr("<a class=\"csv\" href=\"#results\">Data are in the tables</a>"));
  EXPECT_THAT(page, HasSubstr("lr (logarithmic)</text>"));
  EXPECT_THAT(page, HasSubstr(">batch_size</text>"));
  EXPECT_THAT(page, Not(HasSubstr("class=\"heat\"")));
}

TEST(Page, OfAThousandRunsIsSmall) {
  std::vector<double> rates;
  for (int i = 1; i <= 50; ++i) rates.push_back(0.001 * i);
  EXPECT_LT(page_of(sample_grid({10, 25, 50, 125, 250}, rates, 4, 20)).size(), 1'200'000u);
}

TEST(Page, OfAConfusionMatrixMetricHasNoCurveForEachCell) {
  const std::string folder = fresh_folder();
  write_run(folder + "/1", SampleRun{});
  std::ofstream(folder + "/1/metrics.jsonl")
      << R"({"event":"epoch","epoch":1,"step":9,"val.loss":1,"val.confusion_0_0":7,"val.confusion_0_1":2,"val.confusion_1_0":1,"val.confusion_1_1":30,"seconds":1})"
      << "\n";
  auto runs = read_runs({folder});
  ASSERT_TRUE(runs.ok());
  const std::string page = draw_page(compare(*runs));
  EXPECT_THAT(page, Not(HasSubstr("confusion 0 1</figcaption>")));
  EXPECT_THAT(page, HasSubstr("class%20%5C%20taken%20for,0,1%0A0,7,2%0A1,1,30%0A"));
}

TEST(Page, ThatIsLiveAsksItsServerAlone) {
  const auto all = compare(sample_runs({SampleRun{}}));
  const std::string live = draw_page(all, true);
  EXPECT_THAT(live, HasSubstr("connect-src 'self'"));
  EXPECT_THAT(live, HasSubstr("fetch('/mark')"));
  EXPECT_THAT(draw_page(all), Not(HasSubstr("connect-src")));
}

TEST(Page, NamesAreNoMarkup) {
  auto runs = sample_runs({SampleRun{}, SampleRun{.seed = 2, .norm = "<script>alert(1)</script>"}});
  runs[0].name = "\"><img src=x onerror=alert(1)>";
  runs[0].status = "<b>odd</b>";
  runs[0].facts["<i>"] = "<u>\x01\xff";
  const std::string page = draw_page(compare(std::move(runs)));
  for (const char* bad : {"<script>alert", "<img", "<b>odd", "<i>\"", "<u>"})
    EXPECT_THAT(page, Not(HasSubstr(bad)));
}

TEST(Page, OfRunsThatDidNotGetFar) {
  SampleRun none;
  none.epochs = 0, none.ends = false;
  EXPECT_THAT(page_of({none}), HasSubstr("No run has finished an epoch."));
  SampleRun one;
  one.epochs = 1, one.ends = false;
  const std::string page = page_of({one, SampleRun{}});
  EXPECT_THAT(page, HasSubstr("<circle "));
  EXPECT_THAT(page, HasSubstr("1 run not done; the table says which."));
  EXPECT_THAT(page, HasSubstr("<td class=\"bad\">unfinished</td>"));
}

TEST(Page, IsTheSameForTheSameRuns) {
  const auto runs = sample_runs(sample_grid({10, 50}, {0.01}, 2, 10));
  EXPECT_EQ(draw_page(compare(runs)), draw_page(compare(runs)));
}

TEST(Chart, TicksAreWrittenInOneWay) {
  EXPECT_THAT(tick_texts({0, 1e6, 2e6, 3e6}, "loss"), ElementsAre("0", "1 M", "2 M", "3 M"));
  EXPECT_THAT(tick_texts({5e5, 1.5e6}, "loss"), ElementsAre("500,000", "1.5 M"));
  EXPECT_THAT(tick_texts({0, 50'000, 100'000}, "loss"), ElementsAre("0", "50,000", "100,000"));
  EXPECT_THAT(tick_texts({1e-5, 3e-5, 1e-4, 0.1, 1}, "loss"),
              ElementsAre("10⁻⁵", "3·10⁻⁵", "10⁻⁴", "10⁻¹", "10⁰"));
  EXPECT_THAT(tick_texts({1e9, 2.5e12}, "loss"), ElementsAre("10⁹", "2.5·10¹²"));
  EXPECT_THAT(tick_texts({-0.5, 0, 0.25, 1e-4}, "loss"),
              ElementsAre("-0.5", "0", "0.25", "0.0001"));
  EXPECT_THAT(tick_texts({0, 0.5, 0.975}, "val.accuracy"), ElementsAre("0 %", "50 %", "97.5 %"));
  EXPECT_THAT(tick_texts({0, 5e7, 1.5e9}, "peak_memory"), ElementsAre("0 MB", "50 MB", "1,500 MB"));
}

TEST(Chart, AxesOfPowersAreLogarithmic) {
  EXPECT_TRUE(is_geometric({2, 4, 8, 32}));
  EXPECT_TRUE(is_geometric({2, 8, 32, 128, 512, 2048}));
  EXPECT_TRUE(is_geometric({1e-4, 3e-4, 1e-3, 3e-3}));
  EXPECT_TRUE(is_geometric({10, 50, 250}));
  EXPECT_FALSE(is_geometric({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_FALSE(is_geometric({0, 1, 10, 100}));
  EXPECT_FALSE(is_geometric({-1, 1, 10}));
  EXPECT_FALSE(is_geometric({16, 32, 64}));
  EXPECT_FALSE(is_geometric({1, 100}));
  EXPECT_FALSE(is_geometric({0.1, 0.5, 0.9, 1.3}));
  EXPECT_FALSE(is_geometric({}));
}

TEST(Chart, SayThatAnAxisIsLogarithmic) {
  Chart chart;
  chart.across = "batch_size";
  chart.stops = {2, 4, 8, 32};
  EXPECT_THAT(draw_chart(chart, Along::kValues, 10), HasSubstr(">batch_size (logarithmic)</text>"));
  chart.stops = {1, 2, 3, 4};
  EXPECT_THAT(draw_chart(chart, Along::kValues, 10), HasSubstr(">batch_size</text>"));
  chart.stops = {1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1};
  EXPECT_EQ(count(draw_chart(chart, Along::kValues, 10), "class=\"x\">"), 8);
  // Texts that would touch are left out; the ticks stay.
  chart.stops = {1, 2, 3, 4, 1000};
  const std::string drawn = draw_chart(chart, Along::kValues, 10);
  EXPECT_THAT(drawn, HasSubstr(">1,000</text>"));
  EXPECT_EQ(count(drawn, "v4"), 5);
  EXPECT_LT(count(drawn, "class=\"x\">"), 5);
}

TEST(Chart, TicksAreRound) {
  EXPECT_THAT(ticks(0, 40, 4), ElementsAre(0, 10, 20, 30, 40));
  EXPECT_EQ(ticks(0.82, 0.97, 3).size(), 3u);
  EXPECT_THAT(ticks(1, 1, 4), ElementsAre(1));
}

TEST(Markup, CsvQuotesWhatItMust) {
  EXPECT_EQ(csv({{"a", "b,c"}, {"say \"x\"", "two\nlines"}}),
            "a,\"b,c\"\n\"say \"\"x\"\"\",\"two\nlines\"\n");
  EXPECT_EQ(csv_uri("a,\"b\" %\n"), "data:text/csv;charset=utf-8,a,%22b%22%20%25%0A");
}

TEST(Markup, FiguresHaveTheirUnits) {
  EXPECT_EQ(figure_text("val.accuracy", 0.9725), "97.25 %");
  EXPECT_EQ(figure_text("val.loss", 0.06264), "0.06264");
  EXPECT_EQ(figure_text("val.loss", std::nan("")), "–");
  EXPECT_EQ(spread_text("val.accuracy", 0.9725, 0.0029), "97.25 ± 0.29 %");
  EXPECT_EQ(spread_text("val.loss", 0.5, 0.01), "0.5000 ± 0.0100");
  EXPECT_EQ(figure_text("val.loss", 3e6), "3,000,000");
  EXPECT_EQ(figure_text("peak_memory", 6.44e7), "64.4 MB");
  EXPECT_EQ(figure_text("seconds_to_target", 75), "1:15 min");
  EXPECT_EQ(figure_text("epochs_to_target", 4), "4.0");
  EXPECT_EQ(figure_text("gap.accuracy", -0.01), "-1.00 %");
  EXPECT_EQ(spread_text("peak_memory", 6.44e7, 1e6), "64.4 ± 1.0 MB");
  EXPECT_EQ(spread_text("seconds_to_target", 1.5, 0.25), "1.50 ± 0.25 s");
}

TEST(Markup, FactsAreWords) {
  EXPECT_EQ(fact_text(nlohmann::ordered_json::parse(R"({"train":"68663776","val":null})")),
            "train 68663776, val none");
  EXPECT_EQ(short_time(0.0004123), "412.3 µs");
  EXPECT_EQ(short_time(0.0041234), "4.1 ms");
}

TEST(LineDifference, KeepsWhatIsCommon) {
  std::string out;
  for (const LineEdit& edit : line_difference({"a", "b", "c", "d"}, {"a", "x", "c", "y", "d"}))
    out += std::string(1, edit.kind) + edit.line;
  EXPECT_EQ(out, " a-b+x c+y d");
}

}  // namespace
}  // namespace strata::report
