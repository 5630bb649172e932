// The random streams that plugins draw from, as the host serves them.
#include "framework/plugin/services.h"
#include "tests/plugins/plugin_test.h"

namespace strata::test {
namespace {

std::vector<std::uint32_t> words(const StreamKey& key, std::uint64_t offset, std::int64_t count) {
  std::vector<std::uint32_t> out(static_cast<std::size_t>(count));
  host_services().random(nullptr, key.data(), offset, count, out.data());
  return out;
}

// Random123's known answer for philox4x32-10 with a counter and a key of zeros.
TEST(RandomStreams, ArePhilox) {
  EXPECT_EQ(words({0, 0}, 0, 4),
            (std::vector<std::uint32_t>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
}

// Long stretches are made by another loop than short ones; words are the same, wherever a call
// begins and ends.
TEST(RandomStreams, AreTheSameHoweverTheyAreCut) {
  const StreamKey key = {0x123456789abcdef0, 0xfedcba9876543210};
  const std::uint64_t start = (std::uint64_t{1} << 34) - 100;  // the block's number passes 2^32
  const auto whole = words(key, start, 1000);
  for (const std::int64_t step : {1, 3, 4, 63, 64, 65, 200}) {
    std::vector<std::uint32_t> parts;
    for (std::int64_t done = 0; done < 1000; done += step) {
      const auto part = words(key, start + static_cast<std::uint64_t>(done),
                              std::min<std::int64_t>(step, 1000 - done));
      parts.insert(parts.end(), part.begin(), part.end());
    }
    EXPECT_EQ(parts, whole) << "in steps of " << step;
  }
}

TEST(RandomStreams, OfOtherKeysAreOthers) {
  EXPECT_NE(words({1, 0}, 0, 8), words({0, 0}, 0, 8));
  EXPECT_NE(words({0, 1}, 0, 8), words({0, 0}, 0, 8));
}

}  // namespace
}  // namespace strata::test
