// Summaries of models.
#include "framework/graph/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/graph/test_plugins.h"

namespace strata::testing {
namespace {

Graph graph_of(const std::string& model) {
  static Sources sources;
  Diagnostics diagnostics;
  auto program =
      elaborate_text("test.model", "format 1\n" + model, golden_registry(), sources, diagnostics);
  EXPECT_TRUE(program.ok() && program->has_value()) << render(diagnostics);
  return program.ok() && program->has_value() ? std::move((*program)->graph) : Graph{};
}

const char* kModel =
    "block hidden(x, units) -> y { y = x -> Dense(units, bias = false) -> BatchNorm -> ReLU }\n"
    "model digits(image: [28, 28]) -> logits { image -> Flatten -> hidden(1024) -> Dense(10) as "
    "logits }\n";

TEST(SummaryTable, ShowsEveryLayer) {
  EXPECT_EQ(summary_table(graph_of(kModel), 64, Precision::kF32),
            R"(model digits

layer                kind                       output           parameters   FLOPs
───────────────────────────────────────────────────────────────────────────────────
image                input                      [batch, 28, 28]
flatten1             Flatten                    [batch, 784]              –       –
hidden1.dense1       Dense(1024, bias = false)  [batch, 1024]       802,816  1.61 M
hidden1.batch_norm1  BatchNorm                  [batch, 1024]         2,048  8.19 k
hidden1.relu1        ReLU                       [batch, 1024]             –  1.02 k
logits               Dense(10)                  [batch, 10]          10,250  20.5 k
───────────────────────────────────────────────────────────────────────────────────
total                5 layers                                       815,114  1.64 M

forward   1.64 M FLOPs per sample
weights   3.12 MiB and 3.11 MiB of gradients, in f32; 2,048 values of state among them
values    974 KiB and 770 KiB of gradients, at batch size 64
)");
}

TEST(SummaryJson, HasTheSameFigures) {
  const auto json = nlohmann::json::parse(summary_json(graph_of(kModel), 64, Precision::kF64));
  EXPECT_EQ(json["model"], "digits");
  EXPECT_EQ(json["layers"].size(), 5u);
  EXPECT_EQ(json["layers"][1]["path"], "hidden1.dense1");
  EXPECT_EQ(json["layers"][1]["parameters"][0]["name"], "hidden1.dense1.weight");
  EXPECT_EQ(json["total"]["parameters"], 815114);
  EXPECT_EQ(json["total"]["precision"], "f64");
  EXPECT_EQ(json["total"]["weight_gradient_bytes"], 815114 * 8);
}

}  // namespace
}  // namespace strata::testing
