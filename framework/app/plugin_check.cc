#include "framework/app/plugin_check.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>

#include "framework/app/last_words.h"
#include "framework/base/utf8.h"
#include "framework/plugin/loader.h"
#include "framework/plugin/testing/conformance.h"

namespace strata::app {
namespace {

using Json = nlohmann::json;

// ---- the child: one line of JSON for each thing that it finds

void send(int pipe, const Json& message) {
  const std::string line = message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t count = ::write(pipe, line.data() + done, line.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) ::_exit(1);
    done += static_cast<std::size_t>(count);
  }
}

void send_report(int pipe, const Entry& entry, const Registry& registry) {
  const ProcessState state;
  ConformanceReport report = check_conformance(
      entry, registry, {.on_case = [&](const std::string& context) {
        send(pipe, {{"case",
                     fmt::format("{} `{}`: {}", kind_name(entry.kind()), entry.name(), context)}});
      }});
  ++report.checks;
  for (const std::string& change : state.put_back())
    report.problems.push_back(fmt::format("changes {} for the whole program", change));
  Json message = {{"name", entry.name()},
                  {"kind", kind_name(entry.kind())},
                  {"checks", report.checks},
                  {"cases", report.cases.size()},
                  {"problems", report.problems}};
  if (report.problems.empty()) {
    send(pipe, {{"case", fmt::format("the speed of `{}`", entry.name())}});
    if (const auto speed = measure_throughput(entry, registry)) {
      message["timed"] = speed->what;
      message["forward"] = speed->forward;
      message["backward"] = speed->backward;
    }
  }
  send(pipe, message);
}

[[noreturn]] void run_child(const std::string& path, int pipe, int output) {
  leave_without_words();
  for (const int signal : {SIGTERM, SIGPIPE}) std::signal(signal, SIG_DFL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::dup2(output, 1);
  ::dup2(output, 2);
  send(pipe, {{"case", "as it is loaded"}});
  Registry registry = Registry::builtin();
  const Status loaded = load_plugin(path, registry);
  if (!loaded) {
    send(pipe, {{"refused", loaded.error().message}, {"hint", loaded.error().hint}});
    ::_exit(0);
  }
  const PluginLibrary& library = *registry.libraries().front();
  send(pipe, {{"library", library.name},
              {"version", library.version},
              {"sha256", library.sha256},
              {"path", library.path},
              {"notes", library.notes}});
  for (const Entry* entry : registry.all()) {
    if (entry->library) send_report(pipe, *entry, registry);
  }
  send(pipe, {{"done", true}});
  ::_exit(0);
}

// ---- the parent

std::string text_of(const Json& message, const char* key) {
  const auto at = message.find(key);
  return at != message.end() && at->is_string() ? at->get<std::string>() : "";
}
double number_of(const Json& message, const char* key) {
  const auto at = message.find(key);
  return at != message.end() && at->is_number() ? at->get<double>() : 0;
}
std::vector<std::string> texts_of(const Json& message, const char* key) {
  std::vector<std::string> out;
  const auto at = message.find(key);
  if (at == message.end() || !at->is_array()) return out;
  for (const Json& item : *at) {
    if (item.is_string()) out.push_back(item.get<std::string>());
  }
  return out;
}

class Listener {
 public:
  explicit Listener(PluginVerdict& verdict) : verdict_(verdict) {}

  void take(std::string_view line) {
    const Json message = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!message.is_object()) return;
    if (message.contains("case")) {
      last_ = text_of(message, "case");
    } else if (message.contains("refused")) {
      verdict_.refused =
          Error{ExitCode::kPlugin, text_of(message, "refused"), text_of(message, "hint")};
      done_ = true;
    } else if (message.contains("library")) {
      verdict_.name = text_of(message, "library");
      verdict_.version = text_of(message, "version");
      verdict_.sha256 = text_of(message, "sha256");
      verdict_.path = text_of(message, "path");
      verdict_.problems = texts_of(message, "notes");
    } else if (message.contains("done")) {
      done_ = true;
    } else if (message.contains("name")) {
      PluginVerdict::Offered offered;
      offered.name = text_of(message, "name");
      offered.kind = text_of(message, "kind");
      offered.checks = static_cast<std::int64_t>(number_of(message, "checks"));
      offered.cases = static_cast<std::int64_t>(number_of(message, "cases"));
      offered.problems = texts_of(message, "problems");
      offered.timed = text_of(message, "timed");
      offered.forward = number_of(message, "forward");
      offered.backward = number_of(message, "backward");
      verdict_.offered.push_back(std::move(offered));
    }
  }

  bool done() const { return done_; }
  const std::string& last() const { return last_; }

 private:
  PluginVerdict& verdict_;
  std::string last_ = "before anything was tried";
  bool done_ = false;
};

// The end of what the child printed, on a few lines.
std::string end_of(int output) {
  constexpr off_t kMost = 2000;
  const off_t size = ::lseek(output, 0, SEEK_END);
  if (size <= 0) return {};
  std::string text(static_cast<std::size_t>(std::min(size, kMost)), '\0');
  const ssize_t count = ::pread(output, text.data(), text.size(), std::max<off_t>(0, size - kMost));
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out += safe_text(std::string_view(text).substr(begin, end - begin)) + "\n";
    begin = end + 1;
  }
  return out;
}

}  // namespace

bool PluginVerdict::conforms() const {
  return !refused && problems.empty() &&
         std::all_of(offered.begin(), offered.end(),
                     [](const Offered& one) { return one.problems.empty(); });
}

PluginVerdict check_plugin(const std::string& path, int seconds) {
  PluginVerdict verdict;
  verdict.path = path;
  int ends[2];
  const int output = ::memfd_create("output", MFD_CLOEXEC);
  if (output < 0 || ::pipe2(ends, O_CLOEXEC) != 0)
    throw Failure{make_error(ExitCode::kInternal, "no pipe: {}", std::strerror(errno))};
  const pid_t child = ::fork();
  if (child < 0) {
    throw Failure{make_error(ExitCode::kInternal, "no process of its own for the plugin: {}",
                             std::strerror(errno))};
  }
  if (child == 0) {
    ::close(ends[0]);
    run_child(path, ends[1], output);
  }
  ::close(ends[1]);
  Listener listener(verdict);
  std::string unread;
  bool late = false;
  while (true) {
    pollfd waiting{ends[0], POLLIN, 0};
    const int ready = ::poll(&waiting, 1, seconds * 1000);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) {
      late = true;
      ::kill(child, SIGKILL);
      break;
    }
    char block[4096];
    const ssize_t count = ::read(ends[0], block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    unread.append(block, static_cast<std::size_t>(count));
    for (std::size_t end; (end = unread.find('\n')) != std::string::npos;) {
      listener.take(std::string_view(unread).substr(0, end));
      unread.erase(0, end + 1);
    }
  }
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (late) {
    verdict.problems.push_back(
        fmt::format("it does not end: nothing for {} seconds; {}", seconds, listener.last()));
  } else if (WIFSIGNALED(status)) {
    verdict.problems.push_back(
        fmt::format("it crashed ({}); {}", ::strsignal(WTERMSIG(status)), listener.last()));
  } else if (!listener.done()) {
    verdict.problems.push_back(
        fmt::format("it ended the process (code {}); {}", WEXITSTATUS(status), listener.last()));
  }
  if (!verdict.problems.empty()) verdict.output = end_of(output);
  ::close(output);
  return verdict;
}

}  // namespace strata::app
