// The scripts of `trainer completion`, in the shells that they are for.
#include "framework/app/completion.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/app/run_trainer.h"

namespace strata::testing {
namespace {

// Files that completion meets, and the scripts; once.
void prepare() {
  static const bool done = [] {
    write_text("place/models/a.model", kSmallModel);
    write_text("place/models/b c.model", kSmallModel);
    write_text("place/models/notes.txt", "");
    write_text("place/top.model", kSmallModel);
    write_text("place/runs/digits/1/checkpoints/best.safetensors", "");
    write_text("place/runs/digits/2/model.model", kSmallModel);
    write_text("trainer.bash", run_trainer({"completion", "bash"}).out);
    write_text("_trainer", run_trainer({"completion", "zsh"}).out);
    return true;
  }();
  (void)done;
}

// The standard output of a script that runs in place/.
std::string script_output(const std::string& shell, const std::string& script) {
  write_text("script", script);
  const std::string here = "'" + workspace() + "'";
  const int status =
      std::system(("cd " + here + "/place && unset BASH_ENV ZDOTDIR && LC_ALL=C.UTF-8 " + shell +
                   " ../script > ../script.out 2> ../script.err")
                      .c_str());
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_text("script.err"), "");
  return read_text("script.out");
}

bool have(const std::string& program) {
  return std::system(("command -v " + program + " > /dev/null 2>&1").c_str()) == 0;
}

struct Case {
  const char* name;
  std::vector<std::string> words;  // as bash splits them; the last one is being typed
  std::string replies;             // sorted lines
};

class InBash : public ::testing::TestWithParam<Case> {};

TEST_P(InBash, Completes) {
  prepare();
  std::string words, line;
  bool glued = true;  // bash has = in words of their own, without blanks around
  for (const std::string& word : GetParam().words) {
    words += " '" + word + "'";
    line += (glued || word == "=" ? "" : " ") + word;
    glued = word == "=";
  }
  const auto& typed = GetParam().words;
  const std::string current = typed.back() == "=" ? "" : typed.back();
  EXPECT_EQ(script_output("bash", ". ../trainer.bash\nCOMP_WORDS=(" + words + ")\nCOMP_CWORD=" +
                                      std::to_string(typed.size() - 1) + "\nCOMP_LINE='" + line +
                                      "'\nCOMP_POINT=${#COMP_LINE}\n_trainer trainer '" + current +
                                      "' ''\nprintf '%s\\n' \"${COMPREPLY[@]}\" | sort -u\n"),
            GetParam().replies);
}

const Case kCases[] = {
    {"Command", {"trainer", "ch"}, "check\n"},
    {"CommandAfterOption", {"trainer", "--color", "never", "sum"}, "summary\n"},
    {"FlagWithoutCommand", {"trainer", "--v"}, "--version\n"},
    {"Flag", {"trainer", "train", "--re"}, "--resume\n"},
    {"FlagBehindFile", {"trainer", "check", "top.model", "--s"}, "--strict\n"},
    {"Choices", {"trainer", "graph", "--format", ""}, "dot\nsvg\n"},
    {"ChoiceAfterEquals", {"trainer", "graph", "--format", "=", "s"}, "svg\n"},
    {"ChoiceAtEquals", {"trainer", "graph", "--format", "="}, "dot\nsvg\n"},
    {"ChoiceUnsplit", {"trainer", "graph", "--format=s"}, "--format=svg\n"},
    {"Number", {"trainer", "train", "--threads", ""}, "\n"},
    {"ModelFile", {"trainer", "train", "models/"}, "models/a.model\nmodels/b c.model\n"},
    {"ModelFileOrFolder", {"trainer", "summary", ""}, "models\nruns\ntop.model\n"},
    {"ManyModelFiles", {"trainer", "fmt", "top.model", "models/a"}, "models/a.model\n"},
    {"OneModelFile", {"trainer", "init", "top.model", "models/a"}, "\n"},
    {"AnyFile", {"trainer", "graph", "top.model", "-o", "models/n"}, "models/notes.txt\n"},
    {"Folder", {"trainer", "train", "--runs", ""}, "models\nruns\n"},
    {"Run", {"trainer", "eval", ""}, "runs/digits/1\nruns/digits/2\n"},
    {"Resume", {"trainer", "train", "--resume", "runs/digits/2"}, "runs/digits/2\n"},
    {"Weights",
     {"trainer", "eval", "runs/digits/1/checkpoints/"},
     "runs/digits/1/checkpoints/best.safetensors\n"},
    {"SamplesBehindRun", {"trainer", "predict", "runs/digits/1", "mod"}, "models\n"},
    {"ModelOfWeights", {"trainer", "eval", "--file", "to"}, "top.model\n"},
    {"Setting", {"trainer", "train", "top.model", "train.ep"}, "train.epochs=\n"},
    {"SettingBeforeFile", {"trainer", "train", "train.ba"}, "train.batch_size=\n"},
    {"SettingsAmongFiles", {"trainer", "check", "top.model", "train.se"}, "train.seed=\n"},
    {"FileBehindSetting", {"trainer", "train", "train.epochs", "=", "3", "to"}, "top.model\n"},
    {"NoSettings", {"trainer", "fmt", "train.ep"}, "\n"},
    {"Name", {"trainer", "explain", "BatchN"}, "BatchNorm\n"},
    {"Code", {"trainer", "explain", "unknown-la"}, "unknown-layer\n"},
    {"HelpOfCommand", {"trainer", "help", "expl"}, "explain\n"},
    {"Shell", {"trainer", "completion", ""}, "bash\nzsh\n"},
    {"EndOfOptions", {"trainer", "check", "--", "-"}, "\n"},
};

INSTANTIATE_TEST_SUITE_P(Cases, InBash, ::testing::ValuesIn(kCases),
                         [](const auto& tested) { return tested.param.name; });

// An interactive shell on a terminal of its own: a tab behind each line, then what `trainer` got.
TEST(InZsh, Completes) {
  if (!have("zsh")) GTEST_SKIP() << "there is no zsh";
  prepare();
  const std::vector<std::pair<std::string, std::string>> lines = {
      {"trainer tr", "train"},
      {"trainer --color nev", "--color|never"},
      {"trainer train models/b", "train|models/b c.model"},
      {"trainer train top.model train.ep", "train|top.model|train.epochs="},
      {"trainer train train.ep", "train|train.epochs="},
      {"trainer train --re", "train|--resume"},
      {"trainer graph --format=s", "graph|--format=svg"},
      {"trainer graph -o models/n", "graph|-o|models/notes.txt"},
      {"trainer eval runs/digits/1/checkpoints/",
       "eval|runs/digits/1/checkpoints/best.safetensors"},
      {"trainer eval runs/digits/2", "eval|runs/digits/2"},
      {"trainer explain BatchN", "explain|BatchNorm"},
      {"trainer help expl", "help|explain"},
      {"trainer completion z", "completion|zsh"},
  };
  std::string script = R"sh(
zmodload zsh/zpty
await() {
  local part
  text=
  repeat 600; do
    while zpty -r -t shell part; do text+=$part; done
    [[ $text == *$~1* ]] && return
    sleep 0.05
  done
  print -r -- "never came: $1 in $text"
  exit 1
}
zpty shell 'TERM=dumb zsh -f -i'
zpty -w shell 'PS1=; unsetopt beep zle_bracketed_paste; stty -echo columns 200; source ../_trainer'
zpty -w shell 'trainer() { print -r -- "<got:${(j:|:)@}>" }; print "<"ready">"'
await '<ready>'
complete() {
  zpty -w -n shell $1$'\t\r'
  await '<got:*>'
  print -r -- ${${text#*<got:}%%>*}
}
)sh";
  std::string expected;
  for (const auto& [line, got] : lines) {
    script += "complete '" + line + "'\n";
    expected += got + "\n";
  }
  EXPECT_EQ(script_output("zsh -f", script + "zpty -d shell\n"), expected);
}

TEST(Completion, KnowsEveryPlaceholder) {
  for (const app::Command* command : app::commands()) {
    for (const app::Slot& slot : app::word_slots(*command))
      EXPECT_NE(slot.kind, app::Slot::kUnknown) << command->name << " " << command->usage;
    for (const app::OptionForms& option : app::option_forms(*command)) {
      EXPECT_NE(app::slot_of(option.value, app::Place::kOptionValue).kind, app::Slot::kUnknown)
          << command->name << " " << option.names.back() << " " << option.value;
    }
  }
}

TEST(Completion, ReadsPlaceholders) {
  EXPECT_EQ(app::slot_of("FILE", app::Place::kWord).kind, app::Slot::kModel);
  EXPECT_EQ(app::slot_of("FILE", app::Place::kOptionValue).kind, app::Slot::kFile);
  EXPECT_TRUE(app::slot_of("FILE…", app::Place::kWord).repeated);
  EXPECT_EQ(app::slot_of("THING", app::Place::kWord).kind, app::Slot::kUnknown);
  const app::Slot split = app::slot_of("train|val|…", app::Place::kOptionValue);
  EXPECT_EQ(split.choices, (std::vector<std::string>{"train", "val"}));
  EXPECT_FALSE(split.repeated);
}

TEST(Completion, HasEveryCommandAndOption) {
  for (const char* shell : {"bash", "zsh"}) {
    const std::string script = run_trainer({"completion", shell}).out;
    for (const app::Command* command : app::commands()) {
      const std::string start = std::string(" ") + std::string(command->name) + ")\n";
      const std::size_t from = script.rfind(start);
      ASSERT_NE(from, std::string::npos) << shell << " " << command->name;
      const std::string arm = script.substr(from, script.find(" ;;\n", from) - from);
      for (const app::OptionForms& option : app::option_forms(*command)) {
        for (const std::string& name : option.names)
          EXPECT_NE(arm.find(name), std::string::npos) << shell << " " << command->name << name;
      }
    }
  }
}

TEST(Completion, OfAnotherShellIsRefused) {
  const Ran ran = run_trainer({"completion", "fish"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.err, "error: `completion` takes bash or zsh; found `fish`\n");
  EXPECT_EQ(run_trainer({"completion"}).code, 2);
}

}  // namespace
}  // namespace strata::testing
