// Splits of the file's making are lists of the data set's samples.
#include "framework/runtime/data_source.h"

#include <algorithm>
#include <cstdlib>

#include "framework/plugin/services.h"

namespace strata {
namespace {

constexpr std::int64_t kChunk = 64;  // samples whose numbers are looked up at a time

}  // namespace

std::int64_t bytes_of(const DataDescription::FieldInfo& field, Precision precision) {
  const bool wide =
      field.dtype == STRATA_F64 || (field.dtype == STRATA_REAL && precision == Precision::kF64);
  return (field.dtype == STRATA_U8 ? 1 : wide ? 8 : 4) * field.shape.elements();
}

std::vector<std::string> data_folders() {
  std::vector<std::string> folders;
  const auto from_environment = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value ? value : "");
  };
  if (const std::string folder = from_environment("STRATA_DATA"); !folder.empty())
    folders.push_back(folder);
  if (const std::string cache = from_environment("XDG_CACHE_HOME"); !cache.empty()) {
    folders.push_back(cache + "/strata/datasets");
  } else if (const std::string home = from_environment("HOME"); !home.empty()) {
    folders.push_back(home + "/.cache/strata/datasets");
  }
  folders.emplace_back("/usr/share/datasets");
  return folders;
}

Status DataSource::open() {
  auto opened = open_dataset(*data_.dataset, data_folders());
  if (!opened) return opened.error();
  splits_ = opened->splits;
  if (data_.split_rules.empty()) return {};
  auto views = apply_rules(data_.split_rules, splits_);
  if (!views) return views.error();
  views_ = std::move(*views);
  for (const auto& field : data_.stages.front().fields)
    bytes_.push_back(bytes_of(field, precision_));
  return {};
}

Status DataSource::read(int split, const std::int64_t* samples, std::int64_t count,
                        void* const* fields) const {
  const auto call = [&](std::int64_t source, const std::int64_t* indices, std::int64_t of,
                        void* const* to) {
    return call_noted(*data_.dataset, "read", data_.dataset->functions<strata_dataset>().read,
                      source, indices, of,
                      std::int32_t{precision_ == Precision::kF64 ? STRATA_F64 : STRATA_F32}, to);
  };
  if (views_.empty()) return call(split, samples, count, fields);
  const SplitView& view = views_[static_cast<std::size_t>(split)];
  if (!view.samples) return call(view.source, samples, count, fields);
  void* chunk_fields[kMostDataFields];
  for (std::int64_t begin = 0; begin < count; begin += kChunk) {
    const std::int64_t chunk = std::min(kChunk, count - begin);
    std::int64_t indices[kChunk];
    for (std::int64_t i = 0; i < chunk; ++i)
      indices[i] = (*view.samples)[static_cast<std::size_t>(samples[begin + i])];
    for (std::size_t f = 0; f < bytes_.size(); ++f)
      chunk_fields[f] = static_cast<char*>(fields[f]) + begin * bytes_[f];
    Status done = call(view.source, indices, chunk, chunk_fields);
    if (!done) return done;
  }
  return {};
}

}  // namespace strata
