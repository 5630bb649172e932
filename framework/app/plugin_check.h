// `trainer plugin check`: a library's verdict, found in a process of its own, so that a crash is
// one more finding.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/base/error.h"

namespace strata::app {

struct PluginVerdict {
  struct Offered {
    std::string name, kind;
    std::int64_t checks = 0, cases = 0;
    std::vector<std::string> problems;
    std::string nan;                   // what becomes of NaN, as nan_handling_name says it
    std::string timed;                 // what the speed was measured on; empty where it was not
    double forward = 0, backward = 0;  // input elements a second
  };
  std::string path, name, version, sha256;
  std::optional<Error> refused;       // it was not even loaded
  std::vector<std::string> problems;  // of the library as a whole: a crash, what loading changed
  std::string output;                 // the end of what it printed, where it crashed
  std::vector<Offered> offered;

  bool conforms() const;
};

// `seconds` is how long one case may take.
PluginVerdict check_plugin(const std::string& path, int seconds);

}  // namespace strata::app
