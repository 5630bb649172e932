// What is made of watched steps: shares of time, counts of work, traces.
#include "framework/train/step_timing.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/programs.h"

namespace strata {
namespace {

using Work = StepWatcher::Work;
constexpr int kForward = static_cast<int>(Work::kForward), kLoss = static_cast<int>(Work::kLoss),
              kBackward = static_cast<int>(Work::kBackward),
              kUpdate = static_cast<int>(Work::kUpdate);

TEST(TimeShares, OfOneThreadAreItsSpans) {
  TimeShares shares(2);
  shares.add({{kForward, 0, 0, 100, 300}, {kForward, 1, 0, 300, 350}, {kLoss, -1, 0, 400, 500}}, 0,
             1000);
  EXPECT_NEAR(shares.of(kForward, 0), 200e-9, 1e-15);
  EXPECT_NEAR(shares.of(kForward, 1), 50e-9, 1e-15);
  EXPECT_NEAR(shares.of(kForward), 250e-9, 1e-15);
  EXPECT_NEAR(shares.of(kLoss, -1), 100e-9, 1e-15);
  EXPECT_NEAR(shares.busy(), 350e-9, 1e-15);
}

TEST(TimeShares, OfNestedSpansTheInnermostCounts) {
  TimeShares shares(1);
  // The update of a slice runs inside of the layer's backward pass.
  shares.add({{kUpdate, 0, 0, 200, 260}, {kBackward, 0, 0, 100, 300}}, 0, 1000);
  EXPECT_NEAR(shares.of(kBackward, 0), 140e-9, 1e-15);
  EXPECT_NEAR(shares.of(kUpdate, 0), 60e-9, 1e-15);
}

TEST(TimeShares, OfThreadsThatWorkAtOnceAddUpToTheTimeThatPasses) {
  TimeShares shares(2);
  shares.add({{kForward, 0, 0, 0, 100}, {kForward, 1, 1, 50, 150}}, 0, 1000);
  EXPECT_NEAR(shares.of(kForward, 0), 75e-9, 1e-15);
  EXPECT_NEAR(shares.of(kForward, 1), 75e-9, 1e-15);
  EXPECT_NEAR(shares.busy(), 150e-9, 1e-15);
  TimeShares same(1);  // two threads, the same piece
  same.add({{kForward, 0, 0, 0, 100}, {kForward, 0, 1, 0, 100}}, 0, 1000);
  EXPECT_NEAR(same.of(kForward, 0), 100e-9, 1e-15);
}

TEST(TimeShares, AreCutToTheStep) {
  TimeShares shares(1);
  shares.add({{kForward, 0, 0, -50, 20}, {kForward, 0, 0, 90, 500}, {kForward, 0, 0, 40, 40}}, 0,
             100);
  EXPECT_NEAR(shares.busy(), 30e-9, 1e-15);
}

std::optional<Program> dense_program() {
  return testing::program_of(R"(format 1
model m(point: [2]) -> logits { point -> Dense(8) -> ReLU -> Dense(3) as logits }
data points = Synthetic(kind = "spirals", samples = 60, val_samples = 30, classes = 3)
train { loss = CrossEntropy(logits, label)  optimizer = Adam(lr = 1e-2)  batch_size = 10 }
)");
}

TEST(UnitCost, CountsWhatAStepCannotDoWithout) {
  const auto program = dense_program();
  ASSERT_TRUE(program);
  const auto executor = Executor::create(*program, 10, true);
  ASSERT_TRUE(executor.ok());
  // The second Dense: [10, 8] to [10, 3], 24 + 3 weights, two slots of Adam.
  const Executor::Unit unit{"logits", "Dense", {2}, true, true};
  const UnitCost cost = cost_of(*program, **executor, unit, 10);
  EXPECT_GE(cost.forward.flops, 10 * 2 * 8 * 3);
  EXPECT_EQ(cost.forward.bytes, 4 * (80 + 30 + 27));
  EXPECT_EQ(cost.backward.flops, 2 * cost.forward.flops);
  EXPECT_EQ(cost.backward.bytes, 4 * (80 + 30 + 27 + 80 + 27));
  EXPECT_EQ(cost.update.bytes, 4 * (3 * 27 + 4 * 27));
  // Without the gradient of its input, which the first layer of a model does not need.
  Executor::Unit first = unit;
  first.input_gradient = false;
  EXPECT_EQ(cost_of(*program, **executor, first, 10).backward.flops, cost.forward.flops);
  EXPECT_EQ(loss_cost(*program, 10).bytes, 2 * 4 * 30);
}

TEST(UnitCost, WhatAUnitKeepsToItselfIsNotCounted) {
  const auto program = dense_program();
  ASSERT_TRUE(program);
  const auto executor = Executor::create(*program, 10, true);
  ASSERT_TRUE(executor.ok());
  const Executor::Unit whole{"dense1 + re_lu1 + logits", "All", {0, 1, 2}, true, false};
  EXPECT_EQ(cost_of(*program, **executor, whole, 10).forward.bytes,
            4 * (10 * 2 + 10 * 3 + 2 * 8 + 8 + 8 * 3 + 3));
}

class Timings : public ::testing::TestWithParam<std::vector<std::string>> {};

TEST_P(Timings, CoversWhatTrains) {
  const auto program = testing::program_of(testing::spirals_text(), GetParam());
  ASSERT_TRUE(program);
  TimingOptions options;
  options.threads = 2;
  options.steps = 4;
  options.trace = true;
  const auto timing = time_steps(*program, options);
  ASSERT_TRUE(timing.ok()) << timing.error().message;
  EXPECT_EQ(timing->steps, 4);
  EXPECT_EQ(timing->batch, program->train.batch_size);
  EXPECT_EQ(timing->threads, 2);
  EXPECT_GT(timing->step, 0);
  EXPECT_GT(timing->first_step, 0);
  EXPECT_GT(timing->machine.flops, 0);
  EXPECT_GT(timing->machine.memory_bandwidth, 0);
  EXPECT_GE(timing->machine.working_set_bandwidth, timing->machine.memory_bandwidth);
  EXPECT_GT(timing->forward, 0);
  EXPECT_GT(timing->loss, 0);
  EXPECT_GT(timing->backward, 0);
  EXPECT_NE(timing->update > 0, timing->updates_in_backward);
  std::set<int> forward;
  for (const auto& work : timing->works) {
    EXPECT_LT(work.unit, static_cast<int>(timing->units.size()));
    if (work.work == Work::kForward) forward.insert(work.unit);
  }
  for (int unit = 0; unit < static_cast<int>(timing->units.size()); ++unit) {
    bool view = true;
    for (const int n : timing->units[static_cast<std::size_t>(unit)].nodes)
      view = view && program->graph.nodes[static_cast<std::size_t>(n)].plan.has(STRATA_VIEW);
    EXPECT_TRUE(view || forward.count(unit)) << timing->units[static_cast<std::size_t>(unit)].path;
  }
}

INSTANTIATE_TEST_SUITE_P(Programs, Timings,
                         ::testing::Values(std::vector<std::string>{},
                                           std::vector<std::string>{"train.precision=f64"},
                                           std::vector<std::string>{"train.batch_size=300"}));

TEST(Timing, NeedsDataAndATrainSection) {
  const auto program = testing::program_of("format 1\nmodel m(x: [2]) -> y { x -> ReLU as y }\n");
  ASSERT_TRUE(program);
  const auto timing = time_steps(*program, {});
  ASSERT_FALSE(timing.ok());
  EXPECT_EQ(timing.error().code, ExitCode::kModel);
}

TEST(ChromeTrace, HasAnEventForEachSpan) {
  StepTiming timing;
  timing.batch = 64;
  timing.units.push_back({"dense1 + \"odd\"", "Dense", {0}, true, true});
  timing.spans = {{TimedSpan::kStep, 1, 0, 5000, 9000},
                  {TimedSpan::kInput, -1, 0, 5000, 5500},
                  {kForward, 0, 0, 6000, 7000},
                  {kUpdate, -1, 2, 7000, 7250}};
  const auto trace = nlohmann::json::parse(chrome_trace(timing, "net"));
  std::vector<nlohmann::json> events;
  for (const auto& event : trace["traceEvents"]) {
    if (event["ph"] == "X") events.push_back(event);
  }
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[0]["name"], "step 1");
  EXPECT_EQ(events[0]["ts"], 0);
  EXPECT_EQ(events[0]["dur"], 4);
  EXPECT_EQ(events[1]["name"], "input");
  EXPECT_EQ(events[2]["name"], "dense1 + \"odd\"");
  EXPECT_EQ(events[2]["cat"], "forward");
  EXPECT_EQ(events[2]["ts"], 1);
  EXPECT_EQ(events[3]["name"], "update");
  EXPECT_EQ(events[3]["tid"], 2);
  EXPECT_EQ(events[3]["dur"], 0.25);
}

}  // namespace
}  // namespace strata
