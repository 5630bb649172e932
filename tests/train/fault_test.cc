// Each system call of a save fails once, fails from then on, or is the last one of the process:
// there is never a run that cannot go on, and it ends with the same bits.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "framework/train/checkpoint.h"
#include "framework/train/training.h"
#include "tests/support/programs.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

// Two saves: one within the epoch, one at the end, which is the best epoch's too.
std::optional<Program> program() {
  return testing::program_of(testing::spirals_text(),
                             {"train.steps=4", "train.checkpoint_steps=2"});
}

struct Told {
  int signal = 0;  // that ended it
  std::string status, hash, hint;
  bool unsaved = false;
  int warnings = 0;
};

struct Warnings final : Observer {
  void on_warning(const std::string&) override { ++count; }
  int count = 0;
};

// In the child: STRATA_RUN is the run folder, STRATA_RESUME says whether to go on with it,
// STRATA_ANSWER the file that takes the outcome.
int child() {
  const auto trained = program();
  Warnings warnings;
  TrainOptions options;
  options.threads = 2;
  (std::getenv("STRATA_RESUME") ? options.resume : options.run_folder) = std::getenv("STRATA_RUN");
  options.observers = {&warnings};
  const auto outcome = train(*trained, options);
  if (!outcome.ok()) {
    testing::write_text(std::getenv("STRATA_ANSWER"), "error " + outcome.error().message + "\n");
    return 0;
  }
  std::ofstream(std::getenv("STRATA_ANSWER"))
      << outcome->end.status << "\n"
      << outcome->weights_hash << "\n"
      << warnings.count << "\n"
      << outcome->unsaved.has_value() << "\n"
      << (outcome->unsaved ? outcome->unsaved->hint : "") << "\n";
  return 0;
}

Told run(const testing::TemporaryFolder& folder, bool resume,
         const std::vector<std::pair<std::string, std::string>>& environment) {
  const std::string answer = folder / "answer";
  fs::remove(answer);
  const pid_t process = ::fork();
  if (process == 0) {
    ::setenv("STRATA_RUN", (folder / "run").c_str(), 1);
    ::setenv("STRATA_ANSWER", answer.c_str(), 1);
    ::setenv("TMPDIR", folder.path().c_str(), 1);
    ::setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
    if (resume) ::setenv("STRATA_RESUME", "1", 1);
    for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
    ::execl("/proc/self/exe", "fault_test", nullptr);
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  Told told;
  if (WIFSIGNALED(status)) told.signal = WTERMSIG(status);
  std::ifstream lines(answer);
  std::getline(lines, told.status);
  std::getline(lines, told.hash);
  lines >> told.warnings >> told.unsaved >> std::ws;
  std::getline(lines, told.hint);
  return told;
}

std::vector<std::pair<std::string, std::string>> fault(const testing::TemporaryFolder& folder,
                                                       int at, const std::string& what,
                                                       const std::string& on) {
  return {{"LD_PRELOAD", fs::absolute("tests/train/libfault_shim.so").string()},
          {"STRATA_FAULT_AT", std::to_string(at)},
          {"STRATA_FAULT", what},
          {"STRATA_FAULT_ON", on},
          {"STRATA_FAULT_MARK", folder / "mark"}};
}

// Every checkpoint that bears its name is sound.
void expect_sound(const std::string& run) {
  if (!fs::exists(run + "/checkpoints")) return;
  for (const auto& entry : fs::directory_iterator(run + "/checkpoints")) {
    const std::string path = entry.path().string();
    if (!path.ends_with(".safetensors")) continue;
    const auto checkpoint = open_checkpoint(path);
    EXPECT_TRUE(checkpoint.ok()) << checkpoint.error().message;
  }
}

void expect_tidy(const std::string& run) {
  for (const auto& entry : fs::recursive_directory_iterator(run)) {
    const std::string name = entry.path().filename().string();
    EXPECT_TRUE(entry.is_directory() || name.ends_with(".safetensors") || name == "model.model" ||
                name == "metrics.jsonl" || name == "predictions.json")
        << name;
  }
}

class Faults : public ::testing::Test {
 protected:
  void SetUp() override {
    const testing::TemporaryFolder folder;
    const Told whole = run(folder, false, {});
    ASSERT_EQ(whole.status, "done");
    whole_ = whole.hash;
  }
  std::string whole_;
};

TEST_F(Faults, AKillAtAnyCallOfASave) {
  int at = 1;
  for (;; ++at) {
    SCOPED_TRACE("call " + std::to_string(at));
    const testing::TemporaryFolder folder;
    const Told killed = run(folder, false, fault(folder, at, "kill", "once"));
    if (!fs::exists(folder / "mark")) break;
    ASSERT_EQ(killed.signal, SIGKILL);
    expect_sound(folder / "run");
    const Told resumed = run(folder, true, {});
    ASSERT_EQ(resumed.status, "done");
    EXPECT_EQ(resumed.hash, whole_);
    EXPECT_EQ(resumed.warnings, 0);
    expect_sound(folder / "run");
    expect_tidy(folder / "run");
    EXPECT_TRUE(fs::exists(folder / "run/checkpoints/best.safetensors"));
  }
  EXPECT_GT(at, 20);  // or the shim did not see the calls
}

TEST_F(Faults, AnyCallOfASaveFailsOnce) {
  for (const int error : {ENOSPC, EIO}) {
    for (int at = 1;; ++at) {
      SCOPED_TRACE("call " + std::to_string(at) + ", errno " + std::to_string(error));
      const testing::TemporaryFolder folder;
      const Told told = run(folder, false, fault(folder, at, std::to_string(error), "once"));
      if (!fs::exists(folder / "mark")) break;
      EXPECT_EQ(told.status, "done");
      EXPECT_EQ(told.hash, whole_);
      EXPECT_FALSE(told.unsaved);
      EXPECT_LE(told.warnings, 1);
      expect_sound(folder / "run");
      const auto newest = find_checkpoint(folder / "run");
      ASSERT_TRUE(newest.ok());
      EXPECT_TRUE(newest->ends_with("step-00000004.safetensors")) << *newest;
      const auto best = open_checkpoint(folder / "run/checkpoints/best.safetensors");
      ASSERT_TRUE(best.ok());
      EXPECT_EQ(best->progress.step, 4);
    }
  }
}

TEST_F(Faults, FromAnyCallOnNothingCanBeSaved) {
  for (int at = 1;; ++at) {
    SCOPED_TRACE("call " + std::to_string(at));
    const testing::TemporaryFolder folder;
    const Told told = run(folder, false, fault(folder, at, std::to_string(ENOSPC), "always"));
    if (!fs::exists(folder / "mark")) break;
    EXPECT_EQ(told.hash, whole_);
    EXPECT_LE(told.warnings, 1);  // not one for each save
    expect_sound(folder / "run");
    EXPECT_EQ(told.unsaved, told.status == "failed") << told.status;
    if (told.unsaved) {
      // The shim spares other folders: the result is in the one for temporary files.
      const std::size_t place = told.hint.find(folder.path());
      ASSERT_NE(place, std::string::npos) << told.hint;
      EXPECT_TRUE(open_checkpoint(told.hint.substr(place, told.hint.find(';') - place)).ok());
    }
  }
}

}  // namespace
}  // namespace strata

int main(int argc, char** argv) {
  if (std::getenv("STRATA_ANSWER")) return strata::child();
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
