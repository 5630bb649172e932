// What training shows, and how it is interrupted and gone on with.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <regex>

#include "tests/app/run_trainer.h"

namespace strata::testing {
namespace {

// Times, speeds and numbers that depend on the machine become words.
std::string steady(std::string text) {
  text = std::regex_replace(text, std::regex("[0-9.:]+ (ms|s|min)\\b"), "TIME");
  text = std::regex_replace(text, std::regex("[0-9,]+ samples/s"), "SPEED");
  text = std::regex_replace(text, std::regex("[0-9]+\\.[0-9]+ %"), "PERCENT");
  text = std::regex_replace(text, std::regex("\\b[0-9]\\.[0-9]{4}\\b"), "LOSS");
  text = std::regex_replace(text, std::regex("  best\n"), "\n");
  return std::regex_replace(text, std::regex(" +"), " ");
}

TEST(Train, PlainLinesWhereThereIsNoTerminal) {
  write_text("small.model", kSmallModel);
  const Ran ran = run_trainer({"train", "small.model", "--threads", "2", "--run", "first run"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  const std::string text = steady(ran.out.substr(ran.out.find("small on")));
  EXPECT_EQ(text,
            "small on 60 samples, 30 validation samples on 2 threads: batches of 10, 12 steps in 2 "
            "epochs\n"
            "epoch 1/2 loss LOSS accuracy PERCENT val loss LOSS val accuracy PERCENT TIME SPEED\n"
            "epoch 2/2 loss LOSS accuracy PERCENT val loss LOSS val accuracy PERCENT TIME SPEED\n"
            "\n"
            "done: small trained for 2 epochs in TIME\n"
            "\n"
            " val loss val accuracy\n"
            " best LOSS PERCENT epoch " +
                text.substr(text.find("best LOSS PERCENT epoch ") + 24, 1) +
                "\n"
                " last LOSS PERCENT epoch 2\n"
                "\n"
                "results are in first run\n"
                " trainer eval 'first run' figures on a split\n"
                " trainer predict 'first run' INPUT classes or values for new samples\n");
}

TEST(Train, QuietPrintsTheVerdictAlone) {
  write_text("small.model", kSmallModel);
  const Ran ran = run_trainer({"train", "small.model", "--quiet", "--run", "quiet"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out.find("done: small trained"), 0u) << ran.out;
}

TEST(Train, NumbersItsRuns) {
  write_text("small.model", kSmallModel);
  EXPECT_NE(run_trainer({"train", "small.model", "--runs", "numbered"})
                .out.find("results are in numbered/small/1\n"),
            std::string::npos);
  EXPECT_NE(run_trainer({"train", "small.model", "--runs", "numbered"})
                .out.find("results are in numbered/small/2\n"),
            std::string::npos);
  const Ran again = run_trainer({"train", "small.model", "--run", "numbered/small/2"});
  EXPECT_EQ(again.code, 2);
  EXPECT_EQ(again.err,
            "error: `numbered/small/2` holds a run already\n  help: go on with it by --resume, or "
            "name another folder\n");
}

TEST(Train, FromItsResolvedFileGivesTheSameBits) {
  write_text("small.model", kSmallModel);
  ASSERT_EQ(run_trainer({"train", "small.model", "train.batch_size=7", "--run", "resolved"}).code,
            0);
  const Ran again =
      run_trainer({"train", "resolved/model.model", "--run", "resolved again", "--threads", "1"});
  ASSERT_EQ(again.code, 0) << again.err;
  const auto hash = [](const std::string& run) {
    const std::string log = read_text(run + "/metrics.jsonl");
    return log.substr(log.find("weights_sha256"));
  };
  EXPECT_EQ(hash("resolved"), hash("resolved again"));
}

TEST(Train, LiveLineFitsTheTerminal) {
  // An epoch that takes long enough to be watched.
  std::string model = kSmallModel;
  model.replace(model.find("samples = 60"), 12, "samples = 1_000_000");
  write_text("watched.model", model);
  for (const int columns : {40, 80, 200}) {
    int code = -1;
    const std::string shown =
        run_on_terminal({"train", "watched.model", "train.epochs=1", "train.batch_size=5", "--run",
                         "live" + std::to_string(columns)},
                        columns, code);
    EXPECT_EQ(code, 0) << shown;
    const std::size_t drawn = shown.find("\r");
    ASSERT_NE(shown.find(" % "), std::string::npos);
    ASSERT_NE(drawn, std::string::npos);
    // Each redrawn line: from a return to the erasing of what is right of it.
    std::size_t lines = 0;
    const std::regex line("\r([^\r\n\x1b]*)\x1b\\[K");
    for (std::sregex_iterator at(shown.begin(), shown.end(), line), end; at != end; ++at, ++lines) {
      std::size_t width = 0;
      for (const char c : (*at)[1].str()) width += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
      EXPECT_LT(width, static_cast<std::size_t>(columns)) << (*at)[1];
    }
    EXPECT_GT(lines, 0u);
  }
}

void expect_interruption(int signal) {
  write_text("long.model", kSmallModel);
  const std::string run = "interrupted" + std::to_string(signal);
  const Ran ran =
      run_trainer({"train", "long.model", "train.epochs=1000000", "--run", run},
                  {.meanwhile = [&](int process) {
                    for (int i = 0; i < 500 && !exists(run + "/checkpoints/best.safetensors"); ++i)
                      ::usleep(20'000);
                    ::kill(process, signal);
                  }});
  EXPECT_EQ(ran.code, 130);
  EXPECT_NE(ran.err.find("finishing the step and saving"), std::string::npos) << ran.err;
  EXPECT_NE(ran.out.find("interrupted: after "), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("trainer train --resume " + run), std::string::npos) << ran.out;
  const Ran eval = run_trainer({"eval", run});
  EXPECT_EQ(eval.code, 0) << eval.err;
  const std::string log = read_text(run + "/metrics.jsonl");
  EXPECT_NE(log.find("\"status\":\"interrupted\""), std::string::npos);
  // It goes on, and can be interrupted again.
  const Ran more = run_trainer({"train", "--resume", run}, {.meanwhile = [&](int process) {
                                 ::usleep(500'000);
                                 ::kill(process, signal);
                               }});
  EXPECT_EQ(more.code, 130) << more.err;
  EXPECT_NE(more.out.find("goes on from " + run + "/checkpoints/step-"), std::string::npos)
      << more.out;
}

TEST(Train, ClassNumbersFeedAnEmbedding) {
  write_text("echo.model", R"(format 1
model echo(label: []) -> logits { label -> Embedding(2, units = 3) -> Dense(2) as logits }
data points = Synthetic(kind = "spirals", classes = 2, samples = 60, val_samples = 30)
train {
  loss       = CrossEntropy(logits, label)
  metrics    = [Accuracy(logits, label)]
  optimizer  = Adam(lr = 0.1)
  batch_size = 10
  epochs     = 5
}
)");
  const Ran ran = run_trainer({"train", "echo.model", "--run", "echo"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("100.00 %"), std::string::npos) << ran.out;
}

TEST(Train, InterruptSavesAndSaysHowToGoOn) { expect_interruption(SIGINT); }
TEST(Train, TerminationDoesTheSame) { expect_interruption(SIGTERM); }

TEST(Train, Divergence) {
  write_text("small.model", kSmallModel);
  const Ran ran =
      run_trainer({"train", "small.model", "train.optimizer=SGD(lr = 1e30)", "--run", "diverged"});
  EXPECT_EQ(ran.code, 6) << ran.out;
  EXPECT_NE(ran.out.find("diverged: after "), std::string::npos) << ran.out;
  EXPECT_NE(ran.err.find("help: "), std::string::npos) << ran.err;
}

TEST(Train, WrongModelStartsNothing) {
  write_text("wrong.model", std::string(kSmallModel) + "\nlet x = \n");
  const Ran ran = run_trainer({"train", "wrong.model", "--run", "never"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.out, "");
  EXPECT_NE(ran.err.find("wrong.model:"), std::string::npos) << ran.err;
  EXPECT_FALSE(exists("never"));
}

TEST(Train, MissingDataSaysWhatBringsThem) {
  const Ran ran = run_trainer(
      {"train", "models/mnist_mlp.model", "--run", "no data"},
      {.environment = {{"HOME", "/no"}, {"XDG_CACHE_HOME", "/no"}, {"STRATA_DATA", "/no"}}});
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.err.find("help: "), std::string::npos) << ran.err;
  EXPECT_FALSE(exists("no data"));
}

}  // namespace
}  // namespace strata::testing
