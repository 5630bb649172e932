// explain, plugins, check and fmt, as a user sees them.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "tests/app/run_trainer.h"

namespace strata::testing {
namespace {

using Json = nlohmann::json;

TEST(Explain, ALayer) {
  const Ran ran = run_trainer({"explain", "Dropout"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out.find("Dropout, a layer (built in)\n\n"), 0u) << ran.out;
  EXPECT_NE(ran.out.find("\n  rate: float from 0 to 1 (not included), default 0.5\n      the "
                         "probability with which a value is dropped\n"),
            std::string::npos)
      << ran.out;
  EXPECT_NE(ran.out.find("\nexample:\n  Dropout(0.2)\n"), std::string::npos) << ran.out;
}

TEST(Explain, EverythingThatItsTableOfContentsLists) {
  const Json all = Json::parse(run_trainer({"explain", "--json"}).out);
  const std::string contents = run_trainer({"explain"}).out;
  EXPECT_GT(all["entries"].size(), 20u);
  EXPECT_GT(all["train"].size(), 5u);
  EXPECT_GT(all["diagnostics"].size(), 20u);
  std::vector<std::string> names = {"train"};
  for (const Json& entry : all["entries"]) names.push_back(entry["name"]);
  for (const Json& setting : all["train"])
    names.push_back("train." + setting["name"].get<std::string>());
  for (const Json& doc : all["diagnostics"]) names.push_back(doc["code"]);
  for (const std::string& name : names) {
    if (name != "train") {
      EXPECT_NE(contents.find("  " + name + " "), std::string::npos) << name;
    }
    const Ran ran = run_trainer({"explain", name});
    EXPECT_EQ(ran.code, 0) << name << ran.err;
    EXPECT_FALSE(ran.out.empty());
  }
}

TEST(Explain, WordsOfTheLanguage) {
  for (const char* word : {"block", "for", "repeat", "as", "->", "study", "param"}) {
    const Ran ran = run_trainer({"explain", word});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_NE(ran.out.find("\nexample:\n"), std::string::npos) << ran.out;
  }
}

TEST(Explain, NamesOfOtherFrameworks) {
  for (const char* theirs : {"Linear", "nn.Linear", "InnerProduct"}) {
    const Ran ran = run_trainer({"explain", theirs});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_NE(ran.out.find("is called `Dense` here\n\nDense, a layer"), std::string::npos)
        << ran.out;
  }
  EXPECT_NE(run_trainer({"explain", "ToTensor"}).out.find("leave it out"), std::string::npos);
}

TEST(Plugins, ListsKindsAndOrigins) {
  const Ran ran = run_trainer({"plugins"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out.find("layers\n"), 0u) << ran.out;
  EXPECT_TRUE(std::regex_search(ran.out, std::regex("\n  BatchNorm +built in\n"))) << ran.out;
  EXPECT_GT(Json::parse(run_trainer({"plugins", "--json"}).out).size(), 20u);
}

TEST(Check, AllMistakesOfAllFiles) {
  write_text("small.model", kSmallModel);
  std::string wrong = kSmallModel;
  wrong.replace(wrong.find("Dense(8)"), 8, "Dnese(8)");
  wrong.replace(wrong.find("1e-2"), 4, "-1.0");
  write_text("wrong.model", wrong);
  const Ran ran = run_trainer({"check", "small.model", "wrong.model", "missing.model"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.out,
            "small.model: ok (small: 3 layers, 51 parameters)\nwrong.model: 2 errors\n"
            "missing.model: not read\n");
  EXPECT_NE(ran.err.find("cannot read `missing.model`"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("wrong.model:4:12: error: "), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("help: did you mean `Dense`?"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("2 errors\n"), std::string::npos) << ran.err;
}

TEST(Check, Json) {
  write_text("wrong.model", "format 1\nmodel m(x: [2]) -> y { x -> Dnese(2) as y }\n");
  const Ran ran = run_trainer({"check", "wrong.model", "--json"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.err, "");
  const Json list = Json::parse(ran.out);
  ASSERT_EQ(list.size(), 1u) << ran.out;
  EXPECT_EQ(list[0]["file"], "wrong.model");
  EXPECT_EQ(list[0]["line"], 2);
}

TEST(Check, AFileThatIsNotThereIsADiagnosticToo) {
  write_text("one.model", kSmallModel);
  const Ran ran = run_trainer({"check", "--json", "nope.model", "one.model"});
  EXPECT_EQ(ran.code, 2);
  const Json json = Json::parse(ran.out);
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0]["code"], "unreadable-file");
  EXPECT_EQ(json[0]["file"], "nope.model");
}

TEST(Check, GivesEachOfSeveralFilesALine) {
  write_text("one.model", kSmallModel);
  write_text("two.model", "format 2\n");
  const Ran ran = run_trainer({"check", "nope.model", "one.model", "two.model", "./one.model"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.out.find("nope.model: not read\none.model: ok ("), 0u) << ran.out;
  EXPECT_NE(ran.out.find(")\ntwo.model: 2 errors\n"), std::string::npos) << ran.out;
}

TEST(Check, AMissingPluginHasAnExitCodeOfItsOwn) {
  write_text("plugin.model", std::string("format 1\nrequire \"acme\"\n") +
                                 std::string(kSmallModel).substr(sizeof "format 1"));
  EXPECT_EQ(run_trainer({"check", "plugin.model"}).code, 5);
  EXPECT_EQ(run_trainer({"summary", "plugin.model"}).code, 5);
}

TEST(Check, StrictMakesWarningsErrors) {
  std::string lint = kSmallModel;
  lint.replace(lint.find("as logits"), 9, "-> Softmax as logits");
  write_text("lint.model", lint);
  const Ran plain = run_trainer({"check", "lint.model"});
  EXPECT_EQ(plain.code, 0);
  EXPECT_NE(plain.err.find("warning: "), std::string::npos) << plain.err;
  EXPECT_NE(plain.out.find(", 1 warning)\n"), std::string::npos) << plain.out;
  EXPECT_EQ(run_trainer({"check", "lint.model", "--strict"}).code, 3);
  EXPECT_EQ(run_trainer({"train", "lint.model", "--strict"}).code, 3);
}

TEST(Check, OverridesAreCheckedToo) {
  write_text("small.model", kSmallModel);
  EXPECT_EQ(run_trainer({"check", "small.model", "train.batch_size=20"}).code, 0);
  const Ran ran = run_trainer({"check", "small.model", "train.batchsize=20"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_NE(ran.err.find("command line:1:"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("batch_size"), std::string::npos) << ran.err;
}

TEST(Fmt, RewritesOnlyWhatChanges) {
  write_text("ragged.model", "format 1\n\n\n# a comment\nlet   x=1   # behind\n");
  ::chmod((workspace() + "/ragged.model").c_str(), 0640);
  EXPECT_EQ(run_trainer({"fmt", "--check", "ragged.model"}).out, "ragged.model\n");
  EXPECT_EQ(run_trainer({"fmt", "--check", "ragged.model"}).code, 3);
  const Ran ran = run_trainer({"fmt", "ragged.model"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "formatted ragged.model\n");
  EXPECT_EQ(read_text("ragged.model"), "format 1\n\n# a comment\nlet x = 1  # behind\n");
  struct stat facts {};
  ::stat((workspace() + "/ragged.model").c_str(), &facts);
  EXPECT_EQ(facts.st_mode & 07777, 0640u);
  EXPECT_EQ(run_trainer({"fmt", "ragged.model"}).err, "");
  EXPECT_EQ(run_trainer({"fmt", "--check", "ragged.model"}).code, 0);
}

TEST(Fmt, StandardInput) {
  const Ran ran = run_trainer({"fmt", "-"}, {.input = "format   1\n"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "format 1\n");
}

TEST(Fmt, ReadsStandardInputOnce) {
  EXPECT_EQ(run_trainer({"fmt", "-", "-"}, {.input = kSmallModel}).code, 2);
}

TEST(Fmt, LeavesBrokenFilesAlone) {
  const std::string broken = "format 1\nlet   x = (1\n";
  write_text("broken.model", broken);
  const Ran ran = run_trainer({"fmt", "broken.model"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_NE(ran.err.find("broken.model:2:"), std::string::npos) << ran.err;
  EXPECT_EQ(read_text("broken.model"), broken);
}

TEST(Summary, HasALineForEachLayer) {
  write_text("small.model", kSmallModel);
  const Ran ran = run_trainer({"summary", "small.model"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("Dense(8"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("51"), std::string::npos) << ran.out;
  EXPECT_TRUE(Json::parse(run_trainer({"summary", "small.model", "--json"}).out).is_object());
}

}  // namespace
}  // namespace strata::testing
