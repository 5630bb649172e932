// Runs the binary `trainer` as a user does, in a folder of its own.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace strata::testing {

struct Ran {
  int code = -1;  // exit code, or 128 + signal
  std::string out, err;
};

struct RunOptions {
  std::string input = {};  // standard input
  std::map<std::string, std::string> environment =
      {};  // on top of a plain one without colour and Bazel's variables
  std::function<void(int process)> meanwhile = {};  // called once while it runs
  std::string folder = {};                          // where it starts; workspace() by default
};

// A fresh folder of this test process with the repository's models in models/.
const std::string& workspace();
Ran run_trainer(const std::vector<std::string>& arguments, const RunOptions& options = {});

// The same on a terminal of `columns` columns; all that it showed.
std::string run_on_terminal(const std::vector<std::string>& arguments, int columns, int& code,
                            const std::map<std::string, std::string>& environment = {});

std::string repository_file(const std::string& path);  // among the test's data
std::string read_text(const std::string& path);        // relative to workspace()
void write_text(const std::string& path, const std::string& text);
bool exists(const std::string& path);

// A small model that trains on made data in a moment.
extern const char kSmallModel[];

// Fails the test with a sentence where MNIST is not on this machine.
bool have_mnist();

}  // namespace strata::testing
