// Streams over Random123's Philox4x32-10.
#include "framework/base/random.h"

#include <Random123/philox.h>

#include <numeric>
#include <utility>

namespace strata {
namespace {

using Philox = r123::Philox4x32;

std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

Philox::ctr_type block(const StreamKey& key, std::uint64_t index) {
  const Philox::ctr_type counter = {{low(index), high(index), low(key[1]), high(key[1])}};
  const Philox::key_type philox_key = {{low(key[0]), high(key[0])}};
  return Philox()(counter, philox_key);
}

// block() of kLanes indices in a row, side by side, so that the compiler vectorises: dropout takes
// a word per value.
constexpr std::uint64_t kLanes = 16;

void blocks(const StreamKey& key, std::uint64_t index, std::uint32_t* out) {
  std::uint32_t x[4][kLanes];
  for (std::uint64_t i = 0; i < kLanes; ++i) {
    x[0][i] = low(index + i);
    x[1][i] = high(index + i);
    x[2][i] = low(key[1]);
    x[3][i] = high(key[1]);
  }
  std::uint32_t key0 = low(key[0]), key1 = high(key[0]);
  for (int round = 0; round < 10; ++round) {
    for (std::uint64_t i = 0; i < kLanes; ++i) {
      const std::uint64_t product0 = std::uint64_t{PHILOX_M4x32_0} * x[0][i];
      const std::uint64_t product1 = std::uint64_t{PHILOX_M4x32_1} * x[2][i];
      x[0][i] = high(product1) ^ x[1][i] ^ key0;
      x[1][i] = low(product1);
      x[2][i] = high(product0) ^ x[3][i] ^ key1;
      x[3][i] = low(product0);
    }
    key0 += PHILOX_W32_0;
    key1 += PHILOX_W32_1;
  }
  for (std::uint64_t i = 0; i < kLanes; ++i) {
    for (std::uint64_t word = 0; word < 4; ++word) out[4 * i + word] = x[word][i];
  }
}

}  // namespace

StreamKey stream_key(std::uint64_t seed, Purpose purpose, std::uint64_t a, std::uint64_t b) {
  // Two rounds spread all four numbers over the 128 bits of a key.
  const StreamKey first = {seed, a};
  const auto x = block(first, static_cast<std::uint64_t>(purpose));
  const StreamKey second = {(std::uint64_t{x[1]} << 32) | x[0], (std::uint64_t{x[3]} << 32) | x[2]};
  const auto y = block(second, b);
  return {(std::uint64_t{y[1]} << 32) | y[0], (std::uint64_t{y[3]} << 32) | y[2]};
}

std::uint64_t name_hash(const char* name, std::size_t size) {
  std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
  for (std::size_t i = 0; i < size; ++i) {
    hash ^= static_cast<unsigned char>(name[i]);
    hash *= 0x100000001b3u;
  }
  return hash;
}

void random_words(const StreamKey& key, std::uint64_t offset, std::int64_t count,
                  std::uint32_t* out) {
  std::int64_t done = 0;
  while (done < count) {
    const std::uint64_t word = offset + static_cast<std::uint64_t>(done);
    if (word % 4 == 0 && count - done >= static_cast<std::int64_t>(4 * kLanes)) {
      blocks(key, word / 4, out + done);
      done += 4 * kLanes;
      continue;
    }
    const auto words = block(key, word / 4);
    for (std::uint64_t i = word % 4; i < 4 && done < count; ++i) out[done++] = words[i];
  }
}

std::vector<std::uint32_t> random_permutation(const StreamKey& key, std::uint32_t n) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  if (n < 2) return order;
  std::vector<std::uint32_t> words(2 * std::size_t{n});
  random_words(key, 0, static_cast<std::int64_t>(words.size()), words.data());
  for (std::uint32_t i = n - 1; i > 0; --i) {
    // 64 random bits times i + 1, high part: the bias is below 2^-32.
    const std::uint64_t bits = (std::uint64_t{words[2 * i]} << 32) | words[2 * i + 1];
    const auto j =
        static_cast<std::uint32_t>((static_cast<unsigned __int128>(bits) * (i + 1u)) >> 64);
    std::swap(order[i], order[j]);
  }
  return order;
}

std::vector<bool> random_choice(const StreamKey& key, std::uint32_t n, std::uint32_t count) {
  const std::vector<std::uint32_t> order = random_permutation(key, n);
  std::vector<bool> chosen(n, false);
  for (std::uint32_t i = 0; i < count; ++i) chosen[order[i]] = true;
  return chosen;
}

}  // namespace strata
