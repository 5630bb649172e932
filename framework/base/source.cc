// Positions in a source text: lines found once, columns counted where they are asked for.
#include "framework/base/source.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "framework/base/utf8.h"

namespace strata {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

SourceFile::SourceFile(std::string name, std::string text)
    : name_(std::move(name)), text_(std::move(text)) {
  if (std::string_view(text_).starts_with(kByteOrderMark)) text_.erase(0, kByteOrderMark.size());
  // Line ends of old Macs: a carriage return alone. Offsets stay what they are.
  if (text_.find('\n') == std::string::npos) std::replace(text_.begin(), text_.end(), '\r', '\n');
  line_starts_.push_back(0);
  // Offsets are 32-bit: what lies beyond them belongs to the last line (the parser refuses such
  // files anyway).
  const std::size_t end =
      std::min<std::size_t>(text_.size(), std::numeric_limits<std::uint32_t>::max());
  for (std::size_t i = 0; i < end; ++i) {
    if (text_[i] == '\n') line_starts_.push_back(static_cast<std::uint32_t>(i + 1));
  }
}

SourceFile::Position SourceFile::position(std::uint32_t offset) const {
  offset = static_cast<std::uint32_t>(std::min<std::size_t>(offset, text_.size()));
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  Position position;
  position.line = static_cast<int>(after - line_starts_.begin());
  const std::string_view whole = line(position.line);
  std::size_t left = std::min<std::size_t>(offset - line_starts_[position.line - 1], whole.size());
  for (std::string_view rest = whole; left > 0;) {
    const Utf8Char next = decode_utf8(rest);
    if (next.size > left) break;  // inside a character
    position.column = next.code_point == '\t'
                          ? (position.column - 1) / kTabWidth * kTabWidth + kTabWidth + 1
                          : position.column + 1;
    rest.remove_prefix(next.size);
    left -= next.size;
  }
  return position;
}

std::string_view SourceFile::line(int number) const {
  if (number < 1 || number > line_count()) return {};
  const std::size_t begin = line_starts_[number - 1];
  std::size_t end = number == line_count() ? text_.size() : line_starts_[number] - 1;
  if (end > begin && text_[end - 1] == '\r') --end;
  return std::string_view(text_).substr(begin, end - begin);
}

Span cover(Span first, Span last) {
  if (!first.file) return last;
  if (!last.file) return first;
  return {first.file, std::min(first.begin, last.begin), std::max(first.end, last.end)};
}

const SourceFile& Sources::add(std::string name, std::string text) {
  return *files_.emplace_back(std::make_unique<SourceFile>(std::move(name), std::move(text)));
}

}  // namespace strata
