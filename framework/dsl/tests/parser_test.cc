// What is understood, by the dump of the tree; the mistakes are goldens (golden_test.cc).
#include "framework/dsl/parser.h"

#include <gtest/gtest.h>

#include "framework/dsl/dump.h"
#include "framework/dsl/printer.h"
#include "framework/dsl/word_docs.h"

namespace strata::dsl {
namespace {

struct Parsed {
  std::unique_ptr<SourceFile> source;
  File file;
  std::string errors;
};

Parsed parse(const std::string& text) {
  Parsed result;
  result.source = std::make_unique<SourceFile>("test.model", text);
  Diagnostics diagnostics;
  result.file = parse_file(*result.source, diagnostics);
  result.errors = render(diagnostics);
  return result;
}

// The dump of `let a = VALUE`'s value.
std::string value(const std::string& text) {
  const Parsed parsed = parse("format 1\nlet a = " + text + "\n");
  EXPECT_EQ(parsed.errors, "") << text;
  if (parsed.file.sections.size() != 2) return "?";
  return dump(std::get<LetSection>(parsed.file.sections[1].node).value);
}

// The dump of a model's body.
std::string body(const std::string& text) {
  const Parsed parsed = parse("format 1\nmodel m(x: [4]) -> y {\n" + text + "\n}\n");
  EXPECT_EQ(parsed.errors, "") << text;
  const std::string all = dump(parsed.file);
  const std::string head = "(model m [x:(list [4])] [y] [";
  const std::size_t begin = all.find(head);
  return begin == std::string::npos
             ? all
             : all.substr(begin + head.size(), all.size() - begin - head.size() - 3);
}

TEST(Expressions, Precedence) {
  EXPECT_EQ(value("1 + 2 * 3"), "(1 + (2 * 3))");
  EXPECT_EQ(value("1 - 2 - 3"), "(1 - 2 - 3)");
  EXPECT_EQ(value("-2 ** 2"), "(neg (2 ** 2))");
  EXPECT_EQ(value("2 ** -1"), "(2 ** (neg 1))");
  EXPECT_EQ(value("2 ** 3 ** 4"), "(2 ** 3 ** 4)");
  EXPECT_EQ(value("2 ** -3 ** 4"), "(2 ** (neg (3 ** 4)))");
  EXPECT_EQ(value("-a * b"), "((neg a) * b)");
  EXPECT_EQ(value("not a and b or c"), "(((not a) and b) or c)");
  EXPECT_EQ(value("not a in b"), "(not (a in b))");
  EXPECT_EQ(value("a not in [1, 2]"), "(a not in (list [1 2]))");
  EXPECT_EQ(value("a in 1..n + 1"), "(a in (.. 1 (n + 1)))");
  EXPECT_EQ(value("a + 1 == b // 2 % 3"), "((a + 1) == (b // 2 % 3))");
  EXPECT_EQ(value("if a then b else c + 1"), "(if a then b else (c + 1))");
  EXPECT_EQ(value("if a then 1 else if b then 2 else 3"), "(if a then 1 b then 2 else 3)");
  EXPECT_EQ(value("(if a then 1 else 2) + 3"), "(paren (if a then 1 else 2) + 3)");
}

TEST(Expressions, ListsTuplesAndParentheses) {
  EXPECT_EQ(value("[]"), "(list [])");
  EXPECT_EQ(value("[1, 2,]"), "(list [1 2])");
  EXPECT_EQ(value("(1e-3, 10)"), "paren (list [1e-3 10])");
  EXPECT_EQ(value("(1,)"), "paren (list [1])");
  EXPECT_EQ(value("((a))"), "paren a");
  EXPECT_EQ(value("([1, 2])"), "(list [1 2])");
  EXPECT_EQ(value("((1, 2))"), "paren (list [1 2])");
}

TEST(Expressions, CallsAndAttributes) {
  EXPECT_EQ(value("Adam(lr = 1e-3, train = 2)"), "(call Adam [lr=1e-3 train=2])");
  EXPECT_EQ(value("max(x.channels, 3,)"), "(call max [x.channels 3])");
  EXPECT_EQ(value("KaimingUniform"), "KaimingUniform");
}

TEST(Flows, StagesOfEveryKind) {
  EXPECT_EQ(body("y = x -> Dense(10) -> ReLU"), "(do [y] (flow x Dense[10] ReLU))");
  EXPECT_EQ(body("a, b = Split(x, parts = 2)"), "(do [a b] (flow Split[x parts=2]))");
  EXPECT_EQ(body("x -> Dense(10) as y"), "(do [] (flow x Dense[10] as y))");
  EXPECT_EQ(body("y = x -> if a { A } else if b { B -> C } else { D }"),
            "(do [y] (flow x (if a (flow A) b (flow B C) else (flow D))))");
  EXPECT_EQ(body("y = x -> for i, n in [1, 2] { repeat n * 2 { A(i) } as z }"),
            "(do [y] (flow x (for i n (list [1 2]) (flow (repeat (n * 2) (flow A[i])) as z))))");
}

TEST(Statements, NeedNoSeparators) {
  EXPECT_EQ(body("a = x -> A b = a -> B"), "(do [a] (flow x A)) (do [b] (flow a B))");
  EXPECT_EQ(body("a = x -> A; let n = 3, b = a -> B;"),
            "(do [a] (flow x A)) (let n 3) (do [b] (flow a B))");
  EXPECT_EQ(body("data = x -> A\n train = data -> B"),
            "(do [data] (flow x A)) (do [train] (flow data B))");
}

TEST(Sections, TheWholeLanguage) {
  const Parsed parsed = parse(R"(format 1
include "common/blocks.model"
require "acme_layers" >= 1.2
require "other"
let classes = 10
param norm: str = "batch" in ["none", "batch"]
param width: int = 256 in 1..4096
param deep: bool = false
block hidden(x, units, kernel = 3) -> y, z { y = x -> Dense(units); z = y }
data mnist = MNIST(path = "data") -> Normalize(mean = 0.1)
train fast { model = m; data = mnist, epochs = 10 }
study s {
  grid train.batch_size = [16, 64]
  zip (train.optimizer.lr, train.epochs) = [(1e-3, 10), (1e-2, 5)]
  where not (norm == "batch" and train.batch_size == 1)
  seeds = 3
  report val.accuracy, val.loss
}
)");
  EXPECT_EQ(parsed.errors, "");
  EXPECT_EQ(dump(parsed.file),
            R"((format 1)
(include "common/blocks.model")
(require "acme_layers" ">=" "1.2")
(require "other" "" "")
(let classes 10)
(param norm str "batch" (list ["none" "batch"]))
(param width int 256 (.. 1 4096))
(param deep bool false -)
(block hidden [x units kernel=3] [y z] [(do [y] (flow x Dense[units])) (do [z] (flow y))])
(data mnist (flow MNIST[path="data"] Normalize[mean=0.1]))
(train fast [(= model m) (= data mnist) (= epochs 10)])
(study s [(grid train.batch_size (list [16 64])) (zip [train.optimizer.lr train.epochs] (list [paren (list [1e-3 10]) paren (list [1e-2 5])])) (where (not paren ((norm == "batch") and (train.batch_size == 1)))) (= seeds 3) (report [val.accuracy val.loss])])
)");
}

TEST(Spans, CoverWhatWasWritten) {
  const Parsed parsed =
      parse("format 1\nlet a = max(1, 2) + b\nmodel m(x: [4]) -> y { y = x -> if a { A } as z }\n");
  const auto& let = std::get<LetSection>(parsed.file.sections[1].node);
  EXPECT_EQ(let.name.span.text(), "a");
  EXPECT_EQ(let.value.span.text(), "max(1, 2) + b");
  const auto& model = std::get<ModelSection>(parsed.file.sections[2].node);
  const Flow& flow = std::get<FlowStatement>(model.body[0].node).flow;
  EXPECT_EQ(flow.span.text(), "x -> if a { A } as z");
  EXPECT_EQ(flow.stages[1].span.text(), "if a { A } as z");
  EXPECT_EQ(std::get<IfStage>(flow.stages[1].node).branches[0].body->span.text(), "{ A }");
  EXPECT_EQ(model.body[0].span.text(), "y = x -> if a { A } as z");
}

TEST(Recovery, KeepsWhatIsSound) {
  const Parsed parsed = parse(
      "format 1\nlet a = \nlet b = 2\nmodel m(x: [4]) -> y { y = x -> Dense(10, 5 +) -> ReLU "
      "}\nmodel n -> y { }\n");
  ASSERT_EQ(parsed.file.sections.size(), 3u);
  EXPECT_EQ(dump(parsed.file),
            "(format 1)\n(let b 2)\n(model m [x:(list [4])] [y] [(do [y] (flow x Dense[10 error] "
            "ReLU))])\n");
  ASSERT_EQ(parsed.file.incomplete.size(), 2u);
  EXPECT_EQ(parsed.file.incomplete[0].text, "a");
  EXPECT_EQ(parsed.file.incomplete[1].text, "n");
}

std::string override_value(const std::string& text) {
  const SourceFile source("command line", text);
  Diagnostics diagnostics;
  const Override parsed = parse_override(source, diagnostics);
  EXPECT_EQ(render(diagnostics), "") << text;
  return parsed.path.text() + "|" + dump(parsed.value) + "|" + parsed.raw_value;
}

TEST(Overrides, ValuesAndPlainText) {
  EXPECT_EQ(override_value("width=512"), "width|512|512");
  EXPECT_EQ(override_value("train.optimizer.lr=1e-2"), "train.optimizer.lr|1e-2|1e-2");
  EXPECT_EQ(override_value("norm=batch"), "norm|batch|batch");
  EXPECT_EQ(override_value("train.optimizer=SGD(lr = 0.1)"),
            "train.optimizer|(call SGD [lr=0.1])|SGD(lr = 0.1)");
  EXPECT_EQ(override_value("data.path=/tmp/mnist data"),
            "data.path|\"/tmp/mnist data\"|/tmp/mnist data");
  EXPECT_EQ(override_value("data.path=3rd/set"), "data.path|\"3rd/set\"|3rd/set");
}

// The same list as the language's page has.
TEST(WordDocs, EveryKeywordAndSectionHasOne) {
  for (const char* word :
       {"if",   "then",  "else",    "for",     "repeat", "as",  "in",    "and",   "or",
        "not",  "true",  "false",   "none",    "format", "let", "param", "block", "model",
        "data", "study", "include", "require", "grid",   "zip", "where", "report"}) {
    int found = 0;
    for (const WordDoc& doc : word_docs()) found += doc.word == word;
    EXPECT_EQ(found, 1) << word;
  }
  for (const WordDoc& doc : word_docs()) {
    EXPECT_NE(doc.title, "") << doc.word;
    EXPECT_NE(doc.example, "") << doc.word;
  }
}

}  // namespace
}  // namespace strata::dsl
