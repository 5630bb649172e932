// Events by their kind.
#include "framework/report/log_events.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "framework/report/predictions.h"

namespace strata::report {
namespace {

using Json = nlohmann::ordered_json;

double number(const Json& event, const char* key) {
  const auto at = event.find(key);
  return at != event.end() && at->is_number() ? at->get<double>()
                                              : std::numeric_limits<double>::quiet_NaN();
}

std::int64_t integer(const Json& event, const char* key) {
  const auto at = event.find(key);
  return at != event.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
}

std::string text_of(const Json& event, const char* key) {
  const auto at = event.find(key);
  return at != event.end() && at->is_string() ? at->get<std::string>() : "";
}

double or_zero(double x) { return std::isfinite(x) ? x : 0; }

void read_epoch(const Json& event, RunRecord& run) {
  EpochRecord epoch;
  epoch.epoch = integer(event, "epoch");
  epoch.step = integer(event, "step");
  epoch.seconds = or_zero(number(event, "seconds"));
  epoch.learning_rate = number(event, "learning_rate");
  epoch.samples_per_second = number(event, "samples_per_second");
  epoch.checksum = text_of(event, "weights_crc32");
  for (const auto& [key, value] : event.items()) {
    if (key.find('.') == std::string::npos || !(value.is_number() || value.is_null())) continue;
    epoch.figures[key] = number(event, key.c_str());
    if (!is_confusion_cell(key) &&
        std::find(run.figures.begin(), run.figures.end(), key) == run.figures.end())
      run.figures.push_back(key);
  }
  // An epoch that was done again replaces what came after the one before it.
  while (!run.epochs.empty() && run.epochs.back().epoch >= epoch.epoch) run.epochs.pop_back();
  epoch.elapsed = epoch.seconds + (run.epochs.empty() ? 0 : run.epochs.back().elapsed);
  run.epochs.push_back(std::move(epoch));
}

void read_step(const Json& event, RunRecord& run) {
  StepRecord step;
  step.epoch = integer(event, "epoch");
  step.step = integer(event, "step");
  step.loss = number(event, "loss");
  step.checksum = text_of(event, "weights_crc32");
  step.elapsed = or_zero(number(event, "seconds"));
  if (!run.epochs.empty()) step.elapsed += run.epochs.back().elapsed;
  while (!run.steps.empty() && run.steps.back().step >= step.step) run.steps.pop_back();
  run.steps.push_back(std::move(step));
}

Moments moments_in(const Json& object, const char* key) {
  Moments out;
  const auto at = object.find(key);
  if (at == object.end() || !at->is_array() || at->size() != 3) return out;
  double* const into[] = {&out.mean, &out.deviation, &out.zeros};
  for (std::size_t i = 0; i < 3; ++i)
    if ((*at)[i].is_number()) *into[i] = (*at)[i].get<double>();
  return out;
}

void read_statistics(const Json& event, RunRecord& run) {
  const auto layers = event.find("layers");
  if (layers == event.end() || !layers->is_object()) return;
  StatisticsRecord record{integer(event, "epoch"), integer(event, "step"), {}};
  for (const auto& [name, entry] : layers->items()) {
    if (!entry.is_object()) continue;
    LayerRecord& layer = record.layers.emplace_back();
    layer.layer = name;
    layer.kind = text_of(entry, "kind");
    layer.activation = moments_in(entry, "activation");
    layer.gradient = moments_in(entry, "gradient");
    const auto parameters = entry.find("parameters");
    if (parameters == entry.end() || !parameters->is_object()) continue;
    for (const auto& [parameter, values] : parameters->items())
      if (values.is_object())
        layer.parameters.push_back(
            {parameter, moments_in(values, "value"), moments_in(values, "gradient")});
  }
  while (!run.statistics.empty() && run.statistics.back().step >= record.step)
    run.statistics.pop_back();
  run.statistics.push_back(std::move(record));
  const auto times = event.find("times");
  if (times == event.end() || !times->is_object()) return;
  for (const auto& [layer, seconds] : times->items()) {
    if (!seconds.is_array() || seconds.size() != 3) continue;
    const auto at = [&](std::size_t i) {
      return seconds[i].is_number() ? seconds[i].get<double>() : 0.0;
    };
    // One entry an event for now; finish_events makes medians of them.
    run.times.push_back({layer, at(0), at(1), at(2)});
  }
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

void read_event(const Json& event, RunRecord& run) {
  const std::string kind = text_of(event, "event");
  if (kind == "start" || (kind == "resume" && run.facts.empty())) run.facts = event;
  if (kind == "resume") ++run.resumed;
  if (kind == "epoch") read_epoch(event, run);
  if (kind == "step") read_step(event, run);
  if (kind == "statistics") read_statistics(event, run);
  if (kind != "end") {
    run.status = "unfinished";
    return;
  }
  run.status = text_of(event, "status");
  run.reason = text_of(event, event.contains("reason") ? "reason" : "message");
  run.weights_hash = text_of(event, "weights_sha256");
  run.best_epoch = integer(event, "best_epoch");
  run.seconds = or_zero(number(event, "seconds"));
}

void finish_events(RunRecord& run) {
  if (run.status == "unfinished") run.seconds = run.epochs.empty() ? 0 : run.epochs.back().elapsed;
  std::vector<LayerTime> each = std::move(run.times);
  run.times.clear();
  for (const LayerTime& one : each) {
    if (std::any_of(run.times.begin(), run.times.end(),
                    [&](const LayerTime& known) { return known.layers == one.layers; }))
      continue;
    std::vector<double> forward, backward, update;
    for (const LayerTime& other : each) {
      if (other.layers != one.layers) continue;
      forward.push_back(other.forward), backward.push_back(other.backward);
      update.push_back(other.update);
    }
    run.times.push_back({one.layers, median(forward), median(backward), median(update)});
  }
}

}  // namespace strata::report
