// Names of features, printed and read back.
#include "framework/tables/feature_name.h"

#include "framework/base/text.h"
#include "framework/tables/csv_table.h"

namespace strata {
namespace {

constexpr std::string_view kSpecial = "=~\\";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (kSpecial.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// Up to the first special character that has no backslash, which stays in `rest`.
std::optional<std::string> unescaped(std::string_view& rest) {
  std::string out;
  while (!rest.empty() && rest[0] != '=' && rest[0] != '~') {
    if (rest[0] == '\\') rest.remove_prefix(1);
    if (rest.empty()) return std::nullopt;
    out += rest[0];
    rest.remove_prefix(1);
  }
  return out;
}

}  // namespace

std::string print_feature(const FeatureName& name) {
  std::string out = escaped(name.column);
  if (name.word) return out + "=" + escaped(*name.word);
  if (name.fill) return out + "~" + print_float(*name.fill);
  return out;
}

std::optional<FeatureName> parse_feature(std::string_view text) {
  FeatureName name;
  auto column = unescaped(text);
  if (!column) return std::nullopt;
  name.column = std::move(*column);
  if (text.empty()) return name;
  const bool is_word = text[0] == '=';
  text.remove_prefix(1);
  if (is_word) {
    name.word = unescaped(text);
    if (!name.word || !text.empty()) return std::nullopt;
  } else {
    name.fill = parse_number(text);
    if (!name.fill) return std::nullopt;
  }
  return name;
}

}  // namespace strata
