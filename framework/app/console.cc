#include "framework/app/console.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "framework/base/utf8.h"

namespace strata::app {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

bool utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string value = environment(name);
    if (value.empty()) continue;
    std::transform(value.begin(), value.end(), value.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

// The errno of the failure, 0 for success.
int write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

std::string wrapped(bool on, const char* code, std::string_view text) {
  return on ? std::string(code) + std::string(text) + "\x1b[0m" : std::string(text);
}

}  // namespace

std::string Paint::bold(std::string_view text) const { return wrapped(on, "\x1b[1m", text); }
std::string Paint::dim(std::string_view text) const { return wrapped(on, "\x1b[2m", text); }
std::string Paint::green(std::string_view text) const { return wrapped(on, "\x1b[1;32m", text); }
std::string Paint::red(std::string_view text) const { return wrapped(on, "\x1b[1;31m", text); }

Console::Console()
    : out_file_(STDOUT_FILENO),
      out_terminal_(::isatty(STDOUT_FILENO) == 1),
      err_terminal_(::isatty(STDERR_FILENO) == 1),
      dumb_(environment("TERM").empty() || environment("TERM") == "dumb"),
      no_color_(!environment("NO_COLOR").empty()),
      unicode_(utf8_locale()) {}

void Console::out(std::string_view text) {
  if (out_failure_ == 0) out_failure_ = write_all(out_file_, text);
}

void Console::keep_output_to_itself() {
  if (out_file_ != STDOUT_FILENO) return;
  const int copy = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return;
  out_file_ = copy;
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
}

void Console::err(std::string_view text) { (void)write_all(STDERR_FILENO, text); }

void Console::error(const Error& error) {
  const Paint paint = paint_err();
  std::string text = paint.red("error:") + " " + error.message + "\n";
  if (!error.hint.empty()) text += "  " + paint.green("help:") + " " + error.hint + "\n";
  err(text);
}

void Console::note(std::string_view message) {
  err(paint_err().bold("note:") + " " + std::string(message) + "\n");
}

void Console::show(const Diagnostics& diagnostics) {
  err(render(diagnostics, {.color = paint_err().on, .max_columns = std::clamp(width(), 60, 160)}));
}

bool Console::live() const { return out_terminal_ && !dumb_; }

int Console::width() const {
  winsize size{};
  for (const int file : {out_file_, STDERR_FILENO}) {
    if (::ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  }
  return 80;
}

bool Console::colored(bool terminal) const {
  if (color_ != ColorMode::kAuto) return color_ == ColorMode::kAlways;
  return terminal && !dumb_ && !no_color_;
}

Status Console::finish() const {
  if (out_failure_ == 0 || out_failure_ == EPIPE) return {};
  return make_error(ExitCode::kInternal, "cannot write to standard output: {}",
                    std::strerror(out_failure_));
}

namespace {
std::string& stored_program_name() {
  static std::string name = "trainer";
  return name;
}
}  // namespace

const std::string& program_name() { return stored_program_name(); }

void set_program_name(const char* argv0) {
  // Under `bazel run` the path of this binary is nothing that the user typed.
  const std::string workspace = environment("BUILD_WORKSPACE_DIRECTORY");
  if (!workspace.empty()) {
    std::error_code ignored;
    const std::filesystem::path here = environment("BUILD_WORKING_DIRECTORY");
    const bool wrapper =
        std::filesystem::equivalent(here, workspace, ignored) &&
        std::filesystem::exists(std::filesystem::path(workspace) / "bazelw", ignored);
    stored_program_name() = wrapper ? "./bazelw run //:trainer --" : "bazel run //:trainer --";
  } else if (argv0 && *argv0) {
    stored_program_name() = shell_quoted(argv0);
  }
}

std::string shell_quoted(const std::string& argument) {
  const std::string_view plain = "_-./=:,+@%";
  const bool safe = !argument.empty() && std::all_of(argument.begin(), argument.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           plain.find(c) != std::string_view::npos;
  });
  if (safe) return argument;
  std::string out = "'";
  for (const char c : argument) c == '\'' ? out += "'\\''" : out += c;
  return out + "'";
}

}  // namespace strata::app
