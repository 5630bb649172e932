// Collects diagnostics and renders them: for a person with the source line and carets, for a
// program as JSON.
#include "framework/base/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "framework/base/utf8.h"

namespace strata {
namespace {

constexpr std::string_view kReset = "\x1b[0m", kBold = "\x1b[1m", kRed = "\x1b[1;31m",
                           kYellow = "\x1b[1;33m", kCyan = "\x1b[1;36m", kGreen = "\x1b[1;32m";
constexpr int kContext = 20;  // columns of a cut line that stay to the left of the carets

// Pieces of the source that a message quotes, cut where they are so long that nobody reads them.
std::string shortened(std::string_view text) {
  constexpr std::size_t kLong = 240, kKept = 60;  // bytes
  std::string out;
  while (!text.empty()) {
    const std::size_t open = text.find('`');
    const std::size_t close = open == std::string_view::npos ? open : text.find('`', open + 1);
    if (close == std::string_view::npos) break;
    out += text.substr(0, open + 1);
    std::string_view inside = text.substr(open + 1, close - open - 1);
    const bool cut = inside.size() > kLong;
    if (cut) {
      inside = inside.substr(0, kKept);
      while (!inside.empty() && (static_cast<unsigned char>(inside.back()) & 0xC0) == 0x80)
        inside.remove_suffix(1);
      if (!inside.empty() && static_cast<unsigned char>(inside.back()) >= 0xC0)
        inside.remove_suffix(1);
    }
    out += inside;
    out += cut ? "…`" : "`";
    text.remove_prefix(close + 1);
  }
  return out += text;
}

// Messages hold pieces of the source; line ends in them are the author's, all else that is not
// visible is not.
std::string safe_message(std::string_view whole) {
  const std::string text = shortened(whole);
  std::string out;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find('\n', begin);
    out += safe_text(
        std::string_view(text).substr(begin, end == std::string_view::npos ? end : end - begin));
    if (end == std::string_view::npos) return out;
    out += "\n    ";
    begin = end + 1;
  }
}

// A source line as it is shown, with the range of cells that the carets stand under.
struct ShownLine {
  std::string text;
  int caret_begin = 0;
  int caret_end = 0;
};

// `from` and `to` are byte offsets in `line`; the text is cut to a window where it is longer than
// `max_columns`.
ShownLine show_line(std::string_view line, std::size_t from, std::size_t to, int max_columns) {
  // Twice, so that a line of a megabyte costs no memory: where the carets are, then what is around.
  const auto each_cell = [&](const auto& visit) {
    int at = 0;
    for (std::size_t i = 0; i < line.size();) {
      const Utf8Char next = decode_utf8(line.substr(i));
      ShownChar cell = shown(next, line.substr(i));
      if (next.code_point == '\t') {
        cell.cells = kTabWidth - at % kTabWidth;
        cell.text.assign(cell.cells, ' ');
      }
      visit(cell, at, i, i + next.size);
      at += cell.cells;
      i += next.size;
    }
  };
  int column = 0, begin = -1, end = -1;
  each_cell([&](const ShownChar& cell, int at, std::size_t byte, std::size_t next_byte) {
    if (begin < 0 && next_byte > from) begin = at;
    if (byte < to) end = at + cell.cells;
    column = at + cell.cells;
  });
  if (begin < 0) begin = column;
  end = std::max(end, begin + 1);

  int first = 0, last = column;
  if (column > max_columns) {
    if (begin > max_columns - kContext) first = begin - kContext;
    last = std::min(column, first + max_columns);
    first = std::max(0, std::min(first, last - max_columns));
  }
  ShownLine result;
  if (first > 0) result.text = "…";
  const int shift = (first > 0 ? 1 : 0) - first;
  each_cell([&](const ShownChar& cell, int at, std::size_t, std::size_t) {
    if (at >= first && at + cell.cells <= last) result.text += cell.text;
  });
  if (last < column) result.text += "…";
  result.caret_begin = begin + shift;
  result.caret_end =
      std::max(std::min(end, std::max(last, begin + 1)) + shift, result.caret_begin + 1);
  while (!result.text.empty() && result.text.back() == ' ') result.text.pop_back();
  return result;
}

class Renderer {
 public:
  explicit Renderer(const RenderStyle& style) : style_(style) {}

  std::string run(const Diagnostic& diagnostic) {
    const bool error = diagnostic.severity == Severity::kError;
    head(diagnostic.span, error ? "error" : "warning", error ? kRed : kYellow,
         safe_message(diagnostic.message) +
             (diagnostic.code.empty() ? "" : " [" + diagnostic.code + "]"));
    snippet(diagnostic.span, error ? kRed : kYellow);
    for (const Note& note : diagnostic.notes) {
      if (!note.span.file) line("note", kCyan, safe_message(note.message));
    }
    if (!diagnostic.help.empty()) line("help", kGreen, safe_message(diagnostic.help));
    for (const Note& note : diagnostic.notes) {
      if (!note.span.file) continue;
      head(note.span, "note", kCyan, safe_message(note.message));
      snippet(note.span, kCyan);
    }
    for (const Note& instance : diagnostic.instances) {
      const std::string where = instance.span.file ? place(instance.span) + ": " : "";
      out_ += "  at " + where + safe_message(instance.message) + "\n";
    }
    return std::move(out_);
  }

 private:
  static std::string place(Span span) {
    const SourceFile::Position position = span.file->position(span.begin);
    return fmt::format("{}:{}:{}", safe_text(span.file->name()), position.line, position.column);
  }

  std::string paint(std::string_view text, std::string_view color) const {
    return style_.color ? fmt::format("{}{}{}", color, text, kReset) : std::string(text);
  }

  void head(Span span, std::string_view kind, std::string_view color, const std::string& message) {
    if (span.file) out_ += paint(place(span) + ":", kBold) + " ";
    out_ += paint(std::string(kind) + ":", color) + " " + paint(message, kBold) + "\n";
  }

  void line(std::string_view kind, std::string_view color, const std::string& message) {
    out_ += "  " + paint(std::string(kind) + ":", color) + " " + message + "\n";
  }

  void snippet(Span span, std::string_view color) {
    if (!span.file) return;
    const int number = span.file->position(span.begin).line;
    const std::string_view text = span.file->line(number);
    if (text.empty() && span.file->text().empty()) return;  // an empty file has nothing to show
    // A span of several lines is shown by its first one; a line end itself has no cells.
    const auto start = static_cast<std::size_t>(text.data() - span.file->text().data());
    const std::size_t from = span.begin - start;
    const std::size_t to =
        std::min<std::size_t>(std::max(span.end, span.begin) - start, text.size());
    const ShownLine shown_line = show_line(text, from, to, style_.max_columns);
    const std::string gutter = std::to_string(number);
    out_ += paint("  " + gutter + " |", kCyan) + (shown_line.text.empty() ? "" : " ") +
            shown_line.text + "\n";
    out_ += paint("  " + std::string(gutter.size(), ' ') + " |", kCyan) + " " +
            std::string(shown_line.caret_begin, ' ') +
            paint(std::string(shown_line.caret_end - shown_line.caret_begin, '^'), color) + "\n";
  }

  const RenderStyle& style_;
  std::string out_;
};

nlohmann::ordered_json place_json(Span span) {
  nlohmann::ordered_json json;
  if (!span.file) return json;
  const SourceFile::Position begin = span.file->position(span.begin),
                             end = span.file->position(span.end);
  json["file"] = span.file->name();
  json["line"] = begin.line;
  json["column"] = begin.column;
  json["end_line"] = end.line;
  json["end_column"] = end.column;
  return json;
}

nlohmann::ordered_json notes_json(const std::vector<Note>& notes) {
  auto list = nlohmann::ordered_json::array();
  for (const Note& note : notes) {
    nlohmann::ordered_json json = place_json(note.span);
    json["message"] = shortened(note.message);
    list.push_back(std::move(json));
  }
  return list;
}

std::string counted(int count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

Diagnostic& Diagnostics::add(Diagnostic diagnostic) {
  if (diagnostic.severity == Severity::kError) {
    if (full()) return dropped_ = std::move(diagnostic);
    ++errors_;
  } else {
    if (!has_all_warnings()) return dropped_ = std::move(diagnostic);
    ++warnings_;
  }
  all_.push_back(std::move(diagnostic));
  return all_.back();
}

Diagnostic& Diagnostics::error(std::string code, Span span, std::string message) {
  return add({Severity::kError, std::move(code), span, std::move(message), {}, {}, {}});
}

Diagnostic& Diagnostics::warning(std::string code, Span span, std::string message) {
  return add({Severity::kWarning, std::move(code), span, std::move(message), {}, {}, {}});
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::map<const SourceFile*, int> order;  // files in the order in which something was said of them
  for (const Diagnostic& d : all_) order.emplace(d.span.file, static_cast<int>(order.size()));
  const auto key = [&](const Diagnostic& d) {
    return std::tuple(order.at(d.span.file), d.span.begin, d.span.end);
  };
  std::vector<Diagnostic> result = all_;
  std::stable_sort(result.begin(), result.end(),
                   [&](const auto& a, const auto& b) { return key(a) < key(b); });
  const auto same = [&](const Diagnostic& a, const Diagnostic& b) {
    return key(a) == key(b) && a.code == b.code && a.message == b.message;
  };
  // Equal ones have equal keys but need not be neighbours: look back while the key is the same.
  std::vector<Diagnostic> unique;
  for (Diagnostic& d : result) {
    bool seen = false;
    for (auto it = unique.rbegin(); it != unique.rend() && key(*it) == key(d) && !seen; ++it)
      seen = same(*it, d);
    if (!seen) unique.push_back(std::move(d));
  }
  return unique;
}

std::string render(const Diagnostic& diagnostic, const RenderStyle& style) {
  return Renderer(style).run(diagnostic);
}

std::string render(const Diagnostics& diagnostics, const RenderStyle& style) {
  const std::vector<Diagnostic> sorted = diagnostics.sorted();
  if (sorted.empty()) return {};
  std::string out;
  int errors = 0, warnings = 0;
  for (const Diagnostic& diagnostic : sorted) {
    out += render(diagnostic, style);
    ++(diagnostic.severity == Severity::kError ? errors : warnings);
  }
  if (errors > 0) out += counted(errors, "error");
  if (warnings > 0) out += (errors > 0 ? ", " : "") + counted(warnings, "warning");
  if (diagnostics.cut()) out += "; there may be more, the rest was not looked for";
  return out + "\n";
}

std::string render_json(const Diagnostics& diagnostics) {
  auto list = nlohmann::ordered_json::array();
  for (const Diagnostic& d : diagnostics.sorted()) {
    nlohmann::ordered_json json;
    json["severity"] = d.severity == Severity::kError ? "error" : "warning";
    json["code"] = d.code;
    const nlohmann::ordered_json place = place_json(d.span);
    for (const auto& [key, value] : place.items()) json[key] = value;
    json["message"] = shortened(d.message);
    json["help"] = shortened(d.help);
    json["notes"] = notes_json(d.notes);
    if (!d.instances.empty()) json["instances"] = notes_json(d.instances);
    list.push_back(std::move(json));
  }
  if (diagnostics.cut()) {
    list.push_back({{"severity", "note"},
                    {"code", "more-follow"},
                    {"message", "there may be more, the rest was not looked for"},
                    {"help", ""},
                    {"notes", nlohmann::ordered_json::array()}});
  }
  // File names and messages may hold bytes that are not UTF-8.
  return list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace strata
