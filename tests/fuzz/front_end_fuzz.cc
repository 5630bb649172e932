// The laws of the front end, over any bytes: parse, print, parse again, elaborate, render.
// libFuzzer drives it (run.sh), and replay_test runs it over the corpus in every build.
//
// What stands behind a byte 0x1E (record separator) is an override, as on the command line; the
// rest is the model file. A law that is broken ends the process: that is what libFuzzer notices.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/diagnostic.h"
#include "framework/base/utf8.h"
#include "framework/dsl/dump.h"
#include "framework/dsl/parser.h"
#include "framework/dsl/printer.h"
#include "framework/graph/program.h"
#include "framework/graph/summary.h"

namespace strata {
namespace {

constexpr char kOverrideMark = '\x1E';
constexpr std::size_t kMaxOverrides = 8;
constexpr int kMaxErrors = 20;            // most of the time goes into rendering them
constexpr std::size_t kNameLength = 120;  // of a code or a path: longer is no name

[[noreturn]] void broken(std::string_view law, std::string_view left = {},
                         std::string_view right = {}) {
  std::fprintf(stderr, "broken law: %.*s\n", static_cast<int>(law.size()), law.data());
  for (const std::string_view side : {left, right}) {
    if (!side.empty())
      std::fprintf(stderr, "---\n%.*s\n", static_cast<int>(side.size()), side.data());
  }
  std::abort();
}

void require(bool holds, std::string_view law, std::string_view left = {},
             std::string_view right = {}) {
  if (!holds) broken(law, left, right);
}

void require(bool holds, std::string_view law, const Diagnostic& diagnostic) {
  if (!holds) broken(law, render(diagnostic));
}

void check_span(Span span, const Diagnostic& diagnostic) {
  require(span.begin <= span.end, "a span begins before it ends", diagnostic);
  require(span.end <= span.file->text().size(), "a span ends inside its file", diagnostic);
  const SourceFile::Position begin = span.file->position(span.begin),
                             end = span.file->position(span.end);
  require(begin.line >= 1 && begin.line <= span.file->line_count(),
          "a diagnostic's line is one of its file", diagnostic);
  require(begin.column >= 1 && end.column >= 1, "columns are counted from 1", diagnostic);
  require(begin.line < end.line || (begin.line == end.line && begin.column <= end.column),
          "a span's last place is not before its first", diagnostic);
}

void check_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Char next = decode_utf8(text.substr(i));
    require(next.valid, "what is rendered is UTF-8", text);
    const char32_t c = next.code_point;
    require(c == '\n' || (c >= 0x20 && c != 0x7F && !(c >= 0x80 && c < 0xA0)),
            "what is rendered has no control characters but line ends", text);
    i += next.size;
  }
}

void check_diagnostics(const Diagnostics& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    require(!diagnostic.code.empty() && diagnostic.code.size() < kNameLength,
            "every diagnostic has a code", diagnostic);
    require(diagnostic.code.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
                std::string::npos,
            "codes are kebab-case", diagnostic);
    require(!diagnostic.message.empty(), "every diagnostic has a message", diagnostic);
    require(diagnostic.span.file != nullptr, "every diagnostic has a place", diagnostic);
    check_span(diagnostic.span, diagnostic);
    for (const Note& note : diagnostic.notes) {
      require(!note.message.empty(), "every note has a message", diagnostic);
      if (note.span.file) check_span(note.span, diagnostic);
    }
    for (const Note& instance : diagnostic.instances) {
      if (instance.span.file) check_span(instance.span, diagnostic);
    }
  }
  const std::string text = render(diagnostics);
  check_text(text);
  require(text.empty() == diagnostics.all().empty(), "diagnostics render, and nothing else does",
          text);
  const std::string json = render_json(diagnostics);
  require(nlohmann::json::accept(json), "diagnostics as JSON are JSON", json);
}

// Parses a printed tree: the same tree, without errors, and the same text again.
void check_printed(const dsl::File& file) {
  const std::string text = dsl::print(file);
  const SourceFile source("printed.model", text);
  Diagnostics diagnostics;
  const dsl::File again = dsl::parse_file(source, diagnostics);
  require(diagnostics.all().empty(), "a printed file parses", text, render(diagnostics));
  const std::string wanted = dsl::dump(file), found = dsl::dump(again);
  require(wanted == found, "parse after print is the identity", wanted, found);
  require(dsl::equal(file, again), "trees with equal dumps are equal", text);
  const std::string twice = dsl::print(again);
  require(text == twice, "print is idempotent", text, twice);
}

ElaborateOptions small_limits() {
  ElaborateOptions options;
  options.max_nodes = 500;
  options.max_work = 200'000;
  options.allow_files = false;
  options.any_file = true;
  return options;
}

void check_program(const Program& program, const Registry& registry) {
  const Graph& graph = program.graph;
  for (const GraphNode& node : graph.nodes) {
    require(!node.path.empty() && node.layer != nullptr, "every node has a path and a layer");
    for (const ValueId id : node.inputs) {
      require(id >= 0 && static_cast<std::size_t>(id) < graph.values.size(),
              "every node reads values of the graph");
    }
  }
  check_text(summary_table(graph, 64, program.train.precision));
  require(nlohmann::json::accept(summary_json(graph, 64, program.train.precision)),
          "a summary as JSON is JSON");

  Sources sources;
  Diagnostics diagnostics;
  ElaborateOptions options = small_limits();
  const auto again =
      elaborate_text("resolved.model", program.resolved, registry, sources, diagnostics, options);
  require(again.ok(), "a resolved file can be read", program.resolved);
  require(!diagnostics.has_errors(), "a resolved file has no errors", program.resolved,
          render(diagnostics));
  require(again->has_value(), "a resolved file is a program", program.resolved);
  require((*again)->resolved == program.resolved, "a resolved file resolves to itself",
          program.resolved, (*again)->resolved);
  require((*again)->graph.nodes.size() == graph.nodes.size(), "a resolved file has the same layers",
          program.resolved);
}

void check_elaboration(const std::string& text, std::vector<std::string> overrides,
                       const Registry& registry) {
  Sources sources;
  Diagnostics diagnostics(kMaxErrors);
  ElaborateOptions options = small_limits();
  options.overrides = std::move(overrides);
  const auto program = elaborate_text("fuzz.model", text, registry, sources, diagnostics, options);
  check_diagnostics(diagnostics);
  require(program.ok(), "a text is a program or has diagnostics", text);
  require(!diagnostics.has_errors() || !program->has_value(), "what has errors is no program",
          render(diagnostics));
  if (program->has_value()) check_program(**program, registry);
}

}  // namespace
}  // namespace strata

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strata;  // NOLINT: the entry
  static const Registry registry = Registry::builtin();

  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string text(bytes.substr(0, bytes.find(kOverrideMark)));
  std::vector<std::string> overrides;
  for (std::size_t at = bytes.find(kOverrideMark);
       at != bytes.npos && overrides.size() < kMaxOverrides;) {
    const std::size_t end = bytes.find(kOverrideMark, at + 1);
    overrides.emplace_back(bytes.substr(at + 1, end == bytes.npos ? end : end - at - 1));
    at = end;
  }

  {
    const SourceFile source("fuzz.model", text);
    Diagnostics diagnostics;
    const dsl::File file = dsl::parse_file(source, diagnostics);
    if (diagnostics.has_errors()) {  // check_elaboration looks at them
      dsl::print(file);  // of what is sound: it need not parse, but neither may it crash
    } else {
      check_printed(file);
    }
  }
  check_elaboration(text, std::move(overrides), registry);
  return 0;
}
