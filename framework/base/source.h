// A source text, positions in it, and spans. Offsets are bytes; columns are counted as an editor
// shows them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace strata {

// A file's text (or an override from the command line), loaded once and shared by all spans into
// it. A leading byte-order mark is skipped and Windows line ends are kept but never counted as
// columns.
class SourceFile {
 public:
  SourceFile(std::string name, std::string text);

  const std::string& name() const { return name_; }  // as shown in messages
  std::string_view text() const { return text_; }

  struct Position {
    int line = 1;    // from 1
    int column = 1;  // from 1; code points, a tab advances to the next multiple of 4 plus 1
  };
  Position position(std::uint32_t offset) const;
  std::string_view line(int number) const;  // without its line end; number from 1
  int line_count() const { return static_cast<int>(line_starts_.size()); }

 private:
  std::string name_;
  std::string text_;
  std::vector<std::uint32_t> line_starts_;
};

// Part of a source: bytes [begin, end). `file` is null where there is no text (built-in defaults).
// Spans do not own their file: the Sources table (or the tree's owner) outlives them.
struct Span {
  const SourceFile* file = nullptr;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  std::string_view text() const {
    return file ? file->text().substr(begin, end - begin) : std::string_view{};
  }
};

// The smallest span that covers both; they are of one file.
Span cover(Span first, Span last);

// Owns every text of one run of the front end.
class Sources {
 public:
  const SourceFile& add(std::string name, std::string text);

 private:
  std::vector<std::unique_ptr<SourceFile>> files_;
};

}  // namespace strata
