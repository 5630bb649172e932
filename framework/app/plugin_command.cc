// trainer plugin: writing plugins of one's own: `new` begins one, `check` judges one.
#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "framework/app/files.h"
#include "framework/app/format.h"
#include "framework/app/model_files.h"
#include "framework/app/plugin_check.h"
#include "framework/app/scaffold/scaffold.h"
#include "framework/base/utf8.h"
#include "framework/plugin/loader.h"

namespace strata::app {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

void options(po::options_description_easy_init add) {
  add("kind",
      po::value<std::string>()->value_name(
          "layer|loss|metric|optimizer|schedule|initializer|dataset|transform"),
      "new: what to begin; a layer by default");
  add("timeout", po::value<std::string>()->value_name("N"),
      "check: how many seconds one case may take; 120 by default");
  add_json_option(add);
}

// Where this program is installed; /usr where it is not.
std::string prefix() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return !error && program.parent_path().filename() == "bin"
             ? program.parent_path().parent_path().string()
             : "/usr";
}

ExitCode begin_new(Invocation& invocation, const std::string& name) {
  if (!is_plugin_name(name)) {
    usage_failure(fmt::format("`{}` cannot be a plugin's name", safe_text(name)),
                  "a name has lower-case letters, digits and _: my_layer");
  }
  if (name.size() > kLongestPluginName) {
    usage_failure(fmt::format("a plugin's name has at most {} letters, and this one has {}",
                              kLongestPluginName, name.size()));
  }
  const std::string kind = invocation.text("kind", "layer");
  const std::vector<std::string>& kinds = scaffold_kinds();
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
    const std::string near = nearest_name(kind, kinds);
    usage_failure(
        fmt::format("`--kind` takes {}; found `{}`", fmt::join(kinds, ", "), safe_text(kind)),
        near.empty() ? "" : fmt::format("did you mean `{}`?", near));
  }
  const std::string offered = cap_words(name);
  for (const Entry* entry : invocation.registry().find(offered)) {
    usage_failure(fmt::format("there is a {} `{}` already ({})", kind_name(entry->kind()), offered,
                              entry->origin),
                  "choose another name");
  }
  std::error_code error;
  if (fs::exists(name, error)) usage_failure(fmt::format("there is `{}` already", name));
  fs::create_directory(name, error);
  if (error) usage_failure(fmt::format("cannot make the folder {}: {}", name, error.message()));
  std::string out = fmt::format("{}/\n", name);
  for (const auto& [path, text] : scaffold(name, kind, prefix())) {
    end_unless(write_output(name + "/" + path, text));
    if (path.ends_with(".sh")) {
      fs::permissions(name + "/" + path, fs::perms::owner_exec, fs::perm_options::add, error);
    }
    out += fmt::format("  {}\n", path);
  }
  out += fmt::format("\nnext: cd {} && make check\n", name);
  invocation.console().out(out);
  return ExitCode::kDone;
}

std::string speed(double elements) {
  return elements >= 1e9 ? fmt::format("{:.2f} billion", elements / 1e9)
                         : fmt::format("{:.1f} million", elements / 1e6);
}

// What becomes of NaN, in a sentence's end; empty where none were fed in.
std::string nan_text(std::string_view handling) {
  if (handling == "propagated") return "they come out";
  if (handling == "refused") return "they are refused";
  if (handling == "counted") return "they count as wrong";
  if (handling == "swallowed") return "they are swallowed";
  return "";
}

// One fault shows in many cases, and the first ones tell what it is.
constexpr std::size_t kMostShown = 10;

std::string verdict_text(const PluginVerdict& verdict, const Paint& paint) {
  std::string out = verdict.name.empty() ? verdict.path
                                         : fmt::format("{} {} ({})", paint.bold(verdict.name),
                                                       verdict.version, verdict.path);
  out += "\n";
  for (const auto& one : verdict.offered) {
    out += fmt::format("  {} {}: {}, {} facts in {} cases\n", one.kind, paint.bold(one.name),
                       one.problems.empty() ? paint.green("sound") : paint.red("not sound"),
                       grouped(one.checks), grouped(one.cases));
    const std::size_t shown = std::min(one.problems.size(), kMostShown);
    for (std::size_t i = 0; i < shown; ++i) out += fmt::format("    - {}\n", one.problems[i]);
    if (shown < one.problems.size())
      out += fmt::format("    - and {} more: --json shows them\n", one.problems.size() - shown);
    if (const std::string nan = nan_text(one.nan); !nan.empty())
      out += fmt::format("    NaN that are fed in: {}\n", nan);
    if (!one.timed.empty()) {
      out += fmt::format("    speed: forward {}, backward {} elements a second ({})\n",
                         speed(one.forward), speed(one.backward), one.timed);
    }
  }
  for (const std::string& problem : verdict.problems)
    out += fmt::format("  {} {}\n", paint.red("problem:"), problem);
  if (!verdict.output.empty()) {
    out += "  its last output:\n";
    std::string_view rest = verdict.output;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      out += fmt::format("    {}\n", rest.substr(0, end));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
  }
  return out + (verdict.conforms() ? "it conforms\n" : "it does not conform\n");
}

Json verdict_json(const PluginVerdict& verdict) {
  Json out = {{"path", verdict.path},
              {"plugin", verdict.name},
              {"version", verdict.version},
              {"sha256", verdict.sha256},
              {"conforms", verdict.conforms()}};
  out["problems"] = verdict.problems;
  if (verdict.refused) {
    out["problems"].push_back(verdict.refused->message);
    out["refused"] = true;
  }
  out["offers"] = Json::array();
  for (const auto& one : verdict.offered) {
    out["offers"].push_back({{"name", one.name},
                             {"kind", one.kind},
                             {"checks", one.checks},
                             {"cases", one.cases},
                             {"problems", one.problems},
                             {"nan", nan_text(one.nan).empty() ? Json() : Json(one.nan)}});
    if (!one.timed.empty()) {
      out["offers"].back()["speed"] = {{"of", one.timed},
                                       {"forward_elements_per_second", one.forward},
                                       {"backward_elements_per_second", one.backward}};
    }
  }
  return out;
}

ExitCode check(Invocation& invocation, const std::string& path) {
  const auto seconds = static_cast<int>(invocation.integer("timeout", 120, 1, 86400));
  PluginVerdict verdict;
  if (const Status readable = check_readable(path, ExitCode::kPlugin)) {
    verdict = check_plugin(path, seconds);
  } else {
    verdict.path = path;
    verdict.refused = readable.error();
  }
  Console& console = invocation.console();
  if (invocation.has("json")) {
    console.out(verdict_json(verdict).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  } else if (verdict.refused) {
    throw Failure{*verdict.refused};
  } else {
    console.out(verdict_text(verdict, console.paint()));
  }
  return verdict.conforms() ? ExitCode::kDone : ExitCode::kPlugin;
}

ExitCode run(Invocation& invocation) {
  invocation.expect_words(2, 2, "`new NAME` or `check LIBRARY`");
  const std::string &what = invocation.words[0], &plugin = invocation.words[1];
  if (what == "new") return begin_new(invocation, plugin);
  if (what == "check") return check(invocation, plugin);
  usage_failure(fmt::format("`plugin` begins a new one or checks one; found `{}`", safe_text(what)),
                "plugin new NAME, or plugin check LIBRARY.so");
}

}  // namespace

const Command kPluginCommand = {
    .name = "plugin",
    .summary = "begin a plugin of your own, or check one",
    .usage = "new|check PLUGIN",
    .about =
        "`plugin new NAME` makes a folder with one file of C++ that builds at once with make, "
        "CMake "
        "or Bazel.\n"
        "`plugin check LIBRARY.so` loads a library in a process of its own and gives one verdict: "
        "its tables, its\n"
        "gradients against differences, f32 against f64, the same bits on any number of threads, "
        "nothing written\n"
        "outside of its buffers, nothing read that nobody wrote, NaN passed on, the same results "
        "in a new instance\n"
        "that has what was saved, and how fast it is. Exit code 5 where it does not conform.\n",
    .examples =
        "plugin new my_layer\n"
        "plugin new my_optimizer --kind optimizer\n"
        "plugin check my_layer/my_layer.so\n",
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
