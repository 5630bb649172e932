// Batches from a data set: gathers samples tile by tile and takes each tile through all transforms
// while it is in cache.
#include "framework/runtime/input_pipeline.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <optional>

#include "framework/base/random.h"
#include "framework/plugin/services.h"
#include "framework/tensor/parallel.h"

namespace strata {
namespace {

constexpr std::int64_t kTile = 32;  // samples a task takes from the data set to the batch

std::int64_t bytes_of(const DataDescription::FieldInfo& field, Precision precision) {
  std::int64_t size = 4;
  switch (field.dtype) {
    case STRATA_U8:
      size = 1;
      break;
    case STRATA_F64:
      size = 8;
      break;
    case STRATA_REAL:
      size = precision == Precision::kF64 ? 8 : 4;
      break;
    default:
      break;
  }
  return size * field.shape.elements();
}

class Pipeline final : public InputPipeline {
 public:
  Pipeline(const DataPipeline& data, Precision precision, std::uint64_t seed)
      : data_(data), precision_(precision), seed_(seed), description_(data.result()) {
    for (const DataDescription& stage : data.stages) {
      Stage out;
      for (std::size_t f = 0; f < stage.fields.size(); ++f) {
        const auto& field = stage.fields[f];
        out.raw.push_back({sizeof(strata_field), field.name.c_str(), field.dtype, field.classes,
                           plugin_internal::from_shape(field.shape)});
        out.bytes.push_back(bytes_of(field, precision));
        // A field keeps its buffer through a transform that changes neither its type nor its shape.
        int same = -1;
        if (!stages_.empty() && f < stages_.back().raw.size()) {
          const auto& before = data.stages[stages_.size() - 1].fields[f];
          if (before.name == field.name && before.dtype == field.dtype &&
              before.shape == field.shape) {
            same = stages_.back().buffers[f];
          }
        }
        if (same < 0) {
          same = static_cast<int>(sample_bytes_.size());
          sample_bytes_.push_back(out.bytes.back());
        }
        out.buffers.push_back(same);
      }
      stages_.push_back(std::move(out));
    }
    buffers_.resize(sample_bytes_.size());
    view_.resize(stages_.back().buffers.size());
  }

  Status open_data() {
    auto opened = open_dataset(*data_.dataset, data_folders());
    if (!opened) return opened.error();
    description_.splits = opened->splits;
    return {};
  }

  const DataDescription& description() const override { return description_; }

  std::vector<std::uint32_t> training_order(int split, std::int64_t epoch,
                                            bool shuffle) const override {
    const auto samples =
        static_cast<std::uint32_t>(description_.splits[static_cast<std::size_t>(split)].samples);
    if (shuffle) {
      return random_permutation(
          stream_key(seed_, Purpose::kShuffle, static_cast<std::uint64_t>(epoch), 0), samples);
    }
    std::vector<std::uint32_t> order(samples);
    std::iota(order.begin(), order.end(), 0u);
    return order;
  }

  Result<BatchView> read(int split, const std::uint32_t* indices, std::int64_t count, bool training,
                         std::int64_t epoch) override {
    reserve(count);
    return run(count, [&](std::int64_t begin, std::int64_t tile, std::uint64_t* keys) -> Status {
      std::int64_t samples[kTile];
      std::copy_n(indices + begin, tile, samples);
      void* fields[kMostFields];
      point(stages_[0], begin, fields);
      const Instance& dataset = *data_.dataset;
      Status done =
          call_plugin(dataset.functions<strata_dataset>().read, dataset.raw(), std::int64_t{split},
                      samples, tile, real_dtype(), static_cast<void* const*>(fields));
      if (!done) return done;
      return transform_tile(begin, tile, training, [&](std::size_t transform) {
        for (std::int64_t i = 0; i < tile; ++i) {
          const StreamKey key =
              stream_key(seed_, Purpose::kTransform, static_cast<std::uint64_t>(epoch),
                         (static_cast<std::uint64_t>(samples[i]) << 8) | transform);
          keys[2 * i] = key[0];
          keys[2 * i + 1] = key[1];
        }
        return static_cast<const std::uint64_t*>(keys);
      });
    });
  }

  Result<BatchView> transform(const void* const* raw_fields, std::int64_t count) override {
    reserve(count);
    return run(count, [&](std::int64_t begin, std::int64_t tile, std::uint64_t* keys) -> Status {
      void* fields[kMostFields];
      point(stages_[0], begin, fields);
      for (std::size_t f = 0; f < stages_[0].bytes.size(); ++f) {
        std::copy_n(static_cast<const char*>(raw_fields[f]) + begin * stages_[0].bytes[f],
                    tile * stages_[0].bytes[f], static_cast<char*>(fields[f]));
      }
      std::fill_n(keys, 2 * tile, std::uint64_t{0});
      return transform_tile(begin, tile, false,
                            [&](std::size_t) { return static_cast<const std::uint64_t*>(keys); });
    });
  }

 private:
  static constexpr std::size_t kMostFields = 64;

  // Fields after i transforms, and which buffers hold them.
  struct Stage {
    std::vector<strata_field> raw;
    std::vector<std::int64_t> bytes;  // per sample
    std::vector<int> buffers;
  };

  std::int32_t real_dtype() const {
    return precision_ == Precision::kF64 ? STRATA_F64 : STRATA_F32;
  }

  void reserve(std::int64_t count) {
    if (count <= capacity_) return;
    capacity_ = count;
    for (std::size_t b = 0; b < buffers_.size(); ++b) {
      buffers_[b].resize(static_cast<std::size_t>(count * sample_bytes_[b]));
    }
  }

  void point(const Stage& stage, std::int64_t begin, void** fields) {
    for (std::size_t f = 0; f < stage.buffers.size(); ++f) {
      fields[f] =
          buffers_[static_cast<std::size_t>(stage.buffers[f])].data() + begin * stage.bytes[f];
    }
  }

  // keys_of(transform) gives the random keys of the tile's samples.
  template <class Keys>
  Status transform_tile(std::int64_t begin, std::int64_t tile, bool training, Keys&& keys_of) {
    for (std::size_t t = 0; t < data_.transforms.size(); ++t) {
      void* in[kMostFields];
      void* out[kMostFields];
      point(stages_[t], begin, in);
      point(stages_[t + 1], begin, out);
      const strata_transform_pass pass{sizeof pass, real_dtype(), training,         tile,   in,
                                       out,         keys_of(t),   &host_services(), nullptr};
      const Instance& transform = *data_.transforms[t];
      const Status done = call_plugin(transform.functions<strata_transform>().apply,
                                      transform.raw(), stages_[t].raw.data(),
                                      static_cast<std::int64_t>(stages_[t].raw.size()), &pass);
      if (!done) return done;
    }
    return {};
  }

  // tile(begin, count, keys) over fixed tiles in parallel; the first error in order of samples
  // counts.
  template <class Tile>
  Result<BatchView> run(std::int64_t count, Tile&& tile) {
    const std::int64_t tiles = (count + kTile - 1) / kTile;
    if (static_cast<std::int64_t>(errors_.size()) < tiles)
      errors_.resize(static_cast<std::size_t>(tiles));
    auto body = [&](std::int64_t task) {
      std::uint64_t keys[2 * kTile];
      Status done = tile(task * kTile, std::min(kTile, count - task * kTile), keys);
      if (!done) errors_[static_cast<std::size_t>(task)] = done.error();
    };
    parallel_tasks(
        tiles,
        [](void* context, std::int64_t task) { (*static_cast<decltype(body)*>(context))(task); },
        &body);
    for (std::int64_t i = 0; i < tiles; ++i) {
      if (auto& error = errors_[static_cast<std::size_t>(i)]) {
        Error first = *error;
        errors_.assign(errors_.size(), std::nullopt);
        return first;
      }
    }
    for (std::size_t f = 0; f < view_.size(); ++f) {
      view_[f] = buffers_[static_cast<std::size_t>(stages_.back().buffers[f])].data();
    }
    return BatchView{count, view_.data()};
  }

  const DataPipeline& data_;
  Precision precision_;
  std::uint64_t seed_;
  DataDescription description_;
  std::vector<Stage> stages_;
  std::vector<std::int64_t> sample_bytes_;  // of each buffer
  std::vector<std::vector<char>> buffers_;
  std::int64_t capacity_ = 0;
  std::vector<std::optional<Error>> errors_;
  std::vector<const void*> view_;
};

}  // namespace

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

std::int64_t BatchPlan::batches() const {
  switch (last) {
    case LastBatch::kDrop:
      return samples / batch_size;
    case LastBatch::kMerge:
      return samples == 0 ? 0 : std::max<std::int64_t>(1, samples / batch_size);
    case LastBatch::kKeep:
      break;
  }
  return samples / batch_size + (samples % batch_size != 0);
}

std::int64_t BatchPlan::begin(std::int64_t batch) const { return batch * batch_size; }

std::int64_t BatchPlan::size(std::int64_t batch) const {
  if (batch + 1 < batches() || last == LastBatch::kDrop) return batch_size;
  return samples - begin(batch);
}

std::int64_t BatchPlan::largest() const {
  const std::int64_t count = batches();
  return count == 0 ? 0 : std::max(size(0), size(count - 1));
}

Result<std::unique_ptr<InputPipeline>> InputPipeline::open(const DataPipeline& data,
                                                           Precision precision,
                                                           std::uint64_t seed) {
  auto pipeline = std::make_unique<Pipeline>(data, precision, seed);
  const Status done = pipeline->open_data();
  if (!done) return done.error();
  return std::unique_ptr<InputPipeline>(std::move(pipeline));
}

Result<std::unique_ptr<InputPipeline>> InputPipeline::unopened(const DataPipeline& data,
                                                               Precision precision) {
  return std::unique_ptr<InputPipeline>(std::make_unique<Pipeline>(data, precision, 0));
}

}  // namespace strata
