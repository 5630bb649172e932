// The option --no-fuse of the commands that run models.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/value_semantic.hpp>

#include "framework/app/command.h"
#include "framework/runtime/executor.h"

namespace strata::app {

inline void add_no_fuse_option(boost::program_options::options_description_easy_init& add) {
  add("no-fuse", boost::program_options::bool_switch(),
      "every layer on its own, for comparison: other roundings, and slower");
}
inline ExecutorOptions executor_options(const Invocation& invocation) {
  ExecutorOptions options;
  options.fuse = !invocation.has("no-fuse");
  return options;
}

}  // namespace strata::app
