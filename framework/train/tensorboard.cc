// Records, and the few messages of the protocol that scalars need.
#include "framework/train/tensorboard.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "framework/base/version.h"

namespace strata {
namespace {

// Fields of protocol buffers, by hand: five kinds of message need no generated code.
enum Wire { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void put_key(std::string& out, int field, Wire wire) {
  put_varint(out, static_cast<std::uint64_t>(field) << 3 | wire);
}

template <class T>
void put_fixed(std::string& out, T value) {  // little-endian, as the machine's own
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

void put_bytes(std::string& out, int field, std::string_view bytes) {
  put_key(out, field, kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

// An Event with its time and step; its content is still to come.
std::string event_at(std::int64_t step) {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  std::string event;
  put_key(event, 1, kFixed64);
  put_fixed(event, now.count());
  put_key(event, 2, kVarint);
  put_varint(event, static_cast<std::uint64_t>(step));
  return event;
}

std::string tag_of(std::string name) {
  std::replace(name.begin(), name.end(), '.', '/');
  return name;
}

}  // namespace

std::uint32_t masked_crc32c(std::string_view bytes) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      made[i] = i;
      for (int bit = 0; bit < 8; ++bit)
        made[i] = made[i] >> 1 ^ ((made[i] & 1) != 0 ? 0x82F63B78u : 0u);
    }
    return made;
  }();
  std::uint32_t crc = ~0u;
  for (const char c : bytes) crc = table[(crc ^ static_cast<std::uint8_t>(c)) & 0xFF] ^ crc >> 8;
  crc = ~crc;
  return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

Result<TensorBoardLog> TensorBoardLog::open(const std::string& folder, std::int64_t next_step) {
  const auto failed = [&](const std::string& reason) {
    return make_error(ExitCode::kData, "cannot write event files in `{}`: {}", folder, reason);
  };
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return failed(error.message());
  // A run that begins again where it had no checkpoint yet has written events, too.
  const bool goes_on = next_step > 1 || !std::filesystem::is_empty(folder, error);
  char host[65] = "localhost";
  ::gethostname(host, sizeof host - 1);
  TensorBoardLog log;
  for (int count = 0; log.descriptor_ < 0; ++count) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    log.path_ = fmt::format("{}/events.out.tfevents.{}.{}.{}.{}", folder,
                            std::chrono::duration_cast<std::chrono::seconds>(now).count(), host,
                            ::getpid(), count);
    log.descriptor_ =
        ::open(log.path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (log.descriptor_ < 0 && errno != EEXIST) return failed(std::strerror(errno));
  }
  log.file_ = std::shared_ptr<void>(nullptr, [file = log.descriptor_](void*) { ::close(file); });
  std::string event = event_at(0);
  put_bytes(event, 3, "brain.Event:2");
  Status written = log.append(event);
  if (written && goes_on) {
    event = event_at(next_step);
    std::string session;
    put_key(session, 1, kVarint);
    put_varint(session, 1);  // START: events of this step and later ones are void
    put_bytes(event, 7, session);
    written = log.append(event);
  }
  if (!written) return written.error();
  return log;
}

Status TensorBoardLog::epoch(const EpochReport& report) {
  std::vector<std::pair<std::string, double>> values;
  for (const auto& [name, value] : report.figures) values.emplace_back(tag_of(name), value);
  values.emplace_back("learning_rate", report.learning_rate);
  values.emplace_back("samples_per_second", report.samples_per_second);
  return scalars(report.step, values);
}

Status TensorBoardLog::step(const StepRecord& record) {
  std::vector<std::pair<std::string, double>> values;
  if (record.has_loss) values.emplace_back("step/loss", record.loss);
  const auto add = [&](const std::string& what, const std::string& of, const Moments& moments) {
    if (moments.count == 0) return;
    values.emplace_back(what + "_mean/" + of, moments.mean);
    values.emplace_back(what + "_deviation/" + of, moments.deviation);
    values.emplace_back(what + "_zeros/" + of, moments.zeros);
  };
  for (const LayerStatistics& layer : record.layers) {
    add("activation", layer.layer, layer.activation);
    add("gradient", layer.layer, layer.gradient);
    for (const LayerStatistics::Parameter& parameter : layer.parameters) {
      add("weights", layer.layer + "." + parameter.name, parameter.value);
      add("weights_gradient", layer.layer + "." + parameter.name, parameter.gradient);
    }
  }
  return scalars(record.step, values);
}

Status TensorBoardLog::scalars(std::int64_t step,
                               const std::vector<std::pair<std::string, double>>& values) {
  std::string summary;
  for (const auto& [tag, number] : values) {
    std::string value;
    put_bytes(value, 1, tag);
    put_key(value, 2, kFixed32);
    put_fixed(value, static_cast<float>(number));
    put_bytes(summary, 1, value);
  }
  std::string event = event_at(step);
  put_bytes(event, 5, summary);
  return append(event);
}

Status TensorBoardLog::append(const std::string& event) {
  std::string record;
  put_fixed(record, static_cast<std::uint64_t>(event.size()));
  put_fixed(record, masked_crc32c(record));
  record += event;
  put_fixed(record, masked_crc32c(event));
  std::string_view left = record;
  while (!left.empty()) {
    const ssize_t written = ::write(descriptor_, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0)
      return make_error(ExitCode::kData, "cannot write `{}`: {}", path_, std::strerror(errno));
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace strata
