// trainer plugins: what is registered, and where it came from.
#include <nlohmann/json.hpp>

#include "framework/app/catalog.h"
#include "framework/app/format.h"
#include "framework/app/model_files.h"

namespace strata::app {
namespace {

void options(boost::program_options::options_description_easy_init add) { add_json_option(add); }

ExitCode run(Invocation& invocation) {
  invocation.expect_words(0, 0, "");
  Console& console = invocation.console();
  if (invocation.has("json")) {
    auto list = nlohmann::ordered_json::array();
    for (const Entry* entry : invocation.registry().all()) {
      list.push_back(
          {{"name", entry->name()}, {"kind", kind_name(entry->kind())}, {"origin", entry->origin}});
    }
    console.out(list.dump(2) + "\n");
    return ExitCode::kDone;
  }
  std::string out;
  for (const auto& [kind, entries] : by_kind(invocation.registry())) {
    std::vector<std::vector<std::string>> rows;
    for (const Entry* entry : entries) rows.push_back({entry->name(), entry->origin});
    out +=
        (out.empty() ? "" : "\n") + console.paint().bold(kind_plural(kind)) + "\n" + table(rows, 2);
  }
  console.out(out);
  return ExitCode::kDone;
}

}  // namespace

const Command kPluginsCommand = {
    .name = "plugins",
    .summary = "list what is registered, and where it comes from",
    .usage = "",
    .about = "Lists layers, losses, metrics, optimizers and so on, by kind, with their origin.\n",
    .examples =
        "plugins\n"
        "plugins --json\n",
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
