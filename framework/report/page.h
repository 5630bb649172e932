// A report: one HTML page about runs, with everything in it.
//
// Opens without a network, and without its script, too: curves are drawn in the page, the script
// only toggles and sorts. The same runs give the same bytes. For 50 runs it is below 300 KB: where
// logs are longer, curves and their data keep every k-th epoch, and the page says so.
#pragma once

#include <string>

#include "framework/report/comparison.h"

namespace strata::report {

std::string draw_page(const Comparison& all);

}  // namespace strata::report
