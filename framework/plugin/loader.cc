// Reading, checking and loading shared libraries of plugins.
#include "framework/plugin/loader.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>

#include "framework/base/utf8.h"
#include "framework/plugin/elf.h"
#include "framework/plugin/library_tables.h"
#include "framework/plugin/services.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

Error refusal(std::string message, std::string hint = {}) {
  return Error{ExitCode::kPlugin, std::move(message), std::move(hint)};
}

Result<std::string> read_library(const std::string& path) {
  constexpr std::int64_t kMost = std::int64_t{1} << 30;
  const auto unreadable = [&] {
    return refusal(fmt::format("{} cannot be read: {}", path, std::strerror(errno)));
  };
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return unreadable();
  if (!S_ISREG(facts.st_mode)) return refusal(path + " is not a file");
  if (facts.st_size > kMost)
    return refusal(path + " has more than a gigabyte, which no plugin needs");
  if (facts.st_mode & S_IWOTH) {
    return refusal(fmt::format("{} can be changed by anybody on this machine", path),
                   fmt::format("chmod o-w {}", path));
  }
  // Files of the kernel have no size, some no end, and some make their reader wait.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return unreadable();
  std::string text(static_cast<std::size_t>(facts.st_size) + 1, '\0');
  std::size_t size = 0;
  ssize_t count = 1;
  while (count > 0 && size < text.size()) {
    count = ::read(file, text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR)
      count = 1;
    else if (count > 0)
      size += static_cast<std::size_t>(count);
  }
  const int failure = count < 0 ? errno : 0;
  ::close(file);
  errno = failure;
  if (failure != 0) return unreadable();
  if (size == text.size()) return refusal(path + " grows while it is read, or is no ordinary file");
  text.resize(size);
  return text;
}

std::string sha256(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
  std::string out;
  for (unsigned i = 0; i < size; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

bool is_version(std::string_view version) {
  if (version.empty() || version.front() == '.' || version.back() == '.' ||
      version.find("..") != std::string_view::npos)
    return false;
  return std::all_of(version.begin(), version.end(),
                     [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

// Text of a fixed size; all of it where it does not end.
std::string fixed_text(const char* text, std::size_t size) {
  return std::string(text, ::strnlen(text, size));
}

// The loader's own words, without the path that we say ourselves.
std::string loader_message(const std::string& path) {
  const char* raw = ::dlerror();
  std::string message = raw ? safe_text(raw) : "for an unknown reason";
  if (message.starts_with(path + ": ")) message.erase(0, path.size() + 2);
  return message;
}

// Nobody else may put a library into the folder, nor another folder in its place: who may write to
// a folder above it may do that, unless only owners move what is in there, as in /tmp (sticky).
// `path` is canonical.
Status check_folder(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) == 0 && (facts.st_mode & S_IWOTH)) {
    return refusal(
        fmt::format("the plugin folder {} can be changed by anybody on this machine", path),
        fmt::format("chmod o-w {}", path));
  }
  for (fs::path above = fs::path(path).parent_path();; above = above.parent_path()) {
    if (::stat(above.c_str(), &facts) == 0 && (facts.st_mode & S_IWOTH) &&
        !(facts.st_mode & S_ISVTX)) {
      return refusal(fmt::format("the plugin folder {} can be replaced by anybody on this machine, "
                                 "as {} is open to all",
                                 path, above.string()),
                     fmt::format("chmod o-w {}", above.string()));
    }
    if (above == above.parent_path()) return {};
  }
}

// Loads the library and asks it what it offers.
Result<std::vector<const strata_entry*>> take_in(const PluginLibrary& library) {
  const std::string& path = library.path;
  const Running::Call call{.loaded = &library};
  const Running running(call);
  const pid_t self = ::getpid();
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  // A copy of this process that the library made as it was loaded is no second trainer.
  if (::getpid() != self) ::_exit(0);
  if (!handle) {
    return refusal(fmt::format("{} cannot be loaded: {}", path, loader_message(path)),
                   "link it with the libraries that it needs");
  }
  using Function = int (*)(strata_library*, strata_error*);
  const auto entries = reinterpret_cast<Function>(::dlsym(handle, "strata_plugin_entries"));
  if (!entries) {
    return refusal(fmt::format("{} has no function strata_plugin_entries", path),
                   "a plugin ends with STRATA_PLUGIN(\"name\", \"1.0\")");
  }
  note_loaded(library, reinterpret_cast<const void*>(entries));
  strata_library offered{sizeof(strata_library), nullptr, 0};
  const Status done = call_noted(call, entries, &offered);
  if (!done)
    return refusal(fmt::format("{} cannot say what it offers: {}", path, done.error().message));
  return copy_tables(offered, path);
}

}  // namespace

bool is_plugin_name(std::string_view name) {
  if (name.empty() || name[0] < 'a' || name[0] > 'z') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Result<PluginTag> read_plugin_tag(std::string_view file, const std::string& path) {
  auto bytes = elf_symbol(file, path, "strata_plugin_tag");
  if (!bytes) return bytes.error();
  if (bytes->empty()) {
    return refusal(fmt::format("{} is no Strata plugin: it has no symbol strata_plugin_tag", path),
                   "a plugin ends with STRATA_PLUGIN(\"name\", \"1.0\")");
  }
  strata_tag tag{};
  std::memcpy(&tag, bytes->data(), std::min(bytes->size(), sizeof tag));
  if (std::memcmp(tag.magic, STRATA_TAG_MAGIC, sizeof tag.magic) != 0)
    return refusal(fmt::format("{} is no Strata plugin: its tag is something else", path));
  if (tag.abi_major != STRATA_ABI_MAJOR ||
      (tag.abi_major == STRATA_ABI_MAJOR && tag.abi_minor > STRATA_ABI_MINOR)) {
    const bool newer = tag.abi_major > STRATA_ABI_MAJOR || tag.abi_major == STRATA_ABI_MAJOR;
    return refusal(
        fmt::format("{} was built for version {}.{} of the plugin boundary, and this program has "
                    "{}.{}",
                    path, tag.abi_major, tag.abi_minor, STRATA_ABI_MAJOR, STRATA_ABI_MINOR),
        newer ? "a newer Strata loads it; or build it with the headers of this one"
              : "build it again with the headers of this Strata");
  }
  if (bytes->size() < sizeof tag || tag.struct_size < sizeof tag)
    return refusal(fmt::format("{} has a tag that is too short", path));
  PluginTag out{fixed_text(tag.name, sizeof tag.name), fixed_text(tag.version, sizeof tag.version)};
  if (out.name.size() > kLongestPluginName) {
    return refusal(fmt::format("{} has a name of more than {} letters", path, kLongestPluginName),
                   "give it a shorter one: STRATA_PLUGIN(\"name\", \"1.0\")");
  }
  if (out.version.size() == sizeof tag.version) {
    return refusal(
        fmt::format("{} has a version of more than {} letters", path, sizeof tag.version - 1),
        "a version is numbers with dots: \"1.2\"");
  }
  if (!is_plugin_name(out.name)) {
    return refusal(fmt::format("{} calls itself `{}`", path, safe_text(out.name)),
                   "a plugin's name has lower-case letters, digits and _");
  }
  if (!is_version(out.version)) {
    return refusal(fmt::format("{} has the version `{}`", path, safe_text(out.version)),
                   "a version is numbers with dots: \"1.2\"");
  }
  return out;
}

Status load_plugin(const std::string& given, Registry& registry) {
  std::error_code ignored;
  const fs::path whole = fs::canonical(given, ignored);
  const std::string path = ignored ? given : whole.string();
  const auto bytes = read_library(path);
  if (!bytes) return bytes.error();
  const auto tag = read_plugin_tag(*bytes, path);
  if (!tag) return tag.error();
  PluginLibrary library{tag->name, tag->version, path, sha256(*bytes), {}};
  if (const PluginLibrary* before = registry.find_library(library.name)) {
    if (before->path == path) return {};
    return registry.add(std::move(library), {});  // says that there are two
  }

  const ProcessState state;
  (void)Running::mode_was_changed();
  const auto tables = take_in(library);
  std::vector<std::string> changes = state.put_back();
  if (Running::mode_was_changed())
    changes.emplace_back("the processor's arithmetic, as -ffast-math makes it,");
  for (const std::string& change : changes) {
    library.notes.push_back(fmt::format(
        "it changes {} for the whole program when it is loaded; that was undone", change));
  }
  if (!tables) return tables.error();
  return registry.add(std::move(library), *tables);
}

std::vector<PluginFolder> plugin_folders(const std::vector<std::string>& asked_for) {
  std::vector<PluginFolder> folders;
  for (const std::string& path : asked_for) folders.push_back({path, true});
  const auto environment = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value ? value : "");
  };
  std::string list = environment("STRATA_PLUGIN_PATH");
  while (!list.empty()) {
    const std::size_t end = list.find(':');
    const std::string path = list.substr(0, end);
    if (!path.empty()) folders.push_back({path, false});
    list.erase(0, end == std::string::npos ? list.size() : end + 1);
  }
  const std::string data = environment("XDG_DATA_HOME"), home = environment("HOME");
  if (!data.empty()) {
    folders.push_back({data + "/strata/plugins", false});
  } else if (!home.empty()) {
    folders.push_back({home + "/.local/share/strata/plugins", false});
  }
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  if (program.parent_path().filename() == "bin") {
    const fs::path prefix = program.parent_path().parent_path();
    folders.push_back({(prefix / "lib/strata/plugins").string(), false});
  }
  folders.push_back({"/usr/local/lib/strata/plugins", false});
  folders.push_back({"/usr/lib/strata/plugins", false});
  return folders;
}

namespace {

// A link is as safe as the folder that it leads to.
Status load_from_folder(const std::string& path, Registry& registry) {
  std::error_code error;
  const fs::path target = fs::canonical(path, error);
  if (!error) {
    if (const Status safe = check_folder(target.parent_path().string()); !safe) return safe;
  }
  return load_plugin(path, registry);
}

}  // namespace

void load_plugins(const std::vector<PluginFolder>& folders, Registry& registry) {
  std::set<std::string> seen;
  for (const PluginFolder& folder : folders) {
    std::error_code error;
    const fs::path whole = fs::canonical(folder.path, error);
    if (error || !fs::is_directory(whole, error)) {
      if (folder.asked_for) {
        registry.add(RefusedLibrary{
            "", folder.path,
            refusal(fmt::format("there is no folder {} to load plugins from", folder.path)), true});
      }
      continue;
    }
    if (!seen.insert(whole.string()).second) continue;
    if (const Status safe = check_folder(whole.string()); !safe) {
      registry.add(RefusedLibrary{"", whole.string(), safe.error(), folder.asked_for});
      continue;
    }
    std::vector<std::string> libraries;
    for (fs::directory_iterator entry(whole, error), end; !error && entry != end;
         entry.increment(error)) {
      if (entry->path().extension() == ".so") libraries.push_back(entry->path().string());
    }
    if (error) {
      registry.add(RefusedLibrary{"", whole.string(),
                                  refusal(fmt::format("the plugin folder {} cannot be read: {}",
                                                      whole.string(), error.message())),
                                  folder.asked_for});
    }
    std::sort(libraries.begin(), libraries.end());
    for (const std::string& path : libraries) {
      const Status loaded = load_from_folder(path, registry);
      if (loaded) continue;
      const auto bytes = read_library(path);
      const auto tag = bytes ? read_plugin_tag(*bytes, path) : Result<PluginTag>(bytes.error());
      const std::string name = tag ? tag->name : fs::path(path).stem().string();
      registry.add(RefusedLibrary{name, path, loaded.error(), folder.asked_for});
    }
  }
}

int compare_versions(std::string_view a, std::string_view b) {
  const auto next = [](std::string_view& rest) {
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (failure == std::errc::result_out_of_range)
      number = std::numeric_limits<std::uint64_t>::max();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    rest.remove_prefix(std::min(rest.size(), std::size_t{1}));  // the dot
    return number;
  };
  while (!a.empty() || !b.empty()) {
    const std::uint64_t x = next(a), y = next(b);
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}

bool version_fits(std::string_view version, std::string_view comparison, std::string_view wanted) {
  const int order = compare_versions(version, wanted);
  if (comparison == ">=") return order >= 0;
  if (comparison == "<=") return order <= 0;
  if (comparison == ">") return order > 0;
  if (comparison == "<") return order < 0;
  if (comparison == "==") return order == 0;
  if (comparison == "!=") return order != 0;
  return true;
}

}  // namespace strata
