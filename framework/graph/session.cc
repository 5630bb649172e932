// Reporting, each mistake once.
#include "framework/graph/session.h"

#include <fmt/format.h>

#include <algorithm>

namespace strata::graph {
namespace {

constexpr std::size_t kMaxFrames = 10;

std::string key_of(const std::string& code, Span span, const std::string& message) {
  return fmt::format("{}\n{}\n{}\n{}\n{}", code, static_cast<const void*>(span.file), span.begin,
                     span.end, message);
}

}  // namespace

Diagnostic& Session::error(std::string code, Span span, std::string message) {
  // What a syntax error kept from being read has no place: it was reported there.
  if (!span.file && has_errors()) return nothing();
  if (!seen_.insert(key_of(code, span, message)).second) return nothing();
  places_.insert(place_of(span));
  Diagnostic& added = diagnostics_.error(std::move(code), span, std::move(message));
  // Of a tall stack the innermost ones, and where it all began.
  const std::size_t tall = frames.size(), shown = tall > kMaxFrames ? kMaxFrames - 1 : tall;
  for (std::size_t i = 0; i < shown; ++i)
    added.instances.push_back({frames[tall - 1 - i].span, frames[tall - 1 - i].what});
  if (shown < tall) {
    added.instances.push_back({{}, fmt::format("… {} more …", tall - shown - 1)});
    added.instances.push_back({frames[0].span, frames[0].what});
  }
  return added;
}

std::string Session::place_of(Span span) {
  return fmt::format("{} {} {}", static_cast<const void*>(span.file), span.begin, span.end);
}

Diagnostic& Session::lint(std::string name, Span span, std::string message) {
  if (!seen_.insert(key_of(name, span, message)).second) return nothing();
  lints_.push_back({Severity::kWarning, std::move(name), span, std::move(message), {}, {}, {}});
  return lints_.back();
}

void Session::flush_lints(const std::vector<std::string>& allow) {
  const bool broken = has_errors();
  for (Diagnostic& lint : lints_) {
    if (std::find(allow.begin(), allow.end(), lint.code) != allow.end()) continue;
    if (broken && lint.code.starts_with("unused-")) continue;
    if (options.strict) lint.severity = Severity::kError;
    diagnostics_.add(std::move(lint));
  }
  lints_.clear();
}

const std::vector<OptionValue>* Session::defaults_of(const Entry& entry, Span span) {
  const auto [at, added] = defaults_.try_emplace(&entry);
  if (!added) return &at->second;
  for (std::int64_t i = 0; i < entry.schema().option_count; ++i) {
    const strata_option& option = entry.schema().options[i];
    OptionValue value;
    if (!(option.flags & STRATA_OPTION_REQUIRED)) {
      Result<OptionValue> made = default_value(option, registry);
      if (!made) {
        error("bad-default", span, made.error().message).help = made.error().hint;
        defaults_.erase(at);
        return nullptr;
      }
      value = std::move(*made);
    }
    at->second.push_back(std::move(value));
  }
  return &at->second;
}

bool Session::spend(std::int64_t work, Span span) {
  if (work_ > options.max_work) return false;
  work_ += work;
  if (work_ <= options.max_work) return true;
  error("too-much-work", span, "the expressions of this file take too long to evaluate");
  return false;
}

}  // namespace strata::graph
