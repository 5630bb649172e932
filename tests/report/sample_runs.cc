#include "tests/report/sample_runs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace strata::testing {

std::string model_text(const SampleRun& run) {
  const std::string optimizer =
      run.optimizer.empty()
          ? fmt::format("Adam(\n    lr = {},\n    beta1 = 0.9,\n    eps = 1e-08,\n  )", run.lr)
          : run.optimizer;
  return fmt::format(R"(format 1

# A comment with = signs ( and brackets.
param norm: str = "{}" in ["none", "batch"]

model {}(point: [2]) -> logits {{
  point -> Dense(32, bias = {}, weight_init = GlorotUniform(scale = 1.0))
        -> {}ReLU
        -> Dense(3) as logits
}}

data points = Synthetic(
                kind = "spirals",
                samples = 1000,
              )
              -> Normalize(mean = -0.5, std = 0.3)

train {{
  loss       = CrossEntropy(logits, label, from_logits = true)
  metrics    = [Accuracy(logits, label)]
  optimizer  = {}
  batch_size = {}
  epochs     = {}
  seed       = {}
  monitor    = none
{}}}
)",
                     run.norm, run.model, run.norm == "none",
                     run.norm == "none" ? "" : "BatchNorm(eps = 1e-05) -> ", optimizer,
                     run.batch_size, run.epochs, run.seed, run.noted);
}

namespace {

// What a run notes of single steps and of layers in an epoch.
std::string steps_text(const SampleRun& run, int epoch, int steps) {
  std::string log;
  for (int step = (epoch - 1) * steps + 1; step <= epoch * steps; ++step) {
    double loss = std::exp(-0.002 * step) + 0.01 * std::sin(step * 1.3 + run.seed);
    if (step == run.flip_at) loss = std::nextafter(loss, 2);
    if (run.log_steps > 0 && step % run.log_steps == 0)
      log += fmt::format(
          R"({{"event":"step","epoch":{},"step":{},"loss":{},"learning_rate":{},"seconds":{},"weights_crc32":"{:08x}"}})"
          "\n",
          epoch, step, loss, run.lr, 0.001 * step, step * 2654435761u);
    if (run.statistics > 0 && step % run.statistics == 0)
      log += fmt::format(
          R"({{"event":"statistics","epoch":{0},"step":{1},"layers":{{"dense1":{{"kind":"Dense","activation":[0.1,{2},0],"gradient":[1e-06,{3},0],"parameters":{{"weight":{{"value":[0,0.1,0],"gradient":[0,{3},0]}}}}}},"re_lu1":{{"kind":"ReLU","activation":[0.4,{2},{4}],"gradient":[0,{3},{4}]}}}},"times":{{"dense1 + re_lu1":[2e-05,4e-05,1e-05],"dense2":[1e-05,2e-05,0]}}}})"
          "\n",
          epoch, step, 1 + 0.001 * step, 0.01 / step, 0.5 + 0.1 * std::sin(step));
  }
  return log;
}

}  // namespace

std::string predictions_text() {
  std::string worst;
  for (int i = 0; i < 24; ++i)
    worst += fmt::format(
        R"({}{{"sample":{},"loss":{},"label":{},"predicted":{},"image":"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="}})",
        i > 0 ? "," : "", 100 + i, 5.0 - 0.1 * i, i % 3, (i + 1) % 3);
  return R"({"split":"val","epoch":7,"samples":200,"classes":["cat","<dog>","fox"],"confusion":[[60,5,1],[2,70,0],[0,4,58]],"worst":[)" +
         worst + "]}\n";
}

std::string log_text(const SampleRun& run) {
  const int steps = 1000 / run.batch_size;
  std::string log = fmt::format(
      R"({{"event":"start","model":"{}","version":"0.1.0","parameters":1315,"train_samples":1000,"val_samples":200,"batch_size":{},"steps_per_epoch":{},"total_steps":{},"epochs":{},"seed":{},"threads":2,"precision":"f32","fuse":true,"init":null,"start_state_sha256":"{:0<64x}","resumed_from":null}})"
      "\n",
      run.model, run.batch_size, steps, steps * run.epochs, run.epochs, run.seed, run.seed);
  int best = 0;
  double best_accuracy = -1;
  for (int epoch = 1; epoch <= run.epochs; ++epoch) {
    const double wave = 0.01 * std::sin(epoch * 1.7 + run.seed);
    const double pace = run.lr * 1000 / run.batch_size;
    const double loss =
        std::exp(-epoch * pace) + 0.1 + std::abs(wave) + (epoch >= 5 ? run.shift : 0);
    const double accuracy = 1 - 0.5 * std::exp(-epoch * pace) - std::abs(wave);
    log += steps_text(run, epoch, steps);
    if (accuracy > best_accuracy) best_accuracy = accuracy, best = epoch;
    log += fmt::format(
        R"({{"event":"epoch","epoch":{},"step":{},"train.loss":{},"train.accuracy":{},"val.loss":{},"val.accuracy":{},"learning_rate":{},"seconds":{},"samples_per_second":{}}})"
        "\n",
        epoch, epoch * steps, loss, accuracy, loss * 1.1, accuracy - 0.01, run.lr,
        0.01 + 0.001 * steps, 1000 / (0.01 + 0.001 * steps));
  }
  if (run.ends)
    log += fmt::format(
        R"({{"event":"end","status":"done","seconds":1.5,"best_epoch":{},"weights_sha256":"{:0<64x}"}})"
        "\n",
        best, run.seed * 1000 + run.batch_size);
  return log;
}

std::string fresh_folder() {
  const char* base = std::getenv("TEST_TMPDIR");
  std::string name = std::string(base ? base : "/tmp") + "/runs.XXXXXX";
  if (!::mkdtemp(name.data())) throw std::runtime_error("no folder for the test");
  return name;
}

void write_run(const std::string& folder, const SampleRun& run) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/model.model") << model_text(run);
  std::ofstream(folder + "/metrics.jsonl") << log_text(run);
  if (run.predictions) std::ofstream(folder + "/predictions.json") << predictions_text();
}

std::vector<report::RunRecord> sample_runs(const std::vector<SampleRun>& runs) {
  const std::string folder = fresh_folder();
  for (std::size_t i = 0; i < runs.size(); ++i)
    write_run(fmt::format("{}/{}/{}", folder, runs[i].model, i + 1), runs[i]);
  auto read = report::read_runs({folder});
  if (!read) throw std::runtime_error(read.error().message);
  return std::move(*read);
}

std::vector<SampleRun> sample_grid(const std::vector<int>& batch_sizes,
                                   const std::vector<double>& rates, int seeds, int epochs) {
  std::vector<SampleRun> runs;
  for (const int batch_size : batch_sizes)
    for (const double rate : rates)
      for (int seed = 1; seed <= seeds; ++seed) {
        SampleRun run;
        run.batch_size = batch_size, run.lr = rate, run.seed = seed, run.epochs = epochs;
        runs.push_back(run);
      }
  return runs;
}

}  // namespace strata::testing
