#include "framework/app/plugin_check.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "framework/app/fusion_check.h"
#include "framework/app/guarded_process.h"
#include "framework/base/utf8.h"
#include "framework/plugin/loader.h"
#include "framework/plugin/testing/conformance.h"

namespace strata::app {
namespace {

using Json = nlohmann::json;

// ---- the child: one line of JSON for each thing that it finds

void send(const GuardedWriter& out, const Json& message) {
  out.line(message.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Json report_message(const Entry& entry, const ConformanceReport& report) {
  return {{"name", entry.name()},        {"kind", kind_name(entry.kind())},
          {"checks", report.checks},     {"cases", report.cases.size()},
          {"problems", report.problems}, {"nan", nan_handling_name(report.nan)}};
}

void send_report(const GuardedWriter& out, const Entry& entry, const Registry& registry) {
  const ProcessState state;
  ConformanceReport report = check_conformance(
      entry, registry,
      {.on_case =
           [&](const std::string& context) {
             send(out, {{"case", fmt::format("{} `{}`: {}", kind_name(entry.kind()), entry.name(),
                                             context)}});
           },
       .on_problem =
           [&](const ConformanceReport& so_far) { send(out, report_message(entry, so_far)); }});
  if (entry.kind() == STRATA_FUSION && report.problems.empty()) {
    send(out, {{"case", fmt::format("`{}` against its layers", entry.name())}});
    compare_fusion(entry, registry, report);
  }
  ++report.checks;
  for (const std::string& change : state.put_back())
    report.problems.push_back(fmt::format("changes {} for the whole program", change));
  Json message = report_message(entry, report);
  if (report.problems.empty()) {
    send(out, {{"case", fmt::format("the speed of `{}`", entry.name())}});
    if (const auto speed = measure_throughput(entry, registry)) {
      message["timed"] = speed->what;
      message["forward"] = speed->forward;
      message["backward"] = speed->backward;
    }
  }
  send(out, message);
}

void look_at(const std::string& path, const GuardedWriter& out) {
  send(out, {{"case", "as it is loaded"}});
  Registry registry = Registry::builtin();
  const Status loaded = load_plugin(path, registry);
  if (!loaded) {
    send(out, {{"refused", loaded.error().message}, {"hint", loaded.error().hint}});
    return;
  }
  const PluginLibrary& library = *registry.libraries().front();
  send(out, {{"library", library.name},
             {"version", library.version},
             {"sha256", library.sha256},
             {"path", library.path},
             {"notes", library.notes}});
  for (const Entry* entry : registry.all()) {
    if (entry->library) send_report(out, *entry, registry);
  }
  send(out, {{"done", true}});
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
      offered.nan = text_of(message, "nan");
      offered.timed = text_of(message, "timed");
      offered.forward = number_of(message, "forward");
      offered.backward = number_of(message, "backward");
      add(std::move(offered));
    }
  }

  bool done() const { return done_; }
  const std::string& last() const { return last_; }

 private:
  // In place of what it was when less of it was known.
  void add(PluginVerdict::Offered offered) {
    auto& all = verdict_.offered;
    if (!all.empty() && all.back().name == offered.name && all.back().kind == offered.kind)
      all.pop_back();
    all.push_back(std::move(offered));
  }

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

// What the end of its process says against it.
std::string problem_of(const GuardedEnd& end, int seconds) {
  const auto signal = [&] {
    const char* name = ::sigabbrev_np(end.number);
    return name ? fmt::format("SIG{}", name) : fmt::format("signal {}", end.number);
  };
  switch (end.kind) {
    case GuardedEnd::kExited:
      return fmt::format("it ended the process (code {})", end.number);
    case GuardedEnd::kKilled:
      return fmt::format("it crashed ({})", ::strsignal(end.number));
    case GuardedEnd::kStopped:
      return fmt::format("it stopped the process ({})", signal());
    case GuardedEnd::kLostPipe:
      return "it closed files that it had not opened";
    case GuardedEnd::kHurtGuard:
      return fmt::format("it sent {} to the process that had started it", signal());
    case GuardedEnd::kLate:
      return fmt::format("it does not end: nothing for {} seconds", seconds);
    default:
      return "";
  }
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
  const int output = ::memfd_create("output", MFD_CLOEXEC);
  if (output < 0)
    throw Failure{make_error(ExitCode::kInternal, "no memory: {}", std::strerror(errno))};
  Listener listener(verdict);
  const GuardedEnd end =
      run_guarded([&](const GuardedWriter& out) { look_at(path, out); }, output, seconds,
                  [&](std::string_view line) {
                    listener.take(line);
                    return listener.done();
                  });
  if (const std::string problem = problem_of(end, seconds); !problem.empty()) {
    // It goes on for a while after a signal to others, so the last case says nothing then.
    verdict.problems.push_back(end.kind == GuardedEnd::kHurtGuard
                                   ? problem
                                   : fmt::format("{}; {}", problem, listener.last()));
  }
  if (!verdict.problems.empty()) verdict.output = end_of(output);
  ::close(output);
  return verdict;
}

}  // namespace strata::app
