// Random numbers as counters: the n-th word of a stream is a function of the stream's key and n
// alone, so results depend neither on who computes them nor on what came before (Philox4x32-10:
// Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011; by way of Random123).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace strata {

using StreamKey = std::array<std::uint64_t, 2>;

// What a stream is for; part of its key, so that streams of one seed never meet. Values are part of
// the results: append.
enum class Purpose : std::uint32_t {
  kWeights = 1,
  kShuffle = 2,
  kLayer = 3,
  kTransform = 4,
  kSynthetic = 5,
  kStudy = 6,
  kSplit = 7
};

// The stream of (seed, purpose, a, b): (seed, kLayer, step, node) for dropout, (seed, kShuffle,
// epoch, 0), …
StreamKey stream_key(std::uint64_t seed, Purpose purpose, std::uint64_t a, std::uint64_t b);

// A key from a name, so that a parameter's stream depends on what it is called and not on its place
// in the model.
std::uint64_t name_hash(const char* name, std::size_t size);

// Words [offset, offset + count) of a stream.
void random_words(const StreamKey& key, std::uint64_t offset, std::int64_t count,
                  std::uint32_t* out);

// A uniformly random order of 0 … n-1 (Fisher and Yates); n below 2^32.
std::vector<std::uint32_t> random_permutation(const StreamKey& key, std::uint32_t n);

// Which of n are among `count` chosen at random.
std::vector<bool> random_choice(const StreamKey& key, std::uint32_t n, std::uint32_t count);

}  // namespace strata
