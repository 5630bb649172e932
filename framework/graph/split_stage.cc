// Arguments of `take` and `split`: names of splits with numbers of samples or shares, a seed, and
// the field whose classes keep their shares.
#include "framework/graph/split_stage.h"

#include <fmt/format.h>

#include <algorithm>

namespace strata::graph {
namespace {

constexpr const char* kExamples[] = {"take(train = 1000)", "split(val = 0.1, seed = 1)"};

class Reader {
 public:
  Reader(const CallValue& call, Session& session) : call_(call), session_(session) {
    rule_.kind = call.name == "take" ? SplitRule::kTake : SplitRule::kSplit;
  }

  std::optional<SplitRule> run() {
    // Without a seed of its own a new split is still by chance: data often lies sorted by class.
    if (rule_.kind == SplitRule::kSplit) rule_.seed = 0;
    for (const CallArgument& argument : call_.arguments) {
      if (argument.value.is_unknown()) {
        sound_ = false;
      } else if (argument.name.empty()) {
        error(argument.span,
              fmt::format("`{}` wants the name of a split before each number", call_.name));
      } else if (argument.name == "seed") {
        seed(argument);
      } else if (argument.name == "from" && rule_.kind == SplitRule::kSplit) {
        from(argument);
      } else if (argument.name == "stratify") {
        stratify(argument);
      } else {
        part(argument);
      }
    }
    if (sound_ && rule_.parts.empty())
      error(call_.span, fmt::format("`{}` names no split", call_.name));
    if (!sound_) return std::nullopt;
    return std::move(rule_);
  }

 private:
  void error(Span span, std::string message) {
    sound_ = false;
    session_.error("bad-split", span, std::move(message)).help =
        fmt::format("for example `{}`", kExamples[rule_.kind]);
  }

  void seed(const CallArgument& argument) {
    const auto* number = argument.value.get<std::int64_t>();
    if (!number || *number < 0)
      return error(argument.span, fmt::format("`seed` of `{}` is an int at least 0, not {}",
                                              call_.name, described(argument.value)));
    rule_.seed = *number;
  }

  void from(const CallArgument& argument) {
    const auto* name = argument.value.get<std::string>();
    if (!name)
      return error(argument.span, fmt::format("`from` of `split` is the name of a split, not {}",
                                              described(argument.value)));
    rule_.from = *name;
  }

  void stratify(const CallArgument& argument) {
    const auto* name = argument.value.get<std::string>();
    if (!name)
      return error(argument.span,
                   fmt::format("`stratify` of `{}` is the name of a field with class numbers, "
                               "\"label\", not {}",
                               call_.name, described(argument.value)));
    rule_.stratify = *name;
  }

  void part(const CallArgument& argument) {
    SplitRule::Part part;
    part.split = argument.name;
    const auto twice = [&](const SplitRule::Part& other) { return other.split == part.split; };
    if (std::any_of(rule_.parts.begin(), rule_.parts.end(), twice))
      return error(argument.name_span, fmt::format("`{}` is given twice", argument.name));
    if (const auto* samples = argument.value.get<std::int64_t>(); samples && *samples >= 1) {
      part.samples = *samples;
    } else if (const auto* share = argument.value.get<double>();
               share && *share > 0 && *share < 1) {
      part.share = *share;
    } else {
      return error(argument.span,
                   fmt::format("`{}` of `{}` is a number of samples, or a share of them between 0 "
                               "and 1, not {}",
                               argument.name, call_.name, described(argument.value)));
    }
    rule_.parts.push_back(std::move(part));
  }

  const CallValue& call_;
  Session& session_;
  SplitRule rule_;
  bool sound_ = true;
};

}  // namespace

bool is_split_stage(std::string_view name) { return name == "take" || name == "split"; }

std::optional<SplitRule> read_split_stage(const CallValue& call, Session& session) {
  return Reader(call, session).run();
}

}  // namespace strata::graph
