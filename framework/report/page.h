// A report: one HTML page about runs, with everything in it.
//
// Opens without a network, and without its script, too: curves are drawn in the page, the script
// only toggles and sorts. The same runs give the same bytes. For 50 runs it is below 300 KB: where
// logs are longer, curves and their data keep every k-th epoch, and the page says so.
#pragma once

#include <string>

#include "framework/base/error.h"
#include "framework/report/comparison.h"

namespace strata::report {

// A `live` page, which is served, asks its server whether it has changed; no other page asks for
// anything.
std::string draw_page(const Comparison& all, bool live = false);

// Writes report.html into a run's folder.
Status write_run_page(const std::string& folder);

}  // namespace strata::report
