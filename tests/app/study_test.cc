// trainer study: complete, killed and resumed, with runs that fail, and asked for in wrong ways.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "framework/app/study_charts.h"
#include "framework/app/study_results.h"
#include "tests/app/run_trainer.h"
#include "tests/app/studies.h"

namespace strata::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const char kGrid[] =
    "  grid train.batch_size = [25, 50]\n  grid train.optimizer.lr = [1e-2, 1e-3]\n"
    "  seeds = 2\n  report val.accuracy, val.loss, train.loss\n";

TEST(Study, KilledTwiceAndResumedHasTheTableOfOneThatRanThrough) {
  // Long enough that signals come while it runs.
  std::string text = spirals(kGrid);
  text.replace(text.find("epochs     = 40"), 15, "epochs     = 150");
  write_text("spirals.model", text);
  const Ran whole = run_trainer({"study", "spirals.model", "--runs", "whole"});
  ASSERT_EQ(whole.code, 0) << whole.err;
  EXPECT_NE(whole.out.find("8 of 8 runs done"), std::string::npos) << whole.out;
  EXPECT_NE(whole.out.find(" ± "), std::string::npos) << whole.out;

  const std::vector<std::string> begin = {"study", "spirals.model", "-j", "2", "--runs", "broken"};
  std::vector<std::string> resume = begin;
  resume.push_back("--resume");
  EXPECT_EQ(run_trainer(begin, kill_when_saved(SIGKILL, "broken", 2)).code, 128 + SIGKILL);
  EXPECT_EQ(run_trainer(resume, kill_when_saved(SIGKILL, "broken", 6)).code, 128 + SIGKILL);
  const Ran stopped = run_trainer(resume, kill_when_saved(SIGINT, "broken", 10));
  EXPECT_EQ(stopped.code, 130) << stopped.out << stopped.err;
  EXPECT_NE(stopped.out.find("--resume --runs broken goes on from here"), std::string::npos)
      << stopped.out;
  const Ran rest = run_trainer(resume);
  EXPECT_EQ(rest.code, 0) << rest.err;

  EXPECT_EQ(lasting(results("spirals.model", "broken")),
            lasting(results("spirals.model", "whole")));
  const auto table_of = [](const std::string& runs) {
    return run_trainer({"study", "spirals.model", "--runs", runs, "--table"}).out;
  };
  EXPECT_EQ(table_of("broken"), table_of("whole"));

  // As it is alone.
  const Json run = results("spirals.model", "whole")["runs"][5];
  EXPECT_EQ(run["seed"], 43);
  const Ran alone = run_trainer({"train", "spirals.model", "train.batch_size=25",
                                 "train.optimizer.lr=1e-3", "train.seed=43", "--run", "alone"});
  ASSERT_EQ(alone.code, 0) << alone.err;
  const std::string log = read_text("alone/metrics.jsonl");
  EXPECT_EQ(Json::parse(log.substr(log.rfind("{\"event\":\"end\"")))["weights_sha256"],
            run["weights_sha256"]);
}

TEST(Study, RunsThatDivergeOrFailAreResults) {
  write_text("bad.model", spirals("  grid train.optimizer = [Adam(lr = 1e-2), SGD(lr = 1e30)]\n"
                                  "  grid train.batch_size = [1, 50]\n"));
  const Ran ran = run_trainer({"study", "bad.model", "train.epochs=2", "--runs", "bad"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("1 of 4 runs done, 1 diverged, 2 failed"), std::string::npos) << ran.out;
  const Json runs = results("bad.model", "bad")["runs"];
  for (const Json& run : runs) {
    const bool done = run["status"] == "done";
    EXPECT_EQ(run["message"].get<std::string>().empty(), done) << run;
  }
  EXPECT_NE(runs[0]["message"].get<std::string>().find("batch"), std::string::npos) << runs[0];
  // Nothing is left to do.
  const Ran again =
      run_trainer({"study", "bad.model", "train.epochs=2", "--runs", "bad", "--resume"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_NE(again.out.find("s of spirals: 0 runs"), std::string::npos) << again.out;
}

TEST(Study, TakesValuesThatWereAddedAndNothingElse) {
  write_text("grows.model", spirals("  grid train.batch_size = [25, 50]\n"));
  const std::vector<std::string> call = {"study", "grows.model", "train.epochs=1", "--runs",
                                         "grows"};
  std::vector<std::string> first = call, resume = call;
  first.insert(first.end(), {"--max-runs", "1"});
  resume.push_back("--resume");
  const Ran one = run_trainer(first);
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_NE(one.out.find("1 of 2 runs done"), std::string::npos) << one.out;
  EXPECT_NE(one.out.find("grows.model s --resume --runs grows train.epochs=1 goes on from here"),
            std::string::npos)
      << one.out;
  EXPECT_NE(one.out.find("\ngrows/spirals.s/report.html shows it as a page\n"), std::string::npos)
      << one.out;
  EXPECT_EQ(read_text("grows/spirals.s/report.html"),
            run_trainer({"report", "grows/spirals.s", "-o", "-"}).out);
  EXPECT_NE(run_trainer(call).err.find("has been run here before: 1 of 2 runs done"),
            std::string::npos);

  write_text("grows.model", spirals("  grid train.batch_size = [25, 50, 100]\n  seeds = 2\n"));
  const Ran grown = run_trainer(resume);
  EXPECT_EQ(grown.code, 0) << grown.err;
  EXPECT_NE(grown.out.find("6 of 6 runs done"), std::string::npos) << grown.out;

  resume[2] = "train.epochs=2";
  const Ran changed = run_trainer(resume);
  EXPECT_EQ(changed.code, 2);
  EXPECT_NE(changed.err.find("train.epochs: 1 -> 2"), std::string::npos) << changed.err;
}

TEST(Study, ListsAndEstimates) {
  write_text("lists.model", spirals(kGrid));
  const Ran list = run_trainer({"study", "lists.model", "--list", "--runs", "none"});
  EXPECT_EQ(list.code, 0) << list.err;
  EXPECT_NE(list.out.find("not begun"), std::string::npos) << list.out;
  const Ran dry = run_trainer({"study", "lists.model", "s", "--dry-run", "--runs", "none"});
  EXPECT_EQ(dry.code, 0) << dry.err;
  EXPECT_NE(dry.out.find("s of spirals: 8 runs"), std::string::npos) << dry.out;
  EXPECT_NE(dry.out.find("about "), std::string::npos) << dry.out;
  EXPECT_FALSE(exists("none")) << "neither writes anything";
}

// Of 26 combinations 24 are probed; one that is not has the time of those that are like it.
TEST(Study, EstimatesWhatIsNotProbedByWhatIsLikeIt) {
  write_text("probes.model",
             spirals("  grid train.batch_size = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, "
                     "20, 21, 22]\n  grid train.epochs = [1, 100000000]\n"));
  const Ran dry = run_trainer({"study", "probes.model", "s", "--dry-run", "--runs", "none"});
  ASSERT_EQ(dry.code, 0) << dry.err;
  std::istringstream lines(dry.out);
  int long_runs = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" 100000000 ") == std::string::npos) continue;
    ++long_runs;
    EXPECT_TRUE(line.ends_with(" h") || line.ends_with(" d")) << line;
  }
  EXPECT_EQ(long_runs, 13) << dry.out;
}

TEST(Study, ResumesNothingWhereNothingWasBegun) {
  write_text("resumes.model", spirals("  grid train.batch_size = [25, 50]\n") +
                                  "study t { grid train.batch_size = [25, 50] }\n");
  const auto resume = [](const std::string& runs, const std::vector<std::string>& more) {
    std::vector<std::string> words = {"study", "resumes.model", "--resume", "--runs",
                                      runs,    "train.epochs=1"};
    words.insert(words.end(), more.begin(), more.end());
    return run_trainer(words);
  };
  Ran ran = resume("resumes", {});
  EXPECT_EQ(ran.code, 4);
  EXPECT_EQ(ran.err,
            "error: there is nothing to resume: no study of resumes.model has been run in "
            "`resumes`\n  help: leave `--resume` out to begin\n");
  EXPECT_FALSE(exists("resumes"));
  ASSERT_EQ(
      run_trainer({"study", "resumes.model", "s", "--runs", "resumes", "train.epochs=1"}).code, 0);
  ran = resume("resumse/", {"s"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_EQ(ran.err,
            "error: there is nothing to resume: the study `s` of resumes.model has not been run in "
            "`resumse/`\n  help: did you mean `--runs resumes`?\n");
  EXPECT_FALSE(exists("resumse"));
  ran = resume("resumes", {"t"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_EQ(ran.err,
            "error: there is nothing to resume: the study `t` of resumes.model has not been run in "
            "`resumes`\n  help: leave `--resume` out to begin\n");
  // An interruption may have come before the second of two studies.
  ran = resume("resumes", {});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("t of spirals: 2 of 2 runs done"), std::string::npos) << ran.out;
}

TEST(Study, CsvHasALineARun) {
  write_text("csv.model", spirals("  zip (train.batch_size, train.epochs) = [(25, 1), (50, 2)]\n"));
  ASSERT_EQ(run_trainer({"study", "csv.model", "--runs", "csv"}).code, 0);
  const Ran ran = run_trainer({"study", "csv.model", "--runs", "csv", "--csv"});
  EXPECT_EQ(ran.out.find("study,run,status,train.batch_size,train.epochs,seed,epochs,train.loss,"),
            0u)
      << ran.out;
  EXPECT_NE(ran.out.find("\ns,2,done,50,2,42,2,"), std::string::npos) << ran.out;
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 3);
}

struct Wrong {
  const char* study;
  std::vector<std::string> words;
  int code;
  const char* message;
};

TEST(Study, WrongOnesSaySo) {
  const std::vector<Wrong> all = {
      {"  grid train.batch_sise = [1, 2]\n", {}, 3, "batch_sise"},
      {"  grid train.batch_size = []\n", {}, 3, "[empty-axis]"},
      {"  grid train.batch_size = [\"a\"]\n", {}, 3, "batch_size"},
      {"  zip (train.batch_size, train.epochs) = [(1, 2), (3, 4, 5)]\n", {}, 3, "[zip-length]"},
      {kGrid, {"t"}, 2, "has no study `t`"},
      {kGrid, {"s", "train.batch_size=3"}, 2, "varies train.batch_size, and the command line"},
      {kGrid, {"--table", "--csv"}, 2, "exclude each other"},
      {kGrid, {"--table"}, 2, "has no results"},
      {kGrid, {"--retry"}, 2, "goes with"},
      {kGrid, {"-j", "0"}, 2, "--jobs"},
      {"  grid train.batch_size = [25, 50]\n  seeds = [1, 2, 1]\n", {}, 3, "`seeds` has 1 twice"},
      {"  grid train.seed = [1, 2]\n  seeds = 2\n", {}, 3, "sets the same"},
  };
  for (const Wrong& wrong : all) {
    write_text("wrong.model", spirals(wrong.study));
    std::vector<std::string> arguments = {"study", "wrong.model", "--runs", "wrong"};
    arguments.insert(arguments.end(), wrong.words.begin(), wrong.words.end());
    const Ran ran = run_trainer(arguments);
    EXPECT_EQ(ran.code, wrong.code) << wrong.study << ran.err;
    EXPECT_NE(ran.err.find(wrong.message), std::string::npos) << ran.err;
  }
  EXPECT_FALSE(exists("wrong"));
  EXPECT_EQ(run_trainer({"study", "models/spirals.model"}).code, 3);
}

TEST(Study, AFileThatIsNoDatabaseIsLeftAlone) {
  write_text("alien.model", spirals(kGrid));
  write_text("alien/studies.sqlite", std::string(200, 'x'));
  const Ran ran = run_trainer({"study", "alien.model", "--runs", "alien"});
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_EQ(read_text("alien/studies.sqlite"), std::string(200, 'x'));
}

int run_sql(const std::string& path, const std::string& sql) {
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open((workspace() + "/" + path).c_str(), &database), SQLITE_OK);
  const int code = sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
  EXPECT_EQ(code, SQLITE_OK) << sqlite3_errmsg(database);
  sqlite3_close(database);
  return code;
}

TEST(Study, DatabasesOfTheFirstVersionAreUsed) {
  write_text("old.model", spirals(kGrid));
  const std::vector<std::string> call = {"study", "old.model", "train.epochs=1", "--runs", "old"};
  std::vector<std::string> begin = call, resume = call;
  begin.insert(begin.end(), {"--max-runs", "3"});
  ASSERT_EQ(run_trainer(begin).code, 0);
  const Json before = lasting(results("old.model", "old"));
  // As version 1 was: without settings of studies.
  run_sql("old/studies.sqlite", "ALTER TABLE study DROP COLUMN settings; PRAGMA user_version = 1");
  EXPECT_EQ(lasting(results("old.model", "old")), before);
  resume.push_back("--resume");
  const Ran rest = run_trainer(resume);
  EXPECT_EQ(rest.code, 0) << rest.err;
  EXPECT_NE(rest.out.find("8 of 8 runs done"), std::string::npos) << rest.out;

  run_sql("old/studies.sqlite", "PRAGMA user_version = 99");
  const Ran newer = run_trainer(resume);
  EXPECT_EQ(newer.code, 4);
  EXPECT_NE(newer.err.find("`old/studies.sqlite` was written by a newer version of Strata"),
            std::string::npos)
      << newer.err;
}

TEST(Study, ChartsOfASearchHaveDots) {
  app::StudyRecord study;
  study.paths = {"train.optimizer.lr", "train.batch_size"};
  study.reports = {"val.accuracy"};
  std::vector<app::RunRecord> runs(20);
  for (int i = 0; i < 20; ++i) {
    runs[i].values = {std::to_string(0.001 * (1 + 7 * i % 20)), std::to_string(10 + i)};
    runs[i].status = app::kDone;
    runs[i].last = {{"val.accuracy", 0.5 + 0.01 * i}};
  }
  const auto files = app::study_charts(study, runs, false);
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].name, "val-accuracy-against-lr.svg");
  EXPECT_NE(files[0].text.find("<path class=\"p\" d=\"M"), std::string::npos) << files[0].text;
  EXPECT_NE(files[0].text.find("20 combinations: from 50.00 % to 69.00 %."), std::string::npos);
  EXPECT_EQ(files[0].text.find("class=\"l\""), std::string::npos);
  runs.resize(5);
  EXPECT_NE(app::study_charts(study, runs, false)[0].text.find("class=\"l\""), std::string::npos);
}

TEST(Spread, IsTheSampleStandardDeviationOfRunsThatAreDone) {
  std::vector<app::RunRecord> runs(4);
  for (int i = 0; i < 4; ++i) {
    runs[i].values = {"1"};
    runs[i].status = i < 3 ? app::kDone : app::kDiverged;
    runs[i].last = {{"val.loss", i < 3 ? 1.0 + i : 100.0}};
  }
  const auto all = app::combinations(runs);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].failed, 1);
  const app::Spread spread = app::spread(all[0], "val.loss", false);
  EXPECT_EQ(spread.count, 3);
  EXPECT_DOUBLE_EQ(spread.mean, 2.0);
  EXPECT_DOUBLE_EQ(spread.deviation, 1.0);
}

}  // namespace
}  // namespace strata::testing
