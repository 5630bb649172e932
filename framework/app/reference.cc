#include "framework/app/reference.h"

#include <map>

#include "framework/app/catalog.h"

namespace strata::app {
namespace {

// Text that Markdown would take for markup, outside `code`.
std::string prose(std::string_view text) {
  std::string out;
  bool code = false;
  for (const char c : text) {
    if (c == '`') code = !code;
    if (c == '|' || (!code && (c == '<' || c == '*'))) out += '\\';
    out += c;
  }
  return out;
}

std::string code(std::string_view text) {
  return "`" + prose("`" + std::string(text) + "`").substr(1);
}

std::string capitalized(std::string_view text) {
  std::string out(text);
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 32);
  return out;
}

// The anchors that GitHub gives headings, in the order of the page.
class Anchors {
 public:
  std::string next(std::string_view heading) {
    std::string out;
    for (const char c : heading)
      out += c == ' ' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    const int earlier = used_[out]++;
    return earlier == 0 ? out : fmt::format("{}-{}", out, earlier);
  }

 private:
  std::map<std::string, int> used_;
};

// A default in the language, or in words where it depends on something.
std::string default_cell(const std::string& value) {
  if (value.empty()) return "required";
  const bool words =
      value.find(' ') != std::string::npos && value.find_first_of("[\"(") == std::string::npos;
  return words ? prose(value) : code(value);
}

std::string options_table(std::string_view title, const std::vector<OptionText>& options) {
  std::string out = fmt::format("| {} | type | default | meaning |\n|---|---|---|---|\n", title);
  for (const OptionText& option : options) {
    out += fmt::format("| {} | {} | {} | {} |\n", code(option.name), prose(option.type),
                       default_cell(option.default_value), prose(option.doc));
  }
  return out;
}

std::string fenced(std::string_view text, std::string_view language = "") {
  const bool ends = text.ends_with('\n');
  return fmt::format("```{}\n{}{}```\n", language, text, ends ? "" : "\n");
}

std::string entry_section(const Entry& entry) {
  const EntryText text = describe(entry);
  std::string out = fmt::format("### {}\n\n{}\n", text.name, prose(text.sentence));
  if (!text.more.empty()) out += "\n" + prose(text.more) + "\n";
  out += "\n" + fenced(text.signature);
  if (!text.options.empty()) out += "\n" + options_table("option", text.options);
  if (!text.example.empty() && text.example != text.signature)
    out += "\nExample:\n\n" + fenced(text.example);
  return out + "\n";
}

std::string diagnostic_section(const DiagnosticDoc& doc) {
  std::string out = fmt::format("### {}\n\n{}.\n\n{}\n", doc.code, capitalized(prose(doc.title)),
                                prose(doc.text));
  if (!doc.wrong.empty()) out += "\nWrong:\n\n" + fenced(doc.wrong);
  if (!doc.right.empty()) out += "\nRight:\n\n" + fenced(doc.right);
  return out + "\n";
}

}  // namespace

std::string reference_page(const Registry& registry) {
  std::string contents, body;
  Anchors anchors;
  const auto section = [&](std::string_view title, const std::vector<std::string>& names) {
    contents += fmt::format("- [{}](#{})", title, anchors.next(title));
    for (std::size_t i = 0; i < names.size(); ++i) {
      contents += fmt::format("{}[{}](#{})", i ? ", " : ": ", names[i], anchors.next(names[i]));
    }
    contents += "\n";
    body += fmt::format("## {}\n\n", title);
  };
  for (const auto& [kind, entries] : by_kind(registry)) {
    std::vector<std::string> names;
    for (const Entry* entry : entries) names.push_back(entry->name());
    section(capitalized(kind_plural(kind)), names);
    for (const Entry* entry : entries) body += entry_section(*entry);
  }
  section("Settings of a train section", {});
  body += options_table("setting", train_settings()) + "\n";
  const auto diagnostics = diagnostic_docs();
  section("Errors and warnings", {});
  body +=
      "The code stands in brackets at the end of a message; `trainer explain CODE` prints the "
      "same.\n\n";
  for (const DiagnosticDoc& doc : diagnostics) body += diagnostic_section(doc);

  std::string page =
      "# Reference\n\n"
      "<!-- Generated: do not edit. `./bazelw run //:trainer -- reference > docs/reference.md` "
      "writes it anew. -->\n\n"
      "Everything that a model file can name. `trainer explain NAME` prints the same of one "
      "name.\n\n" +
      contents + "\n" + body;
  while (page.ends_with("\n\n")) page.pop_back();
  return page;
}

}  // namespace strata::app
