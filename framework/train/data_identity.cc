// Samples are read in an order that spreads any first part of them over the whole split. How many
// is kept, so that the same ones are read again, and depends on their size alone: checksums that a
// slow machine took over fewer samples would tell runs on the same data apart.
#include "framework/train/data_identity.h"

#include <zlib.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "framework/runtime/data_source.h"
#include "framework/tensor/parallel.h"

namespace strata {
namespace {

constexpr std::int64_t kTile = 64;            // samples of a task
constexpr std::int64_t kBlock = 4096;         // samples whose sums are kept at once
constexpr std::int64_t kBytes = 200'000'000;  // of one split: all of MNIST

// About the golden ratio of n, without a common divisor.
std::int64_t stride_of(std::int64_t n) {
  auto stride =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(0.618 * static_cast<double>(n)));
  while (std::gcd(stride, n) != 1) ++stride;
  return stride;
}

// Reads one split's samples.
class Reader {
 public:
  Reader(const Program& program, const InputPipeline& data, int split, std::int64_t samples)
      : data_(data), split_(split), samples_(samples), stride_(stride_of(samples)) {
    for (const auto& field : program.data.stages.front().fields)
      bytes_.push_back(bytes_of(field, program.train.precision));
  }

  std::int64_t bytes_of_sample() const {
    return std::accumulate(bytes_.begin(), bytes_.end(), std::int64_t{0});
  }

  // Goes on with samples [begin, end) of the order.
  Status add(std::int64_t begin, std::int64_t end) {
    begin_ = begin;
    end_ = end;
    crcs_.assign(static_cast<std::size_t>((end - begin + kTile - 1) / kTile), 0);
    errors_.assign(crcs_.size(), std::nullopt);
    parallel_tasks(
        static_cast<std::int64_t>(crcs_.size()),
        [](void* self, std::int64_t task) { static_cast<Reader*>(self)->tile(task); }, this);
    for (const auto& error : errors_) {
      if (error) return *error;
    }
    crc = add_bytes(crc, crcs_.data(), static_cast<std::int64_t>(crcs_.size() * sizeof crcs_[0]));
    return {};
  }

  std::uint32_t crc = 0;

 private:
  static std::uint32_t add_bytes(std::uint32_t crc, const void* data, std::int64_t bytes) {
    return static_cast<std::uint32_t>(
        crc32_z(crc, static_cast<const Bytef*>(data), static_cast<std::size_t>(bytes)));
  }

  void tile(std::int64_t task) {
    const std::int64_t begin = begin_ + task * kTile, count = std::min(kTile, end_ - begin);
    std::int64_t indices[kTile];
    for (std::int64_t i = 0; i < count; ++i)
      indices[i] = static_cast<std::int64_t>(static_cast<unsigned __int128>(begin + i) *
                                             static_cast<std::uint64_t>(stride_) %
                                             static_cast<std::uint64_t>(samples_));
    std::vector<std::vector<char>> fields;
    std::vector<void*> places;
    for (const std::int64_t bytes : bytes_)
      places.push_back(fields.emplace_back(static_cast<std::size_t>(bytes * count)).data());
    const Status done = data_.read_raw(split_, indices, count, places.data());
    if (!done) errors_[static_cast<std::size_t>(task)] = done.error();
    std::uint32_t sum = 0;
    for (const auto& field : fields)
      sum = add_bytes(sum, field.data(), static_cast<std::int64_t>(field.size()));
    crcs_[static_cast<std::size_t>(task)] = sum;
  }

  const InputPipeline& data_;
  int split_;
  std::int64_t samples_, stride_;
  std::vector<std::int64_t> bytes_;  // of each field
  std::int64_t begin_ = 0, end_ = 0;
  std::vector<std::uint32_t> crcs_;  // of each tile
  std::vector<std::optional<Error>> errors_;
};

// With `checked` below 0 as many samples as their size allows.
Result<SplitIdentity> identify_split(const Program& program, const InputPipeline& data, int split,
                                     std::int64_t checked) {
  const auto& facts = data.description().splits[static_cast<std::size_t>(split)];
  SplitIdentity identity{facts.name, facts.samples, 0, 0};
  if (facts.samples <= 0) return identity;
  Reader reader(program, data, split, facts.samples);
  const std::int64_t most = checked < 0 ? checked_samples(facts.samples, reader.bytes_of_sample())
                                        : std::min(checked, facts.samples);
  while (identity.checked < most) {
    const std::int64_t end = std::min(most, identity.checked + kBlock);
    const Status done = reader.add(identity.checked, end);
    if (!done) return done.error();
    identity.checked = end;
  }
  identity.crc = reader.crc;
  return identity;
}

constexpr const char* kSplits[] = {"train", "val"};

}  // namespace

std::int64_t checked_samples(std::int64_t samples, std::int64_t bytes_of_sample) {
  return std::min(samples, std::max(kTile, kBytes / std::max<std::int64_t>(1, bytes_of_sample)));
}

Result<DataIdentity> identify_data(const Program& program, const InputPipeline& data) {
  DataIdentity identity;
  for (const char* name : kSplits) {
    const int split = data.description().find_split(name);
    if (split < 0) continue;
    auto one = identify_split(program, data, split, -1);
    if (!one) return one.error();
    identity.push_back(std::move(*one));
  }
  return identity;
}

Result<std::vector<std::string>> data_differences(const DataIdentity& before,
                                                  const Program& program,
                                                  const InputPipeline& data) {
  std::vector<std::string> found;
  for (const char* name : kSplits) {
    const auto known = std::find_if(before.begin(), before.end(),
                                    [&](const SplitIdentity& one) { return one.name == name; });
    const int split = data.description().find_split(name);
    const std::int64_t samples =
        split < 0 ? 0 : data.description().splits[static_cast<std::size_t>(split)].samples;
    const std::int64_t had = known == before.end() ? 0 : known->samples;
    if (had != samples) {
      found.push_back(fmt::format("{}_samples: {} -> {}", name, had, samples));
    } else if (had > 0) {
      auto now = identify_split(program, data, split, known->checked);
      if (!now) return now.error();
      if (now->crc != known->crc)
        found.push_back(fmt::format("other {} data: they are not those the run began with", name));
    }
  }
  return found;
}

}  // namespace strata
