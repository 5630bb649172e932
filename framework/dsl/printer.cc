// Files and sections in canonical form. Expressions and flows are laid out in layout.cc.
#include "framework/dsl/printer.h"

#include <algorithm>
#include <optional>

#include "framework/dsl/layout.h"

namespace strata::dsl {
namespace {

// One line or several, with the comment that stands behind it.
struct Item {
  const Trivia* trivia = nullptr;
  std::string text;
};

bool same_group(const Trivia& trivia) { return !trivia.blank_before && trivia.before.empty(); }

// Calls `group(begin, end)` for the runs of elements between which no blank line and no comment
// stands.
template <class Elements, class Group>
void for_groups(const Elements& elements, Group group) {
  std::size_t begin = 0;
  for (std::size_t i = 1; i <= elements.size(); ++i) {
    if (i < elements.size() && same_group(elements[i].trivia)) continue;
    if (begin < i) group(begin, i);
    begin = i;
  }
}

std::string padded(std::string text, int width) {
  text.append(static_cast<std::size_t>(std::max(0, width - text_width(text))), ' ');
  return text;
}

class FilePrinter {
 public:
  std::string run(const File& file) {
    std::vector<Item> items;
    for (const Section& section : file.sections) {
      items.push_back(
          {&section.trivia,
           std::visit([&](const auto& node) { return text(node, section); }, section.node)});
    }
    write(items, 0);
    write_comments(out_, file.closing, 0);
    return std::move(out_);
  }

 private:
  // The elements of a file or a section: blank lines and comments above, comments behind aligned
  // within a group.
  void write(const std::vector<Item>& items, int indent) {
    std::size_t begin = 0;
    for (std::size_t i = 1; i <= items.size(); ++i) {
      if (i < items.size() && same_group(*items[i].trivia)) continue;
      if (begin < i) write_group(items, begin, i, indent);
      begin = i;
    }
  }

  void write_group(const std::vector<Item>& items, std::size_t begin, std::size_t end, int indent) {
    int column = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const bool one_line = items[i].text.find('\n') == std::string::npos;
      if (one_line && !items[i].trivia->after.empty())
        column = std::max(column, indent + text_width(items[i].text) + 2);
    }
    for (std::size_t i = begin; i < end; ++i) {
      const Trivia& trivia = *items[i].trivia;
      if (trivia.blank_before) out_ += '\n';
      write_comments(out_, trivia.before, indent);
      const std::size_t line = out_.size();
      out_.append(static_cast<std::size_t>(indent), ' ');
      out_ += items[i].text;
      if (!trivia.after.empty()) {
        const bool one_line = items[i].text.find('\n') == std::string::npos;
        const int width = text_width(std::string_view(out_).substr(line));
        out_.append(one_line ? static_cast<std::size_t>(column - width) : 2, ' ');
        out_ += comment_text(trivia.after);
      }
      out_ += '\n';
    }
  }

  std::string braced(std::string head, const Section& section, const std::vector<Item>& items,
                     const std::vector<std::string>& closing) {
    FilePrinter inner;
    inner.write(items, kIndent);
    write_comments(inner.out_, closing, kIndent);
    head += " {";
    if (!section.trivia.opening.empty()) head += "  " + comment_text(section.trivia.opening);
    return head + "\n" + inner.out_ + "}";
  }

  std::string text(const FormatSection& section, const Section&) {
    return "format " + print(section.version);
  }
  std::string text(const IncludeSection& section, const Section&) {
    return "include " + print_string(section.path.value);
  }
  std::string text(const RequireSection& section, const Section&) {
    std::string result = "require " + print_string(section.plugin.value);
    if (!section.comparison.empty()) result += " " + section.comparison + " " + section.version;
    return result;
  }
  std::string text(const LetSection& section, const Section&) {
    const std::string head = "let " + section.name.text + " = ";
    return head + layout(section.value, {text_width(head), 0, 0});
  }
  std::string text(const ParamSection& section, const Section&) {
    std::string head = "param " + section.name.text + ": " + section.type.text + " = ";
    if (!section.domain) return head + layout(section.value, {text_width(head), 0, 0});
    head += print_operand(section.value, kRangeLevel) + " in ";
    return head + layout_operand(*section.domain, kRangeLevel, {text_width(head), 0, 0});
  }
  std::string text(const DataSection& section, const Section&) {
    const std::string head = "data " + section.name.text + " = ";
    return head + layout_statement(section.flow, text_width(head));
  }

  template <class Parts>
  std::string header(std::string head, const Parts& parts, const std::vector<Name>& outputs) {
    std::string tail = ") -> ";
    for (const Name& output : outputs)
      tail += (&output == &outputs.front() ? "" : ", ") + output.text;
    std::string line = head + "(";
    bool comments = false;
    for (const auto& part : parts) {
      line += (&part == &parts.front() ? "" : ", ") + text(part);
      comments = comments || !part.trivia.before.empty() || !part.trivia.after.empty();
    }
    if (!comments && text_width(line) + text_width(tail) + 2 <= kLongest) return line + tail;
    line = head + "(\n";
    for (const auto& part : parts) {
      write_comments(line, part.trivia.before, kIndent);
      line += std::string(kIndent, ' ') + text(part) + ",";
      if (!part.trivia.after.empty()) line += "  " + comment_text(part.trivia.after);
      line += '\n';
    }
    return line + tail;
  }
  std::string text(const BlockParameter& parameter) {
    return parameter.name.text +
           (parameter.default_value ? " = " + print(*parameter.default_value) : "");
  }
  std::string text(const ModelInput& input) { return input.name.text + ": " + print(input.shape); }

  std::string text(const BlockSection& block, const Section& section) {
    return braced(header("block " + block.name.text, block.parameters, block.outputs), section,
                  body(block.body), block.closing);
  }
  std::string text(const ModelSection& model, const Section& section) {
    return braced(header("model " + model.name.text, model.inputs, model.outputs), section,
                  body(model.body), model.closing);
  }

  static std::optional<std::string> targets(const BodyStatement& statement) {
    const auto* flow = std::get_if<FlowStatement>(&statement.node);
    if (!flow || flow->targets.empty()) return {};
    std::string result;
    for (const Name& target : flow->targets) result += (result.empty() ? "" : ", ") + target.text;
    return result;
  }
  std::vector<Item> body(const std::vector<BodyStatement>& statements) {
    std::vector<Item> items;
    for_groups(statements, [&](std::size_t begin, std::size_t end) {
      int width = 0;
      for (std::size_t i = begin; i < end; ++i)
        width = std::max(width, text_width(targets(statements[i]).value_or("")));
      for (std::size_t i = begin; i < end; ++i) {
        const BodyStatement& statement = statements[i];
        std::string head;
        if (const auto* let = std::get_if<LetStatement>(&statement.node)) {
          head = "let " + let->name.text + " = ";
          items.push_back({&statement.trivia,
                           head + layout(let->value, {kIndent + text_width(head), kIndent, 0})});
          continue;
        }
        if (const auto names = targets(statement)) head = padded(*names, width) + " = ";
        const Flow& flow = std::get<FlowStatement>(statement.node).flow;
        items.push_back(
            {&statement.trivia, head + layout_statement(flow, kIndent + text_width(head))});
      }
    });
    return items;
  }

  std::string text(const TrainSection& train, const Section& section) {
    std::vector<Item> items;
    for_groups(train.settings, [&](std::size_t begin, std::size_t end) {
      int width = 0;
      for (std::size_t i = begin; i < end; ++i)
        width = std::max(width, text_width(train.settings[i].key.text));
      for (std::size_t i = begin; i < end; ++i) {
        const Setting& setting = train.settings[i];
        const std::string head = padded(setting.key.text, width) + " = ";
        items.push_back({&setting.trivia,
                         head + layout(setting.value, {kIndent + text_width(head), kIndent, 0})});
      }
    });
    return braced(train.name ? "train " + train.name->text : "train", section, items,
                  train.closing);
  }

  static std::string first_word(const StudyStatement& statement) {
    if (const auto* setting = std::get_if<StudySetting>(&statement.node)) return setting->key.text;
    constexpr const char* kWords[] = {"grid", "zip", "where", "report"};
    return kWords[statement.node.index()];
  }
  std::string text(const StudySection& study, const Section& section) {
    std::vector<Item> items;
    for_groups(study.statements, [&](std::size_t begin, std::size_t end) {
      int width = 0;
      for (std::size_t i = begin; i < end; ++i)
        width = std::max(width, text_width(first_word(study.statements[i])));
      for (std::size_t i = begin; i < end; ++i) {
        const StudyStatement& statement = study.statements[i];
        const std::string head = padded(first_word(statement), width) + " ";
        items.push_back(
            {&statement.trivia,
             std::visit([&](const auto& node) { return study_text(head, node); }, statement.node)});
      }
    });
    return braced("study " + study.name.text, section, items, study.closing);
  }

  static std::string bound(const std::string& head, const Expr& value) {
    return head + layout(value, {kIndent + text_width(head), kIndent, 0});
  }
  std::string study_text(const std::string& head, const GridStatement& grid) {
    return bound(head + grid.path.text() + " = ", grid.values);
  }
  std::string study_text(const std::string& head, const ZipStatement& zip) {
    std::string paths;
    for (const Path& path : zip.paths) paths += (paths.empty() ? "" : ", ") + path.text();
    return bound(head + "(" + paths + ") = ", zip.values);
  }
  std::string study_text(const std::string& head, const WhereStatement& where) {
    return bound(head, where.condition);
  }
  std::string study_text(const std::string& head, const StudySetting& setting) {
    return bound(head + "= ", setting.value);
  }
  std::string study_text(const std::string& head, const ReportStatement& report) {
    const int indent = kIndent + text_width(head);
    std::string result = head;
    int column = indent;
    for (const Path& path : report.paths) {
      const bool last = &path == &report.paths.back();
      const int width = text_width(path.text()) + (last ? 0 : 1);
      if (&path != &report.paths.front()) {
        const bool fits = column + 1 + width <= kColumns;
        result += fits ? " " : "\n" + std::string(static_cast<std::size_t>(indent), ' ');
        column = fits ? column + 1 : indent;
      }
      result += path.text() + (last ? "" : ",");
      column += width;
    }
    return result;
  }

  std::string out_;
};

}  // namespace

std::string print(const File& file) { return FilePrinter().run(file); }

}  // namespace strata::dsl
