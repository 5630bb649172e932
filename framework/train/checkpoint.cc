// Checkpoints: a safetensors file whose metadata carry the counters and the model's text.
#include "framework/train/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>

#include "framework/base/atomic_file.h"
#include "framework/train/safetensors.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "strata.checkpoint";
constexpr const char* kProgress = "strata.progress";
constexpr const char* kModel = "strata.model";
constexpr const char* kVersion = "1";
constexpr int kKept = 2;

// JSON has no NaN and no infinity.
Json number(double x) {
  if (std::isfinite(x)) return x;
  return std::isnan(x) ? "nan" : x > 0 ? "inf" : "-inf";
}
double number_from(const Json& json) {
  if (json.is_number()) return json.get<double>();
  if (json == "nan") return std::nan("");
  if (json == "inf") return INFINITY;
  return json == "-inf" ? -INFINITY : json.get<double>();  // which throws
}

Json numbers(const std::vector<double>& values) {
  Json out = Json::array();
  for (const double x : values) out.push_back(number(x));
  return out;
}
std::vector<double> numbers_from(const Json& json) {
  std::vector<double> out;
  for (const Json& x : json) out.push_back(number_from(x));
  return out;
}

Json report_json(const EpochReport& report) {
  Json figures = Json::object();
  for (const auto& [name, value] : report.figures) figures[name] = number(value);
  return {{"epoch", report.epoch},     {"step", report.step},
          {"figures", figures},        {"learning_rate", report.learning_rate},
          {"seconds", report.seconds}, {"samples_per_second", report.samples_per_second},
          {"best", report.best}};
}
EpochReport report_from(const Json& json) {
  EpochReport report;
  report.epoch = json.at("epoch");
  report.step = json.at("step");
  for (const auto& [name, value] : json.at("figures").items())
    report.figures.emplace_back(name, number_from(value));
  report.learning_rate = json.at("learning_rate");
  report.seconds = json.at("seconds");
  report.samples_per_second = json.at("samples_per_second");
  report.best = json.at("best");
  return report;
}

Json source_json(const DescribedData& source) {
  Json fields = Json::array(), splits = Json::array();
  for (const auto& field : source.description.fields) {
    fields.push_back({{"name", field.name},
                      {"dtype", static_cast<int>(field.dtype)},
                      {"shape", std::vector<std::int64_t>(field.shape.begin(), field.shape.end())},
                      {"classes", field.classes},
                      {"class_names", field.class_names}});
  }
  for (const auto& split : source.description.splits)
    splits.push_back({{"name", split.name}, {"samples", split.samples}});
  return {{"dataset", source.dataset}, {"fields", fields}, {"splits", splits}};
}
DescribedData source_from(const Json& json) {
  DescribedData source;
  source.dataset = json.at("dataset");
  for (const Json& field : json.at("fields")) {
    const std::vector<std::int64_t> dims = field.at("shape");
    const int dtype = field.at("dtype");
    if (!Shape::why_invalid(dims.begin(), dims.end()).empty() || dtype < STRATA_F32 ||
        dtype > STRATA_REAL)
      throw std::invalid_argument("a field that there cannot be");
    source.description.fields.push_back({field.at("name"), static_cast<strata_dtype>(dtype),
                                         Shape(dims.begin(), dims.end()), field.at("classes"),
                                         field.at("class_names")});
  }
  for (const Json& split : json.at("splits"))
    source.description.splits.push_back({split.at("name"), split.at("samples")});
  return source;
}

std::string progress_text(const Progress& progress) {
  Json accumulators = Json::array();
  for (const auto& accumulator : progress.figures.accumulators)
    accumulators.push_back(numbers(accumulator));
  Json json = {{"step", progress.step},
               {"epoch", progress.epoch},
               {"epoch_step", progress.epoch_step},
               {"samples", progress.figures.samples},
               {"loss_sums", numbers(progress.figures.loss_sums)},
               {"accumulators", accumulators},
               {"epoch_seconds", progress.epoch_seconds},
               {"total_seconds", progress.total_seconds},
               {"seed", progress.seed},
               {"fuse", progress.fuse},
               {"waited", progress.waited}};
  for (const SplitIdentity& split : progress.data) {
    json["data"].push_back({{"split", split.name},
                            {"samples", split.samples},
                            {"checked", split.checked},
                            {"crc32", split.crc}});
  }
  if (progress.source) json["source"] = source_json(*progress.source);
  if (progress.reference) json["reference"] = number(*progress.reference);
  if (!progress.schedule_state.empty()) json["schedule_state"] = numbers(progress.schedule_state);
  for (const PluginLibrary& plugin : progress.plugins) {
    json["plugins"].push_back(
        {{"name", plugin.name}, {"version", plugin.version}, {"sha256", plugin.sha256}});
  }
  if (progress.best) json["best"] = report_json(*progress.best);
  if (progress.last) json["last"] = report_json(*progress.last);
  return json.dump();
}

Progress progress_from(const std::string& text) {
  const Json json = Json::parse(text);
  Progress progress;
  progress.step = json.at("step");
  progress.epoch = json.at("epoch");
  progress.epoch_step = json.at("epoch_step");
  progress.figures.samples = json.at("samples");
  progress.figures.loss_sums = numbers_from(json.at("loss_sums"));
  for (const Json& accumulator : json.at("accumulators")) {
    progress.figures.accumulators.push_back(numbers_from(accumulator));
  }
  progress.epoch_seconds = json.at("epoch_seconds");
  progress.total_seconds = json.at("total_seconds");
  progress.seed = json.at("seed");
  progress.fuse = json.value("fuse", true);
  progress.waited = json.value("waited", std::int64_t{0});
  if (json.contains("data")) {
    for (const Json& split : json.at("data"))
      progress.data.push_back(
          {split.at("split"), split.at("samples"), split.at("checked"), split.at("crc32")});
  }
  if (json.contains("source")) progress.source = source_from(json.at("source"));
  if (json.contains("reference")) progress.reference = number_from(json.at("reference"));
  if (json.contains("schedule_state"))
    progress.schedule_state = numbers_from(json.at("schedule_state"));
  for (const Json& plugin : json.value("plugins", Json::array())) {
    progress.plugins.push_back(
        {plugin.at("name"), plugin.at("version"), "", plugin.at("sha256"), {}});
  }
  if (json.contains("best")) progress.best = report_from(json.at("best"));
  if (json.contains("last")) progress.last = report_from(json.at("last"));
  return progress;
}

struct StepFile {
  std::int64_t step;
  std::string path;
};

void sort_newest_first(std::vector<StepFile>& files) {
  std::stable_sort(files.begin(), files.end(),
                   [](const StepFile& a, const StepFile& b) { return a.step > b.step; });
}

// The number between these; -1 where the name is another.
std::int64_t number_between(std::string_view name, std::string_view before,
                            std::string_view after) {
  if (!name.starts_with(before) || !name.ends_with(after)) return -1;
  if (name.size() <= before.size() + after.size()) return -1;
  name = name.substr(before.size(), name.size() - before.size() - after.size());
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc() && end == name.data() + name.size() ? number : -1;
}

// All files that are called like checkpoints or weights.
std::vector<std::string> list_files(const std::string& folder, std::error_code& failed) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Checkpoints of a folder, newest first.
std::vector<StepFile> list_checkpoints(const std::string& folder) {
  std::vector<StepFile> files;
  std::error_code ignored;
  for (const std::string& path : list_files(folder, ignored)) {
    const std::int64_t step =
        number_between(fs::path(path).filename().string(), "step-", ".safetensors");
    if (step >= 0) files.push_back({step, path});
  }
  sort_newest_first(files);
  return files;
}

}  // namespace

std::string step_checkpoint(const std::string& folder, std::int64_t step) {
  return fmt::format("{}/step-{:08}.safetensors", folder, step);
}
std::string best_checkpoint(const std::string& folder) { return folder + "/best.safetensors"; }

Status write_checkpoint_file(const std::string& path, const Progress& progress,
                             const std::vector<NamedTensor>& tensors,
                             const std::string& model_text) {
  return write_safetensors(path, tensors,
                           {{"format", "pt"},
                            {kFormat, kVersion},
                            {kProgress, progress_text(progress)},
                            {kModel, model_text}});
}

Status write_checkpoint(const std::string& folder, const Progress& progress,
                        const std::vector<NamedTensor>& tensors, const std::string& model_text,
                        bool best) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed)
    return make_error(ExitCode::kData, "cannot make the folder `{}`: {}", folder, failed.message());
  const std::string path = step_checkpoint(folder, progress.step);
  Status done;
  if (best) done = write_checkpoint_file(best_checkpoint(folder), progress, tensors, model_text);
  if (done) done = write_checkpoint_file(path, progress, tensors, model_text);
  if (!done) return done;
  // Later steps are those of a run that went on from an older checkpoint than its newest.
  int kept = 0;
  for (const StepFile& file : list_checkpoints(folder)) {
    if (file.step > progress.step || ++kept > kKept) fs::remove(file.path, failed);
  }
  return {};
}

void remove_temporary_files(const std::string& run_folder) {
  std::error_code ignored;
  for (const std::string& folder : {run_folder, run_folder + "/checkpoints"}) {
    std::vector<fs::path> left;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
      // write_file_atomically appends a dot and six characters.
      const std::string name = entry.path().filename().string();
      if (name.size() < 8 || name[name.size() - 7] != '.') continue;
      const std::string_view whole = std::string_view(name).substr(0, name.size() - 7);
      if (whole == "model.model" || whole == "metrics.jsonl" || whole.ends_with(".safetensors"))
        left.push_back(entry.path());
    }
    for (const fs::path& path : left) fs::remove(path, ignored);
  }
}

namespace {

// Why these counters cannot be those of a run; empty where they can.
std::string why_impossible(const Progress& progress) {
  constexpr std::int64_t kMost = std::int64_t{1} << 53;
  const auto within = [](std::int64_t x, std::int64_t least) { return x >= least && x <= kMost; };
  if (!within(progress.step, 0)) return fmt::format("step {}", progress.step);
  if (!within(progress.epoch, 1)) return fmt::format("epoch {}", progress.epoch);
  if (!within(progress.epoch_step, 0) || progress.epoch_step > progress.step) {
    return fmt::format("step {} of its epoch", progress.epoch_step);
  }
  if (!within(progress.figures.samples, 0))
    return fmt::format("{} samples", progress.figures.samples);
  if (!within(progress.waited, 0)) return fmt::format("{} epochs waited", progress.waited);
  if (!(progress.epoch_seconds >= 0) || !(progress.total_seconds >= 0)) return "a negative time";
  return {};
}

}  // namespace

Result<Checkpoint> open_checkpoint(const std::string& path) {
  auto file = read_safetensors(path);
  if (!file) return file.error();
  if (!file->metadata.contains(kFormat) || !file->metadata.contains(kProgress)) {
    Error error =
        make_error(ExitCode::kData, "`{}` holds weights only, not the state of a run", path);
    error.hint = "to start from these weights use --init";
    return error;
  }
  if (file->metadata[kFormat] != kVersion) {
    return make_error(ExitCode::kData,
                      "`{}` is a checkpoint of format {}; this trainer reads format {}", path,
                      file->metadata[kFormat], kVersion);
  }
  Checkpoint checkpoint;
  checkpoint.model_text = file->metadata[kModel];
  try {
    checkpoint.progress = progress_from(file->metadata[kProgress]);
  } catch (const std::exception&) {  // JSON's own, or a field that cannot be
    return make_error(ExitCode::kData, "`{}` is damaged: its counters cannot be read", path);
  }
  if (const std::string why = why_impossible(checkpoint.progress); !why.empty()) {
    return make_error(ExitCode::kData, "`{}` is damaged: it says {}", path, why);
  }
  checkpoint.file = std::move(*file);
  return checkpoint;
}

Result<Checkpoint> read_checkpoint(const std::string& path,
                                   const std::vector<NamedTensor>& tensors) {
  auto checkpoint = open_checkpoint(path);
  if (!checkpoint) return checkpoint;
  const Status done = load_tensors(checkpoint->file, path, tensors, false);
  if (!done) return done.error();
  return checkpoint;
}

namespace {

// What Saver::finish put elsewhere: by the step that it says; what cannot be opened comes first, so
// that it is spoken of.
void add_salvaged(const std::string& folder, std::vector<StepFile>& files) {
  std::error_code ignored;
  for (const std::string& path : list_files(folder, ignored)) {
    const std::string name = fs::path(path).filename().string();
    if (number_between(name, "strata-run-", ".safetensors") < 0) continue;
    const auto checkpoint = open_checkpoint(path);
    files.push_back({checkpoint ? checkpoint->progress.step : INT64_MAX, path});
  }
  sort_newest_first(files);
}

Error no_checkpoints(const std::string& weights, const std::string& folder) {
  Error error = make_error(ExitCode::kData, "`{}` has no checkpoints", weights);
  std::error_code failed;
  if (const auto files = list_files(folder, failed); !files.empty()) {
    error.message += " by the names that a run gives them";
    error.hint = "name the file that is meant: " + files.back();
    return error;
  }
  if (failed && failed != std::errc::no_such_file_or_directory) {
    error.message = fmt::format("cannot read the folder `{}`: {}", folder, failed.message());
    return error;
  }
  const std::string model = (fs::path(weights) / "model.model").string();
  if (fs::exists(model, failed)) {
    error.hint =
        "the run ended before its first checkpoint; start it again: trainer train " + model;
  } else if (fs::exists(fs::path(weights) / "metrics.jsonl", failed)) {
    error.hint = fmt::format("its `{}` is missing, too; start it again from its model file", model);
  } else {
    error.hint = "name a run's folder (runs/<model>/<number>), a checkpoint or a weights file";
  }
  return error;
}

}  // namespace

Result<std::string> find_checkpoint(const std::string& weights, std::vector<std::string>* damaged) {
  std::error_code ignored;
  if (!fs::exists(weights, ignored))
    return make_error(ExitCode::kData, "there is no `{}`", weights);
  if (!fs::is_directory(weights, ignored)) return weights;
  const fs::path folder = fs::is_directory(fs::path(weights) / "checkpoints", ignored)
                              ? fs::path(weights) / "checkpoints"
                              : fs::path(weights);
  std::optional<Error> first;
  std::vector<StepFile> files = list_checkpoints(folder.string());
  add_salvaged(folder.string(), files);
  const std::string best = best_checkpoint(folder.string());
  // A kill may have come between the first best epoch's checkpoint and the step's.
  if (files.empty() && fs::exists(best, ignored)) files.push_back({0, best});
  for (const auto& [step, path] : files) {
    const auto file = read_safetensors(path);
    if (file) return path;
    if (damaged) damaged->push_back(file.error().message);
    if (!first) first = file.error();
  }
  if (first) {
    if (read_safetensors(best))
      first->hint =
          fmt::format("no other step's checkpoint is sound; the best epoch's is: {}", best);
    return *first;
  }
  return no_checkpoints(weights, folder.string());
}

bool is_unstarted_run(const std::string& folder) {
  std::error_code failed;
  const fs::path path(folder);
  if (!fs::is_regular_file(path / "model.model", failed)) return false;
  const bool none = list_files((path / "checkpoints").string(), failed).empty();
  return none && (!failed || failed == std::errc::no_such_file_or_directory);
}

Result<std::string> run_folder_of(const std::string& checkpoint) {
  const fs::path folder = fs::path(checkpoint).parent_path();
  const fs::path run = (folder.empty() ? fs::path("..") : folder / "..").lexically_normal();
  std::error_code ignored;
  const bool place = fs::absolute(checkpoint, ignored).parent_path().filename() == "checkpoints";
  if (!place ||
      (!fs::exists(run / "model.model", ignored) && !fs::exists(run / "metrics.jsonl", ignored))) {
    Error error =
        make_error(ExitCode::kUsage, "`{}` does not lie in the folder of a run", checkpoint);
    if (place) error.message += fmt::format(": there is no `{}`", (run / "model.model").string());
    error.hint = "put it back to RUN/checkpoints, or start a new run from its weights: --init";
    return error;
  }
  std::string text = run.string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

Result<std::string> model_of(const std::string& weights) {
  auto path = find_checkpoint(weights);
  if (!path) return path.error();
  auto file = read_safetensors(*path);
  if (!file) return file.error();
  if (const auto model = file->metadata.find(kModel); model != file->metadata.end())
    return model->second;
  return std::string();
}

}  // namespace strata
