#include "framework/app/completion.h"

#include <map>

namespace strata::app {
namespace {

// What the placeholders of words and options stand for.
Slot::Kind kind_of(std::string_view name, Place place) {
  static const std::map<std::string_view, Slot::Kind> kKinds = {
      {"FILE", Slot::kFile},    {"INPUT", Slot::kFile},    {"MODEL", Slot::kModel},
      {"RUN", Slot::kRun},      {"WEIGHTS", Slot::kRun},   {"DIR", Slot::kFolder},
      {"NAME", Slot::kName},    {"N", Slot::kNothing},     {"K", Slot::kNothing},
      {"RATE", Slot::kNothing}, {"BYTES", Slot::kNothing}, {"COMMAND", Slot::kCommand},
      {"PLUGIN", Slot::kFile},  {"STUDY", Slot::kNothing}, {"FROM=TO", Slot::kNothing},
  };
  if (name == "FILE" && place == Place::kWord) return Slot::kModel;
  const auto at = kKinds.find(name);
  return at == kKinds.end() ? Slot::kUnknown : at->second;
}

constexpr std::string_view kEllipsis = "…";

std::string_view cut(std::string_view& rest, char divider) {
  const std::size_t end = rest.find(divider);
  const std::string_view piece = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return piece;
}

}  // namespace

Slot slot_of(std::string_view placeholder, Place place) {
  Slot slot;
  while (!placeholder.empty()) {
    std::string_view piece = cut(placeholder, '|');
    if (piece == kEllipsis) continue;  // "and others"
    if (piece.ends_with(kEllipsis)) {
      slot.repeated = true;
      piece.remove_suffix(kEllipsis.size());
    }
    if (piece.find_first_of("abcdefghijklmnopqrstuvwxyz") != std::string_view::npos) {
      slot.choices.emplace_back(piece);
    } else {
      slot.kind = kind_of(piece, place);
    }
  }
  return slot;
}

std::vector<Slot> word_slots(const Command& command) {
  std::vector<Slot> slots;
  for (std::string_view rest = command.usage; !rest.empty();) {
    std::string_view token = cut(rest, ' ');
    if (token.starts_with("--")) {
      cut(rest, ' ');  // its value
      continue;
    }
    if (token.find('=') != std::string_view::npos || token == "…]") continue;  // [path=value …]
    if (token.starts_with('[')) token.remove_prefix(1);
    if (token.ends_with(']')) token.remove_suffix(1);
    slots.push_back(slot_of(token, Place::kWord));
  }
  return slots;
}

}  // namespace strata::app
