// Charts as files: SVG that stands alone, on a ground of its own, so that it is legible on pages of
// any colour, with its legend inside.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/report/chart.h"
#include "framework/report/comparison.h"

namespace strata::report {

struct SvgFile {
  std::string name;  // "val-accuracy-epochs.svg", "val-accuracy-against-train.batch_size.svg"
  std::string text;
};

// Every curve over epochs, steps and seconds, figures against settings, heat maps. The same runs
// give the same bytes.
std::vector<SvgFile> svg_files(const Comparison& all);

// One chart as such a file; `seeds`: its bands go from the lowest to the highest of several seeds.
std::string chart_svg(const Chart& chart, Along along, bool seeds);

// What may stand in a file's name, and in its address.
std::string file_name(std::string_view text);

}  // namespace strata::report
