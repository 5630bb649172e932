#include "framework/app/exchange_options.h"

#include <boost/program_options/value_semantic.hpp>

#include "framework/base/utf8.h"

namespace strata::app {

void add_as_option(boost::program_options::options_description_easy_init& add) {
  add("as", boost::program_options::value<std::string>()->value_name("torch|keras"),
      "whose names and layouts the weights have");
}

WeightsConvention convention_of(const Invocation& invocation) {
  const std::string value = invocation.text("as");
  if (value == "torch") return WeightsConvention::kPyTorch;
  if (value == "keras") return WeightsConvention::kKeras;
  if (!invocation.has("as")) {
    usage_failure("`--as` is missing: it says whose names and layouts the weights have",
                  "--as torch, or --as keras");
  }
  usage_failure(fmt::format("`--as` takes torch or keras; found `{}`", safe_text(value)));
}

std::string_view convention_name(WeightsConvention convention) {
  return convention == WeightsConvention::kPyTorch ? "PyTorch" : "Keras";
}

std::string options_to_match(const ConvertedWeights& weights, WeightsConvention convention) {
  if (weights.options.empty()) return {};
  std::string out = fmt::format("they give the same in {} where these layers have these options:\n",
                                convention_name(convention));
  for (const std::string& option : weights.options) out += fmt::format("  {}\n", option);
  return out;
}

std::string file_option(const Invocation& invocation, const char* option) {
  std::string path = invocation.text(option);
  if (invocation.has(option) && path.empty())
    usage_failure(fmt::format("`--{}` needs a path, and got an empty one", option));
  return path;
}

}  // namespace strata::app
