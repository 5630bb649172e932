// Names of figures.
#include "framework/graph/figures.h"

#include <fmt/format.h>

#include <set>

namespace strata {

std::vector<FigureName> figure_names(const std::vector<Term>& losses,
                                     const std::vector<Term>& metrics) {
  std::vector<FigureName> named;
  std::set<std::string> used;
  const auto add = [&](const std::string& wanted, int loss, int metric, int result, bool higher) {
    std::string name = wanted;
    for (int n = 2; !used.insert(name).second; ++n) name = fmt::format("{}{}", wanted, n);
    named.push_back({std::move(name), higher, loss, metric, result});
  };
  add("loss", -1, -1, -1, false);
  for (std::size_t i = 0; losses.size() > 1 && i < losses.size(); ++i)
    add(losses[i].name, static_cast<int>(i), -1, -1, false);
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    const std::vector<InferredPlan::MetricResult>& results = metrics[m].plan.results;
    for (std::size_t r = 0; r < results.size(); ++r) {
      const std::string& plain = results[r].name;
      const std::string own = results.size() == 1 ? metrics[m].name : metrics[m].name + "_" + plain;
      add(used.contains(plain) ? own : plain, -1, static_cast<int>(m), static_cast<int>(r),
          results[r].higher_is_better);
    }
  }
  return named;
}

std::vector<FigureName> run_figures(const std::vector<Term>& losses,
                                    const std::vector<Term>& metrics, const DataPipeline& data) {
  std::vector<FigureName> all;
  for (const char* split : {"train", "val"}) {
    if (data.result().find_split(split) < 0) continue;
    for (FigureName figure : figure_names(losses, metrics)) {
      figure.name = std::string(split) + "." + figure.name;
      all.push_back(std::move(figure));
    }
  }
  return all;
}

std::vector<std::string> study_figures(const std::vector<Term>& losses,
                                       const std::vector<Term>& metrics, const DataPipeline& data) {
  std::vector<std::string> all{"seconds", "samples_per_second", kPeakMemory, kEpochsToTarget,
                               kSecondsToTarget};
  for (const FigureName& figure : run_figures(losses, metrics, data)) all.push_back(figure.name);
  const bool validated = data.result().find_split("val") >= 0;
  for (const FigureName& figure : figure_names(losses, metrics)) {
    all.push_back(kInferenceFigure + ("train." + figure.name));
    if (!validated) continue;
    all.push_back(kTrainingFigure + ("val." + figure.name));
    all.push_back(kGapFigure + figure.name);
  }
  return all;
}

bool needs_target(std::string_view figure) {
  return figure == kEpochsToTarget || figure == kSecondsToTarget;
}

}  // namespace strata
