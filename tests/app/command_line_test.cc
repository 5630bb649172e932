// What the command line says to whoever gets it wrong, and its exit codes.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "framework/app/command.h"
#include "tests/app/run_trainer.h"

namespace strata::testing {
namespace {

using ::testing::TestWithParam;

struct Mistake {
  const char* name;
  std::vector<std::string> arguments;
  int code;
  std::string err;
};

class CommandLine : public TestWithParam<Mistake> {};

TEST_P(CommandLine, SaysWhatIsWrong) {
  write_text("small.model", kSmallModel);
  write_text("-odd.model", kSmallModel);
  const Ran ran = run_trainer(GetParam().arguments);
  EXPECT_EQ(ran.code, GetParam().code);
  EXPECT_EQ(ran.err, GetParam().err);
  EXPECT_EQ(ran.out, "");
}

const Mistake kMistakes[] = {
    {"UnknownCommand",
     {"trian", "small.model"},
     2,
     "error: there is no command `trian`\n  help: did you mean `train`?\n"},
    {"FileInPlaceOfCommand",
     {"small.model"},
     2,
     "error: there is no command `small.model`\n"
     "  help: a command comes before the file: trainer train small.model\n"},
    {"OptionWithoutCommand",
     {"--threads"},
     2,
     "error: `--threads` comes without a command\n  help: `trainer help` lists the commands\n"},
    {"NoFile",
     {"train"},
     2,
     "error: `train` needs a model file\n  help: usage: trainer train FILE [path=value …]\n"},
    {"OverrideInPlaceOfFile",
     {"train", "train.epochs=3"},
     2,
     "error: `train` needs a model file\n  help: usage: trainer train FILE [path=value …]\n"},
    {"TwoFiles",
     {"train", "small.model", "other.model"},
     2,
     "error: unexpected `other.model`\n  help: usage: trainer train FILE [path=value …]\n"},
    {"SpacedOverride",
     {"train", "small.model", "=", "3"},
     2,
     "error: unexpected `=`\n"
     "  help: an override is one word, without spaces around `=`: train.epochs=3\n"},
    {"UnknownOption",
     {"train", "small.model", "--thread", "3"},
     2,
     "error: `train` has no option `--thread`\n  help: did you mean `--threads`?\n"},
    {"UnknownOptionFar",
     {"check", "small.model", "--zzzzzz"},
     2,
     "error: `check` has no option `--zzzzzz`\n  help: `trainer help check` lists them\n"},
    {"FileWithDash",
     {"check", "-odd.model"},
     2,
     "error: `check` has no option `-odd.model`\n  help: for the file of that name write "
     "`./-odd.model`\n"},
    {"MissingValue",
     {"train", "small.model", "--threads"},
     2,
     "error: `--threads` needs a value\n"},
    {"SwitchWithValue",
     {"check", "small.model", "--json=yes"},
     2,
     "error: `--json` is a switch and takes no value\n"},
    {"TwiceGiven",
     {"train", "small.model", "--threads", "1", "--threads", "2"},
     2,
     "error: `--threads` was given more than once\n"},
    {"NoNumber",
     {"train", "small.model", "--threads", "many"},
     2,
     "error: `--threads` takes a whole number, 1 to 1024; found `many`\n"},
    {"NegativeNumber",
     {"train", "small.model", "--threads", "-1"},
     2,
     "error: `--threads` takes a whole number, 1 to 1024; found `-1`\n"},
    {"NumberTooLarge",
     {"init", "small.model", "--out", "x", "--seed", "99999999999999999999"},
     2,
     "error: `--seed` takes a whole number, 0 or more; found `99999999999999999999`\n"},
    {"Color",
     {"check", "small.model", "--color", "sometimes"},
     2,
     "error: `--color` takes auto, always or never; found `sometimes`\n"},
    {"InitWithoutOut",
     {"init", "small.model"},
     2,
     "error: `init` needs a file to write to\n  help: trainer init small.model --out "
     "weights.safetensors\n"},
    {"RunAndRuns",
     {"train", "small.model", "--run", "a", "--runs", "b"},
     2,
     "error: `--run` and `--runs` exclude each other\n"},
    {"MissingFile",
     {"train", "smal.model"},
     2,
     "error: cannot read `smal.model`: no such file or directory\n  help: did you mean "
     "`small.model`?\n"},
    {"MissingEnding",
     {"check", "small"},
     2,
     "error: cannot read `small`: no such file or directory\n  help: did you mean "
     "`small.model`?\n"},
    {"MissingFolder",
     {"summary", "mnist_mlp"},
     2,
     "error: cannot read `mnist_mlp`: no such file or directory\n  help: did you mean "
     "`models/mnist_mlp.model`?\n"},
    {"Folder", {"train", "models"}, 2, "error: `models` is a folder, not a file\n"},
    {"EmptyName", {"check", ""}, 2, "error: cannot read ``: no such file or directory\n"},
    {"ControlCharacters",
     {"check", "a\x1b[31mb"},
     2,
     "error: cannot read `a␛[31mb`: no such file or directory\n"},
    {"MissingRun",
     {"eval", "runs/none/1"},
     4,
     "error: cannot read `runs/none/1`: no such file or directory\n"},
    {"EvalNothing",
     {"eval"},
     2,
     "error: `eval` needs a run folder or a weights file\n"
     "  help: usage: trainer eval RUN|WEIGHTS [path=value …]\n"},
    {"EvalModel",
     {"eval", "small.model"},
     2,
     "error: `small.model` is a model file; `eval` wants a run folder or a weights file\n"
     "  help: `trainer train small.model` makes a run\n"},
    {"PredictOneWord",
     {"predict", "runs/small/1"},
     2,
     "error: `predict` needs a run folder or a weights file, and a file of samples\n"
     "  help: usage: trainer predict RUN|WEIGHTS INPUT [path=value …]\n"},
    {"PredictFormat",
     {"predict", "a", "b", "--format", "xml"},
     2,
     "error: `--format` takes csv or json; found `xml`\n"},
    {"SettingAsOption",
     {"train", "small.model", "--epochs", "3"},
     2,
     "error: `train` has no option `--epochs`\n"
     "  help: settings of the file are set by their paths: train.epochs=3\n"},
    {"LearningRateAsOption",
     {"check", "small.model", "--lr", "0.1"},
     2,
     "error: `check` has no option `--lr`\n"
     "  help: the learning rate is set by its path: train.optimizer.lr=0.01\n"},
    {"ExplainUnknown",
     {"explain", "Dnese"},
     2,
     "error: nothing is called `Dnese`\n  help: did you mean `Dense`?\n"},
    {"ExplainFar",
     {"explain", "zzzzzzzz"},
     2,
     "error: nothing is called `zzzzzzzz`\n  help: `trainer explain` lists what there is\n"},
    {"HelpUnknown",
     {"help", "chek"},
     2,
     "error: there is no command `chek`\n  help: did you mean `check`?\n"},
};

INSTANTIATE_TEST_SUITE_P(Mistakes, CommandLine, ::testing::ValuesIn(kMistakes),
                         [](const auto& tested) { return tested.param.name; });

TEST(CommandLineHelp, UnknownCommandFarFromAnyListsThem) {
  const Ran ran = run_trainer({"zzzzzz"});
  EXPECT_EQ(ran.code, 2);
  std::string names;
  for (const app::Command* command : app::commands())
    names += (names.empty() ? " `" : ", `") + std::string(command->name) + "`";
  EXPECT_EQ(ran.err, "error: there is no command `zzzzzz`\n  help: there are" + names + "\n");
}

TEST(CommandLineHelp, WithoutArgumentsPrintsHelpAndFails) {
  const Ran ran = run_trainer({});
  EXPECT_EQ(ran.code, 2);
  EXPECT_NE(ran.err.find("commands:\n"), std::string::npos);
  EXPECT_EQ(ran.out, "");
}

TEST(CommandLineHelp, OfEveryCommandNamesItsOptionsAndGivesExamples) {
  const Ran overview = run_trainer({"--help"});
  EXPECT_EQ(overview.code, 0);
  EXPECT_EQ(overview.out, run_trainer({"help"}).out);
  for (const app::Command* command : app::commands()) {
    const std::string name(command->name);
    SCOPED_TRACE(name);
    EXPECT_NE(overview.out.find("  " + name + " "), std::string::npos);
    const Ran help = run_trainer({"help", name});
    EXPECT_EQ(help.code, 0);
    EXPECT_EQ(help.err, "");
    EXPECT_EQ(help.out.find("usage: trainer " + name), 0u);
    const auto options = app::options_of(*command);
    for (const auto& option : options.options()) {
      EXPECT_NE(help.out.find("--" + option->long_name()), std::string::npos)
          << option->long_name();
      EXPECT_FALSE(option->description().empty()) << option->long_name();
    }
    EXPECT_EQ(help.out, run_trainer({name, "--help"}).out);
    EXPECT_EQ(help.out, run_trainer({name, "-h", "whatever"}).out);
  }
}

TEST(CommandLineHelp, Version) {
  const Ran ran = run_trainer({"--version"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out.find("strata 0."), 0u) << ran.out;
  EXPECT_EQ(ran.out, run_trainer({"version"}).out);
}

TEST(CommandLineOptions, MayStandAnywhere) {
  write_text("small.model", kSmallModel);
  const Ran plain = run_trainer({"check", "small.model", "--json"});
  EXPECT_EQ(plain.code, 0) << plain.err;
  EXPECT_EQ(run_trainer({"--json", "check", "small.model"}).out, plain.out);
  EXPECT_EQ(run_trainer({"check", "--json", "small.model"}).out, plain.out);
  EXPECT_EQ(run_trainer({"--color", "never", "check", "small.model", "--json"}).out, plain.out);
}

TEST(CommandLineOptions, EndWithTwoDashes) {
  write_text("-odd.model", kSmallModel);
  EXPECT_EQ(run_trainer({"check", "--", "-odd.model"}).code, 0);
  EXPECT_EQ(run_trainer({"check", "./-odd.model"}).code, 0);
}

TEST(CommandLineFiles, WithoutPermission) {
  write_text("locked.model", kSmallModel);
  ::chmod((workspace() + "/locked.model").c_str(), 0);
  const bool root = ::geteuid() == 0;  // who may read everything
  const Ran ran = run_trainer({"check", "locked.model"});
  EXPECT_EQ(ran.code, root ? 0 : 2);
  EXPECT_EQ(ran.err, root ? "" : "error: cannot read `locked.model`: permission denied\n");
}

TEST(CommandLineFiles, AreRelativeToTheCallersFolder) {
  write_text("elsewhere/small.model", kSmallModel);
  const Ran ran =
      run_trainer({"check", "small.model"},
                  {.environment = {{"BUILD_WORKING_DIRECTORY", workspace() + "/elsewhere"}}});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const Ran lost = run_trainer({"check", "small.model"},
                               {.environment = {{"BUILD_WORKING_DIRECTORY", "/no/such/folder"}}});
  EXPECT_EQ(lost.code, 2);
  EXPECT_NE(lost.err.find("cannot enter the folder `/no/such/folder`"), std::string::npos)
      << lost.err;
}

TEST(CommandLineOutput, ColoursOnlyWhereAsked) {
  const auto colored = [](const Ran& ran) {
    return (ran.out + ran.err).find('\x1b') != std::string::npos;
  };
  EXPECT_FALSE(colored(run_trainer({"trian"})));
  EXPECT_FALSE(colored(run_trainer({"explain", "Dense"})));
  EXPECT_TRUE(colored(run_trainer({"explain", "Dense", "--color=always"})));
  int code = 0;
  EXPECT_NE(run_on_terminal({"explain", "Dense"}, 80, code).find('\x1b'), std::string::npos);
  EXPECT_EQ(run_on_terminal({"explain", "Dense"}, 80, code, {{"NO_COLOR", "1"}}).find('\x1b'),
            std::string::npos);
  EXPECT_EQ(run_on_terminal({"explain", "Dense", "--color=never"}, 80, code).find('\x1b'),
            std::string::npos);
}

// Runs through a shell, for redirections.
int shell(const std::string& command) {
  write_text("script.sh", "cd '" + workspace() + "'\nset -o pipefail\ntrainer() { '" +
                              repository_file("framework/app/trainer") + "' \"$@\"; }\n" + command +
                              "\n");
  const int status = std::system(("bash '" + workspace() + "/script.sh'").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

TEST(CommandLineOutput, ThatNobodyReadsIsNoError) {
  write_text("small.model", kSmallModel);
  EXPECT_EQ(shell("trainer explain | true"), 0);
  EXPECT_EQ(shell("trainer train small.model --run gone | true"), 0);
  EXPECT_TRUE(exists("gone/checkpoints"));
}

TEST(CommandLineOutput, ThatCannotBeWrittenIsAnError) {
  EXPECT_EQ(shell("trainer explain > /dev/full 2> full.err"), 1);
  EXPECT_EQ(read_text("full.err"),
            "error: cannot write to standard output: No space left on device\n");
  write_text("small.model", kSmallModel);
  EXPECT_EQ(shell("trainer check small.model >&- 2> closed.err"), 1);
  EXPECT_EQ(read_text("closed.err"),
            "error: cannot write to standard output: Bad file descriptor\n");
  EXPECT_EQ(shell("trainer check small.model >&- 2>&- <&-"), 1);
  EXPECT_EQ(shell("trainer train small.model -q --run measured > measured.out"), 0);
  EXPECT_EQ(shell("trainer eval measured --json >&- 2> closed.err"), 1);
  EXPECT_EQ(shell("trainer time small.model --steps 1 --trace /dev/full > time.out 2>&1"), 4);
  write_text("points.csv", "0.1,0.2\n");
  EXPECT_EQ(shell("trainer predict measured points.csv -o /dev/full 2> full.err"), 4);
  EXPECT_EQ(read_text("full.err"), "error: cannot write `/dev/full`: no space left on device\n");
}

TEST(CommandLineOutput, ThatIsClosedIsAnError) {
  write_text("small.model", kSmallModel);
  for (const std::string command :
       {"check small.model", "summary small.model", "graph small.model", "explain", "reference"}) {
    EXPECT_NE(shell("trainer " + command + " >&- 2>" + workspace() + "/closed.err"), 0) << command;
    EXPECT_EQ(read_text("closed.err"),
              "error: cannot write to standard output: Bad file descriptor\n")
        << command;
  }
}

TEST(CommandLineInput, IsReadFromPipes) {
  write_text("small.model", kSmallModel);
  for (const std::string command : {"check", "summary", "graph"}) {
    EXPECT_EQ(shell("trainer " + command + " - < small.model >out.txt"), 0) << command;
    EXPECT_EQ(shell("cat small.model | trainer " + command + " /dev/stdin >out.txt"), 0) << command;
  }
  EXPECT_EQ(shell("trainer check /proc/self/mem 2>mem.err"), 2);
  EXPECT_EQ(shell("trainer graph small.model -o '' 2>empty.err"), 2);
}

}  // namespace
}  // namespace strata::testing
