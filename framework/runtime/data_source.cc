// Splits of the file's making are lists of the data set's samples.
#include "framework/runtime/data_source.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <numeric>

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
  for (const auto& field : data_.stages.front().fields)
    bytes_.push_back(bytes_of(field, precision_));
  const std::vector<DataDescription::Split> whole = splits_;
  std::map<std::pair<int, std::string>, SampleClasses> classes;  // read once
  const auto classes_of = [&](int source, const std::string& field) {
    using Classes = Result<const SampleClasses*>;
    const auto [at, added] = classes.try_emplace({source, field});
    if (added) {
      auto found = read_classes(source, whole[static_cast<std::size_t>(source)].samples, field);
      if (!found) return Classes(found.error());
      const DataDescription& raw = data_.stages.front();
      at->second = {std::move(*found),
                    raw.fields[static_cast<std::size_t>(raw.find_field(field))].class_names};
    }
    return Classes(&at->second);
  };
  auto views = apply_rules(data_.split_rules, splits_, classes_of);
  if (!views) return views.error();
  views_ = std::move(*views);
  return {};
}

Result<std::vector<std::int32_t>> DataSource::read_classes(int source, std::int64_t samples,
                                                           const std::string& field) const {
  const auto index = static_cast<std::size_t>(data_.stages.front().find_field(field));
  std::vector<std::vector<char>> buffers;
  std::vector<void*> fields;
  for (const std::int64_t bytes : bytes_)
    fields.push_back(buffers.emplace_back(static_cast<std::size_t>(bytes * kChunk)).data());
  std::vector<std::int32_t> classes(static_cast<std::size_t>(samples));
  for (std::int64_t begin = 0; begin < samples; begin += kChunk) {
    const std::int64_t chunk = std::min(kChunk, samples - begin);
    std::int64_t indices[kChunk];
    std::iota(indices, indices + chunk, begin);
    if (Status done = read_source(source, indices, chunk, fields.data()); !done)
      return done.error();
    std::memcpy(classes.data() + begin, fields[index],
                static_cast<std::size_t>(chunk) * sizeof(std::int32_t));
  }
  const auto below = std::find_if(classes.begin(), classes.end(), [](auto c) { return c < 0; });
  if (below != classes.end())
    return make_error(ExitCode::kData, "`{}` gives sample {} the class {}", field,
                      below - classes.begin(), *below);
  return classes;
}

Status DataSource::read_source(std::int64_t source, const std::int64_t* samples, std::int64_t count,
                               void* const* fields) const {
  return call_noted(*data_.dataset, "read", data_.dataset->functions<strata_dataset>().read, source,
                    samples, count,
                    std::int32_t{precision_ == Precision::kF64 ? STRATA_F64 : STRATA_F32}, fields);
}

Status DataSource::read(int split, const std::int64_t* samples, std::int64_t count,
                        void* const* fields) const {
  if (views_.empty()) return read_source(split, samples, count, fields);
  const SplitView& view = views_[static_cast<std::size_t>(split)];
  if (!view.samples) return read_source(view.source, samples, count, fields);
  void* chunk_fields[kMostDataFields];
  for (std::int64_t begin = 0; begin < count; begin += kChunk) {
    const std::int64_t chunk = std::min(kChunk, count - begin);
    std::int64_t indices[kChunk];
    for (std::int64_t i = 0; i < chunk; ++i)
      indices[i] = (*view.samples)[static_cast<std::size_t>(samples[begin + i])];
    for (std::size_t f = 0; f < bytes_.size(); ++f)
      chunk_fields[f] = static_cast<char*>(fields[f]) + begin * bytes_[f];
    Status done = read_source(view.source, indices, chunk, chunk_fields);
    if (!done) return done;
  }
  return {};
}

}  // namespace strata
