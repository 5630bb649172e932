// Charts as files: SVG that stands alone, on a ground of its own, so that it is legible on pages of
// any colour, with its legend inside.
#pragma once

#include <string>
#include <vector>

#include "framework/report/comparison.h"

namespace strata::report {

struct SvgFile {
  std::string name;  // "val-accuracy-epochs.svg", "val-accuracy-against-train.batch_size.svg"
  std::string text;
};

// Every curve over epochs, steps and seconds, figures against settings, heat maps. The same runs
// give the same bytes.
std::vector<SvgFile> svg_files(const Comparison& all);

}  // namespace strata::report
