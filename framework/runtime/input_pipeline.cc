// Batches from a data set: gathers samples tile by tile and takes each tile through the transforms
// while it is in cache; what transforms a whole batch follows when all tiles are there. There are
// two sets of buffers: one that the caller works on, one that the next batch is read into
// meanwhile.
#include "framework/runtime/input_pipeline.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <numeric>
#include <optional>
#include <type_traits>
#include <utility>

#include "framework/base/random.h"
#include "framework/runtime/background_tasks.h"
#include "framework/runtime/data_source.h"
#include "framework/runtime/transform_chain.h"
#include "framework/tensor/parallel.h"

namespace strata {
namespace {

constexpr std::int64_t kTile = 32;  // samples a task takes from the data set to the batch
constexpr std::int64_t kFewTiles = 4;
constexpr std::int64_t kFitBatch = 512;
constexpr double kLongRead = 1e-4;  // seconds
using Clock = std::chrono::steady_clock;
// Bytes of a batch, transforms included, from which on it is read while a step runs. Below, handing
// it over costs more than is gained.
constexpr std::int64_t kWorthReadingAhead = 1 << 16;

class Pipeline final : public InputPipeline {
 public:
  Pipeline(const DataPipeline& data, Precision precision, std::uint64_t seed)
      : seed_(seed),
        description_(data.result()),
        source_(data, precision),
        chain_(data, precision, seed) {
    const std::vector<std::int64_t>& bytes = chain_.buffer_bytes();
    all_sample_bytes_ = std::accumulate(bytes.begin(), bytes.end(), std::int64_t{0});
    for (Batch& batch : batches_) {
      batch.buffers.resize(bytes.size());
      batch.view.resize(chain_.field_count(chain_.transforms()));
    }
  }

  Status open_data() {
    Status opened = source_.open();
    if (opened) description_.splits = source_.splits();
    return opened;
  }

  const DataDescription& description() const override { return description_; }
  const std::vector<NamedTensor>& fitted() const override { return chain_.fitted(); }

  Status fit(int split) override {
    ahead_.wait();
    const std::int64_t samples = description_.splits[static_cast<std::size_t>(split)].samples;
    for (std::size_t t = 0; t < chain_.transforms(); ++t) {
      if (!chain_.fits(t)) continue;
      chain_.begin_fit(t);
      for (std::int64_t begin = 0; begin < samples; begin += kFitBatch) {
        const std::int64_t count = std::min(kFitBatch, samples - begin);
        std::vector<std::uint32_t> indices(static_cast<std::size_t>(count));
        std::iota(indices.begin(), indices.end(), static_cast<std::uint32_t>(begin));
        const Status read = read_up_to(t, {split, indices.data(), count, false, 0});
        if (!read) return read;
        Status done = chain_.fit(t, batches_[0].buffers, count);
        if (!done) return done;
      }
      Status done = chain_.end_fit(t);
      if (!done) return done;
    }
    return {};
  }

  Status read_raw(int split, const std::int64_t* samples, std::int64_t count,
                  void* const* fields) const override {
    return source_.read(split, samples, count, fields);
  }

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
    if (Status fitted = check_fitted(); !fitted) return fitted.error();
    const Request request{split, indices, count, training, epoch};
    if (ready) {
      std::swap(batches_[0], batches_[1]);
      return finish(batches_[0], request.keys());
    }
    reserve(batches_[0], count);
    const auto begin = Clock::now();
    over_tiles(batches_[0], [&](std::int64_t task) { read_tile(batches_[0], request, task); });
    auto batch = finish(batches_[0], request.keys());
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
    if (Status fitted = check_fitted(); !fitted) return fitted.error();
    Batch& batch = batches_[0];
    reserve(batch, count);
    over_tiles(batch, [&](std::int64_t task) {
      const auto [begin, size] = tile_of(task, count);
      void* fields[kMostDataFields];
      chain_.point(batch.buffers, 0, begin, fields);
      const std::vector<std::int64_t>& bytes = chain_.bytes(0);
      for (std::size_t f = 0; f < bytes.size(); ++f) {
        std::copy_n(static_cast<const char*>(raw_fields[f]) + begin * bytes[f], size * bytes[f],
                    static_cast<char*>(fields[f]));
      }
      note(batch, task, chain_.run_tile(batch.buffers, 0, chain_.section_end(0), begin, size, {}));
    });
    return finish(batch, {});
  }

 private:
  // Samples on their way from the data set, or where they are in the end.
  struct Batch {
    std::int64_t count = 0, capacity = 0;
    TransformChain::Buffers buffers;
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
    TransformChain::Keys keys() const { return {training, epoch, indices}; }
  };

  static std::int64_t tiles(std::int64_t count) { return (count + kTile - 1) / kTile; }
  // Where a tile begins, and how many samples it has.
  static std::pair<std::int64_t, std::int64_t> tile_of(std::int64_t task, std::int64_t count) {
    return {task * kTile, std::min(kTile, count - task * kTile)};
  }

  // Numbers that a run goes on with, or evaluates with, are read into fitted() from outside.
  Status check_fitted() {
    if (fitted_is_sound_) return {};
    Status sound = chain_.require_fitted();
    if (sound) fitted_is_sound_ = true;
    return sound;
  }

  void reserve(Batch& batch, std::int64_t count) {
    batch.count = count;
    batch.errors.assign(std::max(batch.errors.size(), static_cast<std::size_t>(tiles(count))),
                        std::nullopt);
    if (count <= batch.capacity) return;
    batch.capacity = count;
    for (std::size_t b = 0; b < batch.buffers.size(); ++b)
      batch.buffers[b].resize(static_cast<std::size_t>(count * chain_.buffer_bytes()[b]));
  }

  static void note(Batch& batch, std::int64_t task, const Status& done) {
    if (!done) batch.errors[static_cast<std::size_t>(task)] = done.error();
  }

  // One tile of samples, from the data set up to the first transform of whole batches, or to
  // `most`.
  void read_tile(Batch& batch, const Request& request, std::int64_t task,
                 std::size_t most = std::numeric_limits<std::size_t>::max()) {
    const auto [begin, size] = tile_of(task, request.count);
    std::int64_t samples[kTile];
    std::copy_n(request.indices + begin, size, samples);
    void* fields[kMostDataFields];
    chain_.point(batch.buffers, 0, begin, fields);
    Status done = source_.read(request.split, samples, size, fields);
    if (done) {
      done = chain_.run_tile(batch.buffers, 0, std::min(most, chain_.section_end(0)), begin, size,
                             request.keys());
    }
    note(batch, task, done);
  }

  // Samples as they come to a transform.
  Status read_up_to(std::size_t transform, const Request& request) {
    Batch& batch = batches_[0];
    reserve(batch, request.count);
    over_tiles(batch, [&](std::int64_t task) { read_tile(batch, request, task, transform); });
    return run_sections(batch, request.keys(), transform);
  }

  // tile(task) over all tiles of the batch in parallel.
  template <class Tile>
  void over_tiles(Batch& batch, Tile&& tile) {
    using Plain = std::remove_reference_t<Tile>;
    parallel_tasks(
        tiles(batch.count),
        [](void* context, std::int64_t task) { (*static_cast<Plain*>(context))(task); }, &tile);
  }

  // The first error in order of samples.
  static Status first_error(const Batch& batch) {
    for (const auto& error : batch.errors) {
      if (error) return *error;
    }
    return {};
  }

  // What comes after the tiles' first section, up to transform `end`.
  Status run_sections(Batch& batch, const TransformChain::Keys& keys, std::size_t end) {
    Status done = first_error(batch);
    for (std::size_t t = chain_.section_end(0); done && t < end; t = chain_.section_end(t + 1)) {
      done = chain_.run_batch(batch.buffers, t, batch.count, keys);
      const std::size_t next = std::min(end, chain_.section_end(t + 1));
      if (!done || next == t + 1) continue;
      over_tiles(batch, [&](std::int64_t task) {
        const auto [begin, size] = tile_of(task, batch.count);
        note(batch, task, chain_.run_tile(batch.buffers, t + 1, next, begin, size, keys));
      });
      done = first_error(batch);
    }
    return done;
  }

  Result<BatchView> finish(Batch& batch, const TransformChain::Keys& keys) {
    const Status done = run_sections(batch, keys, chain_.transforms());
    if (!done) return done.error();
    void* fields[kMostDataFields];
    chain_.point(batch.buffers, chain_.transforms(), 0, fields);
    std::copy_n(fields, batch.view.size(), batch.view.begin());
    return BatchView{batch.count, batch.view.data()};
  }

  double seconds_per_sample_ = std::numeric_limits<double>::infinity();  // of reads that waited
  std::uint64_t seed_;
  DataDescription description_;
  DataSource source_;
  TransformChain chain_;
  bool fitted_is_sound_ = false;
  std::int64_t all_sample_bytes_ = 0;
  Batch batches_[2];  // the caller's, the next
  Request next_;
  std::vector<std::uint32_t> next_indices_;
  BackgroundTasks ahead_;  // last: it waits before what its tasks use is gone
};

}  // namespace

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
