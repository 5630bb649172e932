// trainer graph: a model as a picture.
#include <algorithm>
#include <boost/program_options/value_semantic.hpp>

#include "framework/app/files.h"
#include "framework/app/format.h"
#include "framework/app/model_files.h"
#include "framework/base/utf8.h"
#include "framework/drawing/drawing.h"

namespace strata::app {
namespace {

namespace po = boost::program_options;

void options(po::options_description_easy_init add) {
  add("output,o", po::value<std::string>()->value_name("FILE"),
      "write to this file; standard output by default");
  add("format", po::value<std::string>()->value_name("svg|dot"),
      "what the name of the output says by default, dot on standard output");
  add("depth", po::value<std::string>()->value_name("N"),
      "open N levels of blocks and draw deeper ones as one card each, with totals; all by default");
}

enum class Format { kSvg, kDot };

Format format_of(const Invocation& invocation, const std::string& output) {
  if (invocation.has("format")) {
    const std::string name = invocation.text("format");
    if (name == "svg") return Format::kSvg;
    if (name == "dot") return Format::kDot;
    usage_failure(fmt::format("`--format` takes svg or dot; found `{}`", safe_text(name)));
  }
  if (output.empty() || output == "-" || output.ends_with(".dot") || output.ends_with(".gv"))
    return Format::kDot;
  if (output.ends_with(".svg")) return Format::kSvg;
  usage_failure(fmt::format("the name `{}` does not say what to write", safe_text(output)),
                "let it end in .svg or .dot, or give --format");
}

ExitCode run(Invocation& invocation) {
  const std::string& path = invocation.only_word("a model file");
  const std::string output = invocation.text("output");
  if (invocation.has("output") && output.empty())
    usage_failure("`--output` needs the name of a file");
  const Format format = format_of(invocation, output);
  DrawingOptions drawing;
  drawing.depth = static_cast<int>(
      std::min<std::int64_t>(invocation.integer("depth", drawing.depth, 0), drawing.depth));
  const auto loaded = load_model(invocation, path);
  const Graph& graph = loaded->program.graph;
  const std::string text =
      format == Format::kSvg ? draw_svg(graph, drawing) : draw_dot(graph, drawing);
  if (output.empty() || output == "-") {
    invocation.console().out(text);
    return ExitCode::kDone;
  }
  end_unless(write_output(output, text));
  invocation.console().out(fmt::format(
      "{}: {} with {} layers and {} parameters\n", output, graph.name,
      grouped(static_cast<std::int64_t>(graph.nodes.size())), grouped(graph.parameter_count())));
  return ExitCode::kDone;
}

}  // namespace

const Command kGraphCommand = {
    .name = "graph",
    .summary = "draw a model as SVG, or write it for Graphviz",
    .usage = "FILE [path=value …]",
    .about =
        "Draws the layers of a model from top to bottom, with the shapes of their outputs and how "
        "many numbers they\n"
        "learn; blocks are boxes around their layers. SVG needs no other program and follows the "
        "viewer's light or dark\n"
        "setting; DOT is for Graphviz. Without --output, DOT goes to standard output. Reads no "
        "data.\n",
    .examples =
        "graph models/residual_mlp.model --output residual_mlp.svg\n"
        "graph models/residual_mlp.model depth=8 --depth 1 --output residual_mlp.svg\n"
        "graph models/mnist_mlp.model | dot -Tpdf > mnist_mlp.pdf\n",
    .overrides = true,
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
