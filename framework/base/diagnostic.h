// Mistakes in a text, with their place: collected, sorted, and rendered with the source line and a
// caret span.
//
// Wording (tests/goldens check the whole text): lower case, no full stop, code in `backticks`, say
// what was found and what is allowed. Every diagnostic has a stable code ("unknown-layer") that
// `trainer explain CODE` documents.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/base/source.h"

namespace strata {

enum class Severity { kError, kWarning };

struct Note {
  Span span;  // a span without a file renders as plain text
  std::string message;
};

struct Diagnostic {
  Severity severity = Severity::kError;
  std::string code;             // stable, kebab-case: "unknown-layer"
  Span span;                    // where the carets go
  std::string message;          // what was found
  std::vector<Note> notes;      // "allowed: …", "first defined here"
  std::string help;             // how to mend it: "did you mean `Dense`?"; may be empty
  std::vector<Note> instances;  // the stack of block and loop instantiations, innermost first: "in
                                // block `hidden`"
};

// What `trainer explain CODE` says of a code. Each layer keeps the table of the codes that it
// emits.
struct DiagnosticDoc {
  std::string_view code;
  std::string_view title;  // a phrase: "a colon where `=` binds"
  std::string_view text;   // why it is refused and how to mend it; plain sentences
  std::string_view wrong;  // a piece of a model file that shows it
  std::string_view right;  // the same, mended
};

// Collects diagnostics; ends a flood after `limit` errors, or warnings, with a line that
// says so.
class Diagnostics {
 public:
  explicit Diagnostics(int limit = 100) : limit_(limit) {}

  // The reference is good until the next one is added.
  Diagnostic& add(Diagnostic diagnostic);
  Diagnostic& error(std::string code, Span span, std::string message);
  Diagnostic& warning(std::string code, Span span, std::string message);

  bool has_errors() const { return errors_ > 0; }
  int errors() const { return errors_; }
  int warnings() const { return warnings_; }
  bool full() const { return errors_ >= limit_; }
  // Whether more was wrong than is kept here, or was not looked for any more.
  bool cut() const { return cut_ || full() || !has_all_warnings(); }
  void set_cut() { cut_ = true; }
  bool has_all_warnings() const { return warnings_ < limit_; }

  // In the order of file and place; equal ones (same code, span, message) once.
  std::vector<Diagnostic> sorted() const;
  const std::vector<Diagnostic>& all() const { return all_; }

 private:
  int limit_;
  int errors_ = 0;
  int warnings_ = 0;
  bool cut_ = false;
  std::vector<Diagnostic> all_;
  Diagnostic dropped_;  // stands in for what is beyond the limit
};

struct RenderStyle {
  bool color = false;
  int max_columns = 100;  // longer source lines are cut to a window around the carets
};

// As text for a person:
//   models/a.model:7:12: error: no layer is called `Dnese` [unknown-layer]
//     7 |   image -> Dnese(10)
//       |            ^^^^^
//     help: did you mean `Dense`?
// Plain notes are indented lines "note: …"; a note with a span comes after them, in the form of its
// own "file:line:column: note: …" with its line. Control characters and invalid UTF-8 are shown as
// stand-ins.
std::string render(const Diagnostic& diagnostic, const RenderStyle& style = {});
// All of them, then a closing line "2 errors, 1 warning"; empty where there are none.
std::string render(const Diagnostics& diagnostics, const RenderStyle& style = {});
// A JSON array for editors and CI, stable keys: severity, code, file, line, column, end_line,
// end_column, message, help, notes. Where the list was cut, its last element says so.
std::string render_json(const Diagnostics& diagnostics);

// The candidate nearest to `name` by optimal string alignment distance, ignoring case and
// underscores; empty where none is near enough to be a likely slip.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace strata
