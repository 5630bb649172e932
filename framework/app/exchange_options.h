// The option --as of the commands that convert weights.
#pragma once

#include <string>

#include "framework/app/command.h"
#include "framework/exchange/weights.h"

namespace strata::app {

void add_as_option(boost::program_options::options_description_easy_init& add);
// Its value; a usage error where there is none, or another one.
WeightsConvention convention_of(const Invocation& invocation);
std::string_view convention_name(WeightsConvention convention);  // "PyTorch"

// Which options their layers have to have; empty where that decides nothing.
std::string options_to_match(const ConvertedWeights& weights, WeightsConvention convention);

// Ends the command where an option that names a file was given an empty name.
std::string file_option(const Invocation& invocation, const char* option);

}  // namespace strata::app
