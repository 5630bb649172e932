// Making run folders and writing their log.
#include "framework/train/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "framework/base/atomic_file.h"
#include "framework/tensor/matmul.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// "AMD EPYC 7B13", as /proc/cpuinfo has it; null where it does not say.
Json processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return nullptr;
}

// "Linux 6.1.0 x86_64"
std::string system_name() {
  utsname names{};
  if (::uname(&names) != 0) return "";
  return fmt::format("{} {} {}", names.sysname, names.release, names.machine);
}

Error cannot_make(const std::string& path, const std::string& reason) {
  return make_error(ExitCode::kData, "cannot make the run folder `{}`: {}", path, reason);
}

std::string text_of(const Json& event, const char* key) {
  return event.contains(key) && event[key].is_string() ? event[key].get<std::string>() : "";
}

std::int64_t integer(const Json& event, const char* key, std::int64_t otherwise) {
  return event.contains(key) && event[key].is_number_integer() ? event[key].get<std::int64_t>()
                                                               : otherwise;
}

Json number(double x) { return std::isfinite(x) ? Json(x) : Json(nullptr); }

// Six digits are plenty to look at.
Json rounded(double x) {
  return std::isfinite(x) ? Json(std::strtod(fmt::format("{:.6g}", x).c_str(), nullptr))
                          : Json(nullptr);
}

// [mean, deviation, share of zeros]
Json moments(const Moments& found) {
  Json out = Json::array();
  for (const double x : {found.mean, found.deviation, found.zeros}) out.push_back(rounded(x));
  return out;
}

}  // namespace

Status RunFolder::claim() {
  const int folder = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return cannot_make(path_, std::strerror(errno));
  lock_ = std::shared_ptr<void>(nullptr, [folder](void*) { ::close(folder); });
  folder_ = folder;
  if (::flock(folder, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    Error error = make_error(ExitCode::kUsage, "another process is writing to the run `{}`", path_);
    error.hint = "wait for it to end, or name another folder";
    return error;
  }
  return {};
}

Status RunFolder::ensure(bool& made) {
  made = false;
  struct stat mine {
  }, there{};
  std::error_code ignored;
  if (::fstat(folder_, &mine) != 0) return cannot_make(path_, std::strerror(errno));
  if (::stat(path_.c_str(), &there) == 0) {
    if (mine.st_ino == there.st_ino && mine.st_dev == there.st_dev) return {};
    if (!S_ISDIR(there.st_mode) || !fs::is_empty(path_, ignored))
      return cannot_make(path_, "it was removed, and something else stands in its place");
  } else if (errno != ENOENT) {
    return cannot_make(path_, std::strerror(errno));
  }
  std::error_code failed;
  fs::create_directories(path_, failed);
  if (failed) return cannot_make(path_, failed.message());
  const Status claimed = claim();
  made = claimed.ok();
  return claimed;
}

void RunFolder::abandon() const {
  std::error_code ignored;
  fs::remove(metrics_file(), ignored);
  fs::remove(model_file(), ignored);
  if (made_) fs::remove(path_, ignored);  // only where it is empty
}

Result<RunFolder> RunFolder::existing(std::string path) {
  RunFolder folder(std::move(path));
  const Status claimed = folder.claim();
  if (!claimed) return claimed.error();
  return folder;
}

Result<RunFolder> RunFolder::make(const std::string& runs_folder, const std::string& model) {
  const std::string parent = runs_folder + "/" + model;
  std::error_code failed;
  fs::create_directories(parent, failed);
  if (failed) return cannot_make(parent, failed.message());
  std::int64_t next = 1;
  for (const auto& entry : fs::directory_iterator(parent, failed)) {
    const std::string name = entry.path().filename().string();
    std::int64_t number_of = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number_of);
    if (error == std::errc() && end == name.data() + name.size())
      next = std::max(next, number_of + 1);
  }
  for (;; ++next) {
    const std::string path = parent + "/" + std::to_string(next);
    if (::mkdir(path.c_str(), 0777) == 0) {
      auto folder = existing(path);
      if (folder) folder->made_ = true;
      return folder;
    }
    if (errno != EEXIST) return cannot_make(path, std::strerror(errno));
  }
}

Result<RunFolder> RunFolder::make_exactly(const std::string& path) {
  std::error_code failed;
  const bool made = fs::create_directories(path, failed);
  if (failed) return cannot_make(path, failed.message());
  auto folder_claimed = existing(path);
  if (!folder_claimed) return folder_claimed.error();
  RunFolder& folder = *folder_claimed;
  folder.made_ = made;
  if (fs::exists(folder.metrics_file(), failed) || fs::exists(folder.checkpoints(), failed) ||
      fs::exists(folder.model_file(), failed)) {
    Error error = make_error(ExitCode::kUsage, "`{}` holds a run already", path);
    error.hint = "go on with it by --resume, or name another folder";
    return error;
  }
  return std::move(folder);
}

Result<MetricsLog> MetricsLog::open(const std::string& path, std::int64_t first_epoch,
                                    std::int64_t last_step) {
  MetricsLog log(path);
  std::error_code ignored;
  if (first_epoch > 1 || fs::exists(path, ignored)) {
    log.resumed_ = true;
    auto old = read_ordinary_file(path);
    std::string kept;
    if (old) {
      std::istringstream lines(*old);
      for (std::string line; std::getline(lines, line);) {
        const Json event = Json::parse(line, nullptr, false);
        if (!event.is_object()) continue;  // a line that a kill cut short
        const std::string kind = text_of(event, "event");
        const bool done = (kind == "epoch" && integer(event, "epoch", first_epoch) < first_epoch) ||
                          ((kind == "step" || kind == "statistics") &&
                           integer(event, "step", last_step + 1) <= last_step);
        if (kind == "start" || kind == "resume" || done) kept += line + "\n";
      }
    }
    log.text_ = std::move(kept);
  }
  const Status written = log.rewrite();
  if (!written) return written.error();
  return log;
}

Status MetricsLog::rewrite() {
  const Status written = write_file_atomically(path_, text_);
  behind_ = !written.ok();
  return written;
}

Status MetricsLog::append(const std::string& line) {
  text_ += line + "\n";
  if (behind_) return rewrite();
  const int file = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file < 0) return rewrite();  // somebody removed it
  std::string_view left(text_);
  left.remove_prefix(text_.size() - line.size() - 1);
  while (!left.empty()) {
    const ssize_t written = ::write(file, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  const int error = errno;
  ::close(file);
  behind_ = !left.empty();
  if (behind_)
    return make_error(ExitCode::kData, "cannot write `{}`: {}", path_, std::strerror(error));
  return {};
}

Status MetricsLog::start(const RunFacts& facts, const std::string& version) {
  Json event = {
      {"event", resumed_ ? "resume" : "start"},
      {"model", facts.model},
      {"version", version},
      {"parameters", facts.parameters},
      {"train_samples", facts.train_samples},
      {"val_samples", facts.val_samples},
      {"batch_size", facts.batch_size},
      {"steps_per_epoch", facts.steps_per_epoch},
      {"total_steps", facts.total_steps},
      {"epochs", facts.epochs},
      {"seed", facts.seed},
      {"threads", facts.threads},
      {"precision", facts.precision == Precision::kF64 ? "f64" : "f32"},
      {"fuse", facts.fuse},
      {"flush_to_zero", true},
      {"processor", processor_name()},
      {"products", product_kernel_name()},
      {"system", system_name()},
      {"init", facts.init_file.empty() ? Json(nullptr) : Json(facts.init_file)},
      {"start_state_sha256", facts.start_hash.empty() ? Json(nullptr) : Json(facts.start_hash)},
      {"resumed_from", facts.resumed_from.empty() ? Json(nullptr) : Json(facts.resumed_from)}};
  for (const PluginLibrary& plugin : facts.plugins) {
    event["plugins"].push_back({{"name", plugin.name},
                                {"version", plugin.version},
                                {"path", plugin.path},
                                {"sha256", plugin.sha256}});
  }
  for (const SplitIdentity& split : facts.data)
    event["data_crc32"][split.name] = fmt::format("{:08x}", split.crc);
  if (!facts.changes.empty()) event["changes"] = facts.changes;
  return append(event.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Status MetricsLog::epoch(const EpochReport& report) {
  Json event = {{"event", "epoch"}, {"epoch", report.epoch}, {"step", report.step}};
  for (const auto& [name, value] : report.figures) event[name] = number(value);
  event["learning_rate"] = number(report.learning_rate);
  event["seconds"] = report.seconds;
  event["samples_per_second"] = report.samples_per_second;
  if (report.weights_crc32) event["weights_crc32"] = fmt::format("{:08x}", *report.weights_crc32);
  return append(event.dump());
}

Status MetricsLog::step(const StepRecord& record) {
  Json event = {{"event", "step"},
                {"epoch", record.epoch},
                {"step", record.step},
                {"loss", number(record.loss)},
                {"learning_rate", number(record.learning_rate)},
                {"seconds", record.seconds},
                {"weights_crc32", fmt::format("{:08x}", record.weights_crc32)}};
  if (record.has_loss) {
    const Status written = append(event.dump());
    if (!written || record.layers.empty()) return written;
  }
  event = {{"event", "statistics"}, {"epoch", record.epoch}, {"step", record.step}};
  event["layers"] = Json::object();
  for (const LayerStatistics& layer : record.layers) {
    Json& entry = event["layers"][layer.layer];
    entry["kind"] = layer.kind;
    entry["activation"] = moments(layer.activation);
    if (layer.gradient.count > 0) entry["gradient"] = moments(layer.gradient);
    for (const LayerStatistics::Parameter& parameter : layer.parameters)
      entry["parameters"][parameter.name] = {{"value", moments(parameter.value)},
                                             {"gradient", moments(parameter.gradient)}};
  }
  for (const UnitTime& unit : record.times)
    if (unit.forward + unit.backward + unit.update > 0)
    event["times"][unit.unit] = {rounded(unit.forward), rounded(unit.backward),
                                 rounded(unit.update)};
  return append(event.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Status MetricsLog::end(const EndReport& report, const std::string& weights_hash) {
  Json event = {{"event", "end"}, {"status", report.status}};
  if (!report.reason.empty()) event["reason"] = report.reason;
  event["seconds"] = report.seconds;
  if (report.best) event["best_epoch"] = report.best->epoch;
  if (!report.message.empty()) event["message"] = report.message;
  event["weights_sha256"] = weights_hash;
  return append(event.dump(-1, ' ', false, Json::error_handler_t::replace));
}

LogFacts read_log(const std::string& path) {
  LogFacts facts;
  const auto text = read_ordinary_file(path);
  if (!text) return facts;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const Json event = Json::parse(line, nullptr, false);
    if (!event.is_object()) continue;
    const std::string kind = text_of(event, "event");
    facts.status = kind == "end" ? text_of(event, "status") : "";
    if (kind != "start") continue;
    facts.init_file = text_of(event, "init");
    facts.start_hash = text_of(event, "start_state_sha256");
  }
  return facts;
}

}  // namespace strata
