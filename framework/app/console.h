// Standard output and error: results to one, diagnostics to the other, colour and a live line only
// on a terminal.
#pragma once

#include <string>
#include <string_view>

#include "framework/base/diagnostic.h"
#include "framework/base/error.h"

namespace strata::app {

enum class ColorMode { kAuto, kAlways, kNever };

// Text with terminal colours, or as it is.
struct Paint {
  bool on = false;
  std::string bold(std::string_view text) const;
  std::string dim(std::string_view text) const;
  std::string green(std::string_view text) const;
  std::string red(std::string_view text) const;
};

class Console {
 public:
  // Reads NO_COLOR, TERM and the locale's encoding from the environment.
  Console();

  void set_color(ColorMode mode) { color_ = mode; }

  // Writes at once and whole. A reader that went away (EPIPE) silences the rest; other failures are
  // kept for finish().
  void out(std::string_view text);
  void err(std::string_view text);
  // "error: message", and "help: hint" on a line of its own.
  void error(const Error& error);
  void note(std::string_view message);
  // Diagnostics as text to standard error; nothing where there are none.
  void show(const Diagnostics& diagnostics);

  // From now on what others write to the number of standard output goes to standard error, so that
  // a library that prints spoils no result. What out() writes goes where it went.
  void keep_output_to_itself();

  bool live() const;  // standard output is a terminal that can redraw a line
  bool unicode() const { return unicode_; }
  int width() const;  // of the terminal; 80 where there is none
  Paint paint() const { return {colored(out_terminal_)}; }      // for out()
  Paint paint_err() const { return {colored(err_terminal_)}; }  // for err()

  // Whether all results could be written.
  Status finish() const;

 private:
  bool colored(bool terminal) const;

  int out_file_;
  bool out_terminal_, err_terminal_;
  bool dumb_, no_color_, unicode_;
  ColorMode color_ = ColorMode::kAuto;
  int out_failure_ = 0;  // errno; the rest of the output is dropped
};

// How the user calls this program, for advice that can be pasted: "./bazelw run //:trainer --",
// "trainer".
const std::string& program_name();
void set_program_name(const char* argv0);

// An argument as a shell takes it: in quotes where it needs them.
std::string shell_quoted(const std::string& argument);

}  // namespace strata::app
