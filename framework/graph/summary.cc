// Summaries of graphs: the table and the JSON, made from the same figures.
#include "framework/graph/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "framework/base/text.h"
#include "framework/base/utf8.h"

namespace strata {
namespace {

struct Row {
  std::string path, kind;
  Shape output;
  std::int64_t parameters = 0;
  double flops = 0;
};

struct Figures {
  std::vector<Row> rows;
  std::int64_t parameters = 0, state = 0;
  double flops = 0;
  // Bytes at the batch size: what forward makes and saves; the gradients of it; weights with state;
  // their gradients.
  double activations = 0, activation_gradients = 0, weights = 0, weight_gradients = 0;
};

std::int64_t elements_of(const Shape& shape) { return shape.elements(); }

// The layer with the options that differ from their defaults, and the one that is given by
// position.
std::string describe(const PluginCall& call) {
  const strata_schema& schema = call.entry->schema();
  std::string options;
  for (std::size_t i = 0; i < call.options.size(); ++i) {
    const strata_option& option = schema.options[i];
    if (option.kinds & STRATA_PLUGIN) continue;  // initializers say nothing of the shape of things
    const bool required = (option.flags & STRATA_OPTION_REQUIRED) != 0;
    const std::string value = print_value(call.options[i]);
    if (!required) {
      OptionValue standard;
      const strata_value& given = option.default_value;
      switch (given.kind) {
        case STRATA_BOOL:
          standard.data = given.integer != 0;
          break;
        case STRATA_INT:
          standard.data = given.integer;
          break;
        case STRATA_FLOAT:
          standard.data = given.number;
          break;
        case STRATA_STRING:
          standard.data = std::string(given.text ? given.text : "");
          break;
        case STRATA_NONE:
          break;
        default:
          continue;
      }
      if (print_value(standard) == value) continue;
    }
    if (!options.empty()) options += ", ";
    options += i == 0 ? value : std::string(option.name) + " = " + value;
  }
  return call.entry->name() + (options.empty() ? "" : "(" + options + ")");
}

Figures figures_of(const Graph& graph, std::int64_t batch, Precision precision) {
  Figures figures;
  const double bytes = precision == Precision::kF64 ? 8 : 4;
  const auto batch_size = static_cast<double>(batch);
  for (const GraphNode& node : graph.nodes) {
    Row& row = figures.rows.emplace_back();
    row.path = node.path;
    row.kind = describe(node.layer->call());
    if (!node.outputs.empty())
      row.output = graph.values[static_cast<std::size_t>(node.outputs[0])].shape;
    for (const auto& parameter : node.plan.parameters)
      row.parameters += elements_of(parameter.shape);
    for (const auto& state : node.plan.states) figures.state += elements_of(state.shape);
    row.flops = node.plan.flops;
    figures.parameters += row.parameters;
    figures.flops += row.flops;
    const bool alias = node.plan.has(STRATA_VIEW);
    for (const ValueId id : node.outputs) {
      const auto size =
          static_cast<double>(elements_of(graph.values[static_cast<std::size_t>(id)].shape));
      if (alias) continue;
      figures.activations += size * batch_size * bytes;
      figures.activation_gradients += size * batch_size * bytes;
    }
    for (const auto& saved : node.plan.saved) {
      figures.activations +=
          (static_cast<double>(saved.per_sample) * batch_size + static_cast<double>(saved.fixed)) *
          bytes;
    }
  }
  for (const ValueId id : graph.inputs) {
    figures.activations +=
        static_cast<double>(elements_of(graph.values[static_cast<std::size_t>(id)].shape)) *
        batch_size * bytes;
  }
  figures.weights = static_cast<double>(figures.parameters + figures.state) * bytes;
  figures.weight_gradients = static_cast<double>(figures.parameters) * bytes;
  return figures;
}

// "1.2 M"
std::string scaled(double number) {
  static constexpr const char* kUnits[] = {"", " k", " M", " G", " T", " P"};
  std::size_t unit = 0;
  while (number >= 999.5 && unit + 1 < std::size(kUnits)) {
    number /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f}", number)
                   : fmt::format("{:.{}f}{}", number,
                                 number < 9.995   ? 2
                                 : number < 99.95 ? 1
                                                  : 0,
                                 kUnits[unit]);
}

std::string bytes_text(double number) {
  static constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  while (number >= 1023.5 && unit + 1 < std::size(kUnits)) {
    number /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} {}", number, kUnits[0])
                   : fmt::format("{:.{}f} {}", number,
                                 number < 9.995   ? 2
                                 : number < 99.95 ? 1
                                                  : 0,
                                 kUnits[unit]);
}

std::string batch_shape(const Shape& shape) {
  std::string out = "[batch";
  for (const std::int64_t dim : shape) out += fmt::format(", {}", dim);
  return out + "]";
}

// Cells on a terminal.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

class Table {
 public:
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  void rule() { rows_.emplace_back(); }

  // The first `left` columns are aligned to the left.
  std::string text(std::size_t left) const {
    std::vector<std::size_t> widths;
    for (const auto& cells : rows_) {
      widths.resize(std::max(widths.size(), cells.size()), 0);
      for (std::size_t i = 0; i < cells.size(); ++i)
        widths[i] = std::max(widths[i], width_of(cells[i]));
    }
    std::size_t total = 0;
    for (const std::size_t width : widths) total += width + 2;
    std::string out;
    for (const auto& cells : rows_) {
      std::string line;
      if (cells.empty()) {
        for (std::size_t i = 2; i < total; ++i) line += "─";
      }
      for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::string pad(widths[i] - width_of(cells[i]), ' ');
        line += (i ? "  " : "") + (i < left ? cells[i] + pad : pad + cells[i]);
      }
      while (!line.empty() && line.back() == ' ') line.pop_back();
      out += line + "\n";
    }
    return out;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

std::string shorten(const std::string& text, std::size_t most) {
  if (width_of(text) <= most) return text;
  std::string out;
  for (std::size_t i = 0, cells = 0; i < text.size(); ++i) {
    if ((text[i] & 0xC0) != 0x80 && ++cells >= most) break;
    out += text[i];
  }
  return out + "…";
}

}  // namespace

std::string summary_table(const Graph& graph, std::int64_t batch_size, Precision precision) {
  const Figures figures = figures_of(graph, batch_size, precision);
  Table table;
  table.row({"layer", "kind", "output", "parameters", "FLOPs"});
  table.rule();
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    const Shape& shape = graph.values[static_cast<std::size_t>(graph.inputs[i])].shape;
    table.row({graph.input_names[i], "input", batch_shape(shape), "", ""});
  }
  for (const Row& row : figures.rows) {
    table.row({row.path, shorten(row.kind, 40), batch_shape(row.output),
               row.parameters ? grouped(row.parameters) : "–",
               row.flops > 0 ? scaled(row.flops) : "–"});
  }
  table.rule();
  table.row({"total",
             fmt::format("{} layers", grouped(static_cast<std::int64_t>(figures.rows.size()))), "",
             grouped(figures.parameters), scaled(figures.flops)});
  std::string out = fmt::format("model {}\n\n", graph.name) + table.text(3);
  out += fmt::format("\nforward   {} FLOPs per sample\n", scaled(figures.flops));
  out += fmt::format(
      "weights   {} and {} of gradients, in {}{}\n", bytes_text(figures.weights),
      bytes_text(figures.weight_gradients), precision == Precision::kF64 ? "f64" : "f32",
      figures.state ? fmt::format("; {} values of state among them", grouped(figures.state)) : "");
  out += fmt::format("values    {} and {} of gradients, at batch size {}\n",
                     bytes_text(figures.activations), bytes_text(figures.activation_gradients),
                     batch_size);
  return out;
}

std::string summary_json(const Graph& graph, std::int64_t batch_size, Precision precision) {
  const Figures figures = figures_of(graph, batch_size, precision);
  const auto shape_json = [](const Shape& shape) {
    return nlohmann::ordered_json(std::vector<std::int64_t>(shape.begin(), shape.end()));
  };
  nlohmann::ordered_json json;
  json["model"] = graph.name;
  json["inputs"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    json["inputs"].push_back(
        {{"name", graph.input_names[i]},
         {"shape", shape_json(graph.values[static_cast<std::size_t>(graph.inputs[i])].shape)}});
  }
  json["outputs"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    json["outputs"].push_back(
        {{"name", graph.output_names[i]},
         {"shape", shape_json(graph.values[static_cast<std::size_t>(graph.outputs[i])].shape)}});
  }
  json["layers"] = nlohmann::ordered_json::array();
  for (const GraphNode& node : graph.nodes) {
    nlohmann::ordered_json layer;
    layer["path"] = node.path;
    layer["kind"] = node.layer->entry().name();
    layer["call"] = print_call(node.layer->call());
    layer["inputs"] = nlohmann::ordered_json::array();
    for (const ValueId id : node.inputs) {
      layer["inputs"].push_back(graph.values[static_cast<std::size_t>(id)].name);
    }
    layer["outputs"] = nlohmann::ordered_json::array();
    for (const ValueId id : node.outputs) {
      layer["outputs"].push_back(shape_json(graph.values[static_cast<std::size_t>(id)].shape));
    }
    layer["parameters"] = nlohmann::ordered_json::array();
    for (const auto& parameter : node.plan.parameters) {
      layer["parameters"].push_back(
          {{"name", node.path + "." + parameter.name}, {"shape", shape_json(parameter.shape)}});
    }
    layer["flops"] = node.plan.flops;
    json["layers"].push_back(std::move(layer));
  }
  json["total"] = {{"layers", static_cast<std::int64_t>(figures.rows.size())},
                   {"parameters", figures.parameters},
                   {"state", figures.state},
                   {"flops_per_sample", figures.flops},
                   {"batch_size", batch_size},
                   {"precision", precision == Precision::kF64 ? "f64" : "f32"},
                   {"weight_bytes", figures.weights},
                   {"weight_gradient_bytes", figures.weight_gradients},
                   {"value_bytes", figures.activations},
                   {"value_gradient_bytes", figures.activation_gradients}};
  return json.dump(2) + "\n";
}

}  // namespace strata
