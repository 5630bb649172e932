#include "tests/app/run_trainer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace strata::testing {
namespace fs = std::filesystem;

const char kSmallModel[] = R"(format 1

model small(point: [2]) -> logits {
  point -> Dense(8) -> ReLU -> Dense(3) as logits
}

data points = Synthetic(kind = "spirals", samples = 60, val_samples = 30, classes = 3)

train {
  loss       = CrossEntropy(logits, label)
  metrics    = [Accuracy(logits, label)]
  optimizer  = Adam(lr = 1e-2)
  batch_size = 10
  epochs     = 2
  seed       = 1
}
)";

namespace {

std::string environment_value(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

[[noreturn]] void exec_trainer(const std::vector<std::string>& arguments, const std::string& folder,
                               const std::map<std::string, std::string>& environment) {
  for (const char* name :
       {"BUILD_WORKING_DIRECTORY", "BUILD_WORKSPACE_DIRECTORY", "NO_COLOR", "LC_ALL", "LANG"}) {
    ::unsetenv(name);
  }
  ::setenv("LC_ALL", "C.UTF-8", 1);
  ::setenv("TERM", "xterm", 1);
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  const std::string binary = repository_file("framework/app/trainer");
  std::vector<char*> argv = {const_cast<char*>("trainer")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  if (::chdir(folder.c_str()) == 0) ::execv(binary.c_str(), argv.data());
  ::_exit(127);
}

int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int wait_for(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return exit_code(status);
}

}  // namespace

const std::string& workspace() {
  static const std::string folder = [] {
    const std::string path =
        environment_value("TEST_TMPDIR") + "/workspace" + std::to_string(::getpid());
    fs::create_directories(path + "/models");
    for (const auto& model : fs::directory_iterator(repository_file("models"))) {
      fs::copy_file(model.path(), path + "/models/" + model.path().filename().string());
    }
    return path;
  }();
  return folder;
}

Ran run_trainer(const std::vector<std::string>& arguments, const RunOptions& options) {
  static int number = 0;
  const std::string base = workspace() + "/.ran" + std::to_string(++number);
  write_text(base + ".in", options.input);
  const pid_t process = ::fork();
  if (process == 0) {
    ::dup2(::open((base + ".in").c_str(), O_RDONLY), 0);
    ::dup2(::open((base + ".out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
    ::dup2(::open((base + ".err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
    exec_trainer(arguments, options.folder.empty() ? workspace() : options.folder,
                 options.environment);
  }
  if (options.meanwhile) options.meanwhile(process);
  Ran ran;
  ran.code = wait_for(process);
  ran.out = read_text(base + ".out");
  ran.err = read_text(base + ".err");
  for (const char* end : {".in", ".out", ".err"}) fs::remove(base + end);
  return ran;
}

std::string run_on_terminal(const std::vector<std::string>& arguments, int columns, int& code,
                            const std::map<std::string, std::string>& environment) {
  int terminal = -1;
  winsize size{};
  size.ws_row = 24;
  size.ws_col = static_cast<unsigned short>(columns);
  const pid_t process = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (process == 0) exec_trainer(arguments, workspace(), environment);
  std::string shown;
  char block[4096];
  while (true) {
    const ssize_t count = ::read(terminal, block, sizeof block);
    if (count > 0) shown.append(block, static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR)) break;  // EIO: the other side is closed
  }
  code = wait_for(process);
  ::close(terminal);
  return shown;
}

std::string repository_file(const std::string& path) {
  return environment_value("TEST_SRCDIR") + "/" + environment_value("TEST_WORKSPACE") + "/" + path;
}

std::string read_text(const std::string& path) {
  std::ifstream file(fs::path(path).is_absolute() ? path : workspace() + "/" + path,
                     std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_text(const std::string& path, const std::string& text) {
  const fs::path target =
      fs::path(path).is_absolute() ? fs::path(path) : fs::path(workspace()) / path;
  fs::create_directories(target.parent_path());
  std::ofstream(target, std::ios::binary) << text;
}

bool exists(const std::string& path) { return fs::exists(fs::path(workspace()) / path); }

bool have_mnist() {
  std::vector<std::string> folders = {"/usr/share/datasets/mnist"};
  if (const std::string data = environment_value("STRATA_DATA"); !data.empty())
    folders.push_back(data + "/mnist");
  if (const std::string cache = environment_value("XDG_CACHE_HOME"); !cache.empty()) {
    folders.push_back(cache + "/strata/datasets/mnist");
  }
  folders.push_back(environment_value("HOME") + "/.cache/strata/datasets/mnist");
  for (const std::string& folder : folders) {
    for (const char* end : {"", ".gz"}) {
      if (fs::exists(folder + "/train-images-idx3-ubyte" + end)) return true;
    }
  }
  ADD_FAILURE()
      << "MNIST is not on this machine: ./bazelw brings it to ~/.cache/strata/datasets/mnist";
  return false;
}

}  // namespace strata::testing
