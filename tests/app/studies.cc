// Files, results and kills.
#include "tests/app/studies.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

namespace strata::testing {
namespace {

namespace fs = std::filesystem;

// The steps that are saved in runs/*/checkpoints.
std::size_t saved(const std::string& runs) {
  std::size_t count = 0;
  std::error_code ignored;
  for (fs::recursive_directory_iterator at(workspace() + "/" + runs, ignored), end; at != end;
       at.increment(ignored)) {
    if (ignored) break;
    count += at->path().filename().string().starts_with("step-");
  }
  return count;
}

}  // namespace

std::string spirals(const std::string& study) {
  return read_text("models/spirals.model") + "\nstudy s {\n" + study + "}\n";
}

std::vector<std::string> begun_or_not(std::vector<std::string> call, const std::string& runs) {
  // A kill may come between the file and its first row.
  const bool begun = run_trainer({"study", call.at(1), "--runs", runs, "--table"}).code == 0;
  if (begun) call.push_back("--resume");
  return call;
}

nlohmann::json results(const std::string& file, const std::string& runs) {
  const Ran ran = run_trainer({"study", file, "--runs", runs, "--json"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  return nlohmann::json::parse(ran.out);
}

nlohmann::json lasting(nlohmann::json json) {
  const auto erase_times = [](nlohmann::json& figures) {
    for (const char* key : {"seconds", "samples_per_second", "seconds_to_target", "peak_memory"})
      figures.erase(key);
  };
  for (nlohmann::json& one : json["combinations"]) {
    for (const char* when : {"last", "best"}) erase_times(one[when]);
  }
  for (nlohmann::json& run : json["runs"]) {
    for (const char* key : {"folder", "memory"}) run.erase(key);
    for (const char* when : {"last", "best"}) erase_times(run[when]);
  }
  return json;
}

RunOptions kill_when_saved(int signal, const std::string& runs, std::size_t checkpoints) {
  return {.meanwhile = [=](int process) {
    for (int i = 0; i < 1000 && saved(runs) < checkpoints; ++i) ::usleep(10'000);
    ::kill(process, signal);
  }};
}

}  // namespace strata::testing
