// trainer plugins: what is registered, and where it came from.
#include <nlohmann/json.hpp>

#include "framework/app/catalog.h"
#include "framework/app/format.h"
#include "framework/app/model_files.h"
#include "framework/base/utf8.h"

namespace strata::app {
namespace {

void options(boost::program_options::options_description_easy_init add) { add_json_option(add); }

std::string origin_text(const Entry& entry) {
  return entry.library ? fmt::format("{} {}", entry.library->name, entry.library->version)
                       : entry.origin;
}

// Says which libraries were found and not loaded, and why.
ExitCode refused_of(Invocation& invocation) {
  const Registry& registry = invocation.registry_in_silence();
  for (const RefusedLibrary& refused : registry.refused())
    invocation.console().error(refused.error);
  for (const auto& library : registry.libraries()) {
    for (const std::string& note : library->notes)
      invocation.console().note(fmt::format("plugin `{}`: {}", library->name, note));
  }
  return registry.refused().empty() ? ExitCode::kDone : ExitCode::kPlugin;
}

ExitCode run(Invocation& invocation) {
  invocation.expect_words(0, 0, "");
  Console& console = invocation.console();
  if (invocation.has("json")) {
    auto list = nlohmann::ordered_json::array();
    for (const Entry* entry : invocation.registry_in_silence().all()) {
      list.push_back(
          {{"name", entry->name()}, {"kind", kind_name(entry->kind())}, {"origin", entry->origin}});
      if (const PluginLibrary* library = entry->library) {
        list.back().update({{"plugin", library->name},
                            {"version", library->version},
                            {"sha256", library->sha256}});
      }
    }
    // Paths are bytes, and need not be UTF-8.
    console.out(list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
    return refused_of(invocation);
  }
  std::string out;
  for (const auto& [kind, entries] : by_kind(invocation.registry_in_silence())) {
    std::vector<std::vector<std::string>> rows;
    for (const Entry* entry : entries) rows.push_back({entry->name(), origin_text(*entry)});
    out +=
        (out.empty() ? "" : "\n") + console.paint().bold(kind_plural(kind)) + "\n" + table(rows, 2);
  }
  const Registry& registry = invocation.registry_in_silence();
  std::vector<std::vector<std::string>> libraries;
  for (const auto& library : registry.libraries())
    libraries.push_back({library->name, library->version, safe_text(library->path)});
  if (!libraries.empty())
    out += "\n" + console.paint().bold("libraries") + "\n" + table(libraries, 3);
  console.out(out);
  return refused_of(invocation);
}

}  // namespace

const Command kPluginsCommand = {
    .name = "plugins",
    .summary = "list what is registered, and where it comes from",
    .usage = "",
    .about =
        "Lists layers, losses, metrics, optimizers and so on, by kind, with their origin, and the "
        "libraries that were\n"
        "loaded. Libraries (*.so) are loaded from the folders of --plugin-dir, of "
        "STRATA_PLUGIN_PATH (several with colons\n"
        "between them), from ~/.local/share/strata/plugins, and from lib/strata/plugins beside "
        "this program, in\n"
        "/usr/local and in /usr. Those that were refused are errors.\n",
    .examples =
        "plugins\n"
        "plugins --plugin-dir build --json\n",
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
