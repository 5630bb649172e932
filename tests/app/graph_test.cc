// trainer graph.
#include <gtest/gtest.h>

#include "tests/app/run_trainer.h"

namespace strata::testing {
namespace {

const char* const kFile = "models/residual_mlp.model";

TEST(Graph, WritesDotToStandardOutput) {
  const Ran ran = run_trainer({"graph", kFile});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out.find("digraph \"residual_mlp\" {"), 0u) << ran.out;
  EXPECT_NE(ran.out.find("subgraph \"cluster_residual1.main\""), std::string::npos);
}

TEST(Graph, TheNameOfTheOutputSaysTheFormat) {
  for (const auto& [name, begin] : {std::pair{"net.svg", "<svg "}, std::pair{"net.dot", "digraph "},
                                    std::pair{"net.gv", "digraph "}}) {
    const Ran ran = run_trainer({"graph", kFile, "--output", name});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out.find(std::string(name) + ": residual_mlp with "), 0u) << ran.out;
    EXPECT_EQ(read_text(name).find(begin), 0u);
  }
  EXPECT_EQ(run_trainer({"graph", kFile, "-o", "net.txt", "--format", "svg"}).code, 0);
  EXPECT_EQ(read_text("net.txt"), read_text("net.svg"));
  EXPECT_EQ(run_trainer({"graph", kFile, "--format", "svg"}).out, read_text("net.svg"));
}

TEST(Graph, TakesOverridesAndADepth) {
  const std::string shallow = run_trainer({"graph", kFile, "depth=1"}).out;
  const std::string deep = run_trainer({"graph", kFile, "depth=3"}).out;
  EXPECT_EQ(shallow.find("residual3"), std::string::npos);
  EXPECT_NE(deep.find("cluster_residual6"), std::string::npos);
  const std::string folded = run_trainer({"graph", kFile, "--depth", "0"}).out;
  EXPECT_EQ(folded.find("cluster_"), std::string::npos);
  EXPECT_NE(folded.find("\"residual1\" [label="), std::string::npos);
}

TEST(Graph, SaysWhatIsWrongWithTheCall) {
  const Ran unknown = run_trainer({"graph", kFile, "--output", "net.png"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("the name `net.png` does not say what to write"), std::string::npos)
      << unknown.err;
  EXPECT_NE(unknown.err.find("help: let it end in .svg or .dot, or give --format"),
            std::string::npos)
      << unknown.err;
  EXPECT_FALSE(exists("net.png"));
  const Ran format = run_trainer({"graph", kFile, "--format", "png"});
  EXPECT_EQ(format.code, 2);
  EXPECT_NE(format.err.find("`--format` takes svg or dot; found `png`"), std::string::npos)
      << format.err;
  EXPECT_EQ(run_trainer({"graph", kFile, "--depth", "-1"}).code, 2);
  EXPECT_EQ(run_trainer({"graph"}).code, 2);
  EXPECT_EQ(run_trainer({"graph", kFile, "--output", "missing/net.svg"}).code,
            run_trainer({"init", kFile, "--out", "missing/a.safetensors"}).code);
}

}  // namespace
}  // namespace strata::testing
