// Batches from a data set: gathers samples tile by tile and takes each tile through all transforms
// while it is in cache. There are two sets of buffers: one that the caller works on, one that the
// next batch is read into meanwhile.
#include "framework/runtime/input_pipeline.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <optional>
#include <type_traits>
#include <utility>

#include "framework/base/random.h"
#include "framework/plugin/services.h"
#include "framework/runtime/background_tasks.h"
#include "framework/tensor/parallel.h"

namespace strata {
namespace {

constexpr std::int64_t kTile = 32;  // samples a task takes from the data set to the batch
constexpr std::int64_t kFewTiles = 4;
constexpr double kLongRead = 1e-4;  // seconds
using Clock = std::chrono::steady_clock;
// Bytes of a batch, transforms included, from which on it is read while a step runs. Below, handing
// it over costs more than is gained.
constexpr std::int64_t kWorthReadingAhead = 1 << 16;

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
    all_sample_bytes_ =
        std::accumulate(sample_bytes_.begin(), sample_bytes_.end(), std::int64_t{0});
    for (Batch& batch : batches_) {
      batch.buffers.resize(sample_bytes_.size());
      batch.view.resize(stages_.back().buffers.size());
    }
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
    const bool ready = ahead_.running() && next_.split == split && next_.count == count &&
                       next_.training == training && next_.epoch == epoch &&
                       std::equal(indices, indices + count, next_.indices);
    ahead_.wait();
    if (ready) {
      std::swap(batches_[0], batches_[1]);
      return finish(batches_[0]);
    }
    Request request{split, indices, count, training, epoch};
    reserve(batches_[0], count);
    const auto begin = Clock::now();
    auto batch =
        run(batches_[0], [&](std::int64_t task) { read_tile(batches_[0], request, task); });
    const std::chrono::duration<double> seconds = Clock::now() - begin;
    // The fastest so far: what disturbed a read once does not count.
    seconds_per_sample_ =
        std::min(seconds_per_sample_, seconds.count() / static_cast<double>(count));
    return batch;
  }

  bool worth_reading_ahead(std::int64_t count) const override {
    return tiles(count) < kFewTiles && BackgroundTasks::others_can_help() &&
           seconds_per_sample_ < std::numeric_limits<double>::infinity() &&
           seconds_per_sample_ * static_cast<double>(count) >= kLongRead;
  }

  void read_ahead(int split, const std::uint32_t* indices, std::int64_t count, bool training,
                  std::int64_t epoch) override {
    ahead_.wait();
    if (count * all_sample_bytes_ < kWorthReadingAhead || !BackgroundTasks::others_can_help())
      return;
    next_indices_.assign(indices, indices + count);
    next_ = {split, next_indices_.data(), count, training, epoch};
    reserve(batches_[1], count);
    ahead_.start(
        tiles(count),
        [](void* context, std::int64_t task) {
          auto& self = *static_cast<Pipeline*>(context);
          self.read_tile(self.batches_[1], self.next_, task);
        },
        this);
  }

  Result<BatchView> transform(const void* const* raw_fields, std::int64_t count) override {
    ahead_.wait();
    Batch& batch = batches_[0];
    reserve(batch, count);
    return run(batch, [&](std::int64_t task) {
      const std::int64_t begin = task * kTile, tile = std::min(kTile, count - begin);
      void* fields[kMostFields];
      point(batch, stages_[0], begin, fields);
      for (std::size_t f = 0; f < stages_[0].bytes.size(); ++f) {
        std::copy_n(static_cast<const char*>(raw_fields[f]) + begin * stages_[0].bytes[f],
                    tile * stages_[0].bytes[f], static_cast<char*>(fields[f]));
      }
      const std::uint64_t keys[2 * kTile] = {};
      const Status done =
          transform_tile(batch, begin, tile, false, [&](std::size_t) { return keys; });
      if (!done) batch.errors[static_cast<std::size_t>(task)] = done.error();
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

  // Samples on their way from the data set, or where they are in the end.
  struct Batch {
    std::int64_t count = 0, capacity = 0;
    std::vector<std::vector<char>> buffers;
    std::vector<std::optional<Error>> errors;  // of each tile
    std::vector<const void*> view;
  };
  // What read() was asked for.
  struct Request {
    int split = 0;
    const std::uint32_t* indices = nullptr;
    std::int64_t count = 0;
    bool training = false;
    std::int64_t epoch = 0;
  };

  static std::int64_t tiles(std::int64_t count) { return (count + kTile - 1) / kTile; }

  void reserve(Batch& batch, std::int64_t count) {
    batch.count = count;
    batch.errors.assign(std::max(batch.errors.size(), static_cast<std::size_t>(tiles(count))),
                        std::nullopt);
    if (count <= batch.capacity) return;
    batch.capacity = count;
    for (std::size_t b = 0; b < batch.buffers.size(); ++b)
      batch.buffers[b].resize(static_cast<std::size_t>(count * sample_bytes_[b]));
  }

  static void point(Batch& batch, const Stage& stage, std::int64_t begin, void** fields) {
    for (std::size_t f = 0; f < stage.buffers.size(); ++f) {
      fields[f] =
          batch.buffers[static_cast<std::size_t>(stage.buffers[f])].data() + begin * stage.bytes[f];
    }
  }

  // One tile of samples, from the data set through all transforms.
  void read_tile(Batch& batch, const Request& request, std::int64_t task) {
    const std::int64_t begin = task * kTile, tile = std::min(kTile, request.count - begin);
    std::int64_t samples[kTile];
    std::copy_n(request.indices + begin, tile, samples);
    void* fields[kMostFields];
    point(batch, stages_[0], begin, fields);
    const Instance& dataset = *data_.dataset;
    Status done = call_noted(dataset, "read", dataset.functions<strata_dataset>().read,
                             std::int64_t{request.split}, samples, tile, real_dtype(),
                             static_cast<void* const*>(fields));
    std::uint64_t keys[2 * kTile];
    if (done) {
      done = transform_tile(batch, begin, tile, request.training, [&](std::size_t transform) {
        for (std::int64_t i = 0; i < tile; ++i) {
          const StreamKey key =
              stream_key(seed_, Purpose::kTransform, static_cast<std::uint64_t>(request.epoch),
                         (static_cast<std::uint64_t>(samples[i]) << 8) | transform);
          keys[2 * i] = key[0];
          keys[2 * i + 1] = key[1];
        }
        return static_cast<const std::uint64_t*>(keys);
      });
    }
    if (!done) batch.errors[static_cast<std::size_t>(task)] = done.error();
  }

  // keys_of(transform) gives the random keys of the tile's samples.
  template <class Keys>
  Status transform_tile(Batch& batch, std::int64_t begin, std::int64_t tile, bool training,
                        Keys&& keys_of) {
    for (std::size_t t = 0; t < data_.transforms.size(); ++t) {
      void* in[kMostFields];
      void* out[kMostFields];
      point(batch, stages_[t], begin, in);
      point(batch, stages_[t + 1], begin, out);
      const strata_transform_pass pass{sizeof pass, real_dtype(),     training, tile,   in, out,
                                       keys_of(t),  &host_services(), nullptr,  nullptr};
      const Instance& transform = *data_.transforms[t];
      const Status done = call_noted(
          transform, "apply", transform.functions<strata_transform>().apply, stages_[t].raw.data(),
          static_cast<std::int64_t>(stages_[t].raw.size()), &pass);
      if (!done) return done;
    }
    return {};
  }

  // tile(task) over all tiles of the batch in parallel.
  template <class Tile>
  Result<BatchView> run(Batch& batch, Tile&& tile) {
    using Plain = std::remove_reference_t<Tile>;
    parallel_tasks(
        tiles(batch.count),
        [](void* context, std::int64_t task) { (*static_cast<Plain*>(context))(task); }, &tile);
    return finish(batch);
  }

  // The batch, or the first error in order of samples.
  Result<BatchView> finish(Batch& batch) {
    for (const auto& error : batch.errors) {
      if (error) return *error;
    }
    for (std::size_t f = 0; f < batch.view.size(); ++f)
      batch.view[f] = batch.buffers[static_cast<std::size_t>(stages_.back().buffers[f])].data();
    return BatchView{batch.count, batch.view.data()};
  }

  double seconds_per_sample_ = std::numeric_limits<double>::infinity();  // of reads that waited
  const DataPipeline& data_;
  Precision precision_;
  std::uint64_t seed_;
  DataDescription description_;
  std::vector<Stage> stages_;
  std::vector<std::int64_t> sample_bytes_;  // of each buffer
  std::int64_t all_sample_bytes_ = 0;
  Batch batches_[2];  // the caller's, the next
  Request next_;
  std::vector<std::uint32_t> next_indices_;
  BackgroundTasks ahead_;  // last: it waits before what its tasks use is gone
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
