// The executor's block of memory. Large buffers are placed first, each at the lowest place that no
// buffer in use at the same time has (greedy by size: Pisarchyk and Lee, 2020, arXiv:2001.03288).
#include "framework/runtime/layout.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <numeric>

namespace strata {
namespace {

constexpr std::int64_t kAlignment = 64;
// A step goes through all of a large block: with pages of 2 MB, as few of them as a core looks up
// at once, and its prefetchers reach further. Whole ones only, so that no memory is wasted.
constexpr std::int64_t kLargePage = std::int64_t{1} << 21;
// Placing takes the square of the number of buffers; beyond this many, the time is not worth it.
constexpr std::size_t kMostPlaced = 20'000;

std::int64_t aligned(std::int64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

Arena::Handle Arena::reserve(std::int64_t bytes) {
  buffers_.push_back({aligned(bytes), 0, 0, 0, true});
  return buffers_.size() - 1;
}

Arena::Handle Arena::reserve(std::int64_t bytes, std::int64_t begin, std::int64_t end) {
  buffers_.push_back({aligned(bytes), begin, end, 0, false});
  return buffers_.size() - 1;
}

void Arena::place_shared(std::int64_t base) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    if (!buffers_[i].forever) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return buffers_[a].bytes > buffers_[b].bytes;
  });
  std::vector<const Buffer*> placed;  // by offset
  for (const std::size_t i : order) {
    Buffer& buffer = buffers_[i];
    std::int64_t offset = 0;
    for (const Buffer* other : placed) {
      if (other->end < buffer.begin || other->begin > buffer.end) continue;
      if (other->offset - base >= offset + buffer.bytes) break;
      offset = std::max(offset, other->offset - base + other->bytes);
    }
    buffer.offset = base + offset;
    shared_ = std::max(shared_, offset + buffer.bytes);
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), &buffer,
                         [](const Buffer* a, const Buffer* b) { return a->offset < b->offset; }),
        &buffer);
  }
}

void Arena::allocate(bool reuse) {
  const auto timed = static_cast<std::size_t>(
      std::count_if(buffers_.begin(), buffers_.end(), [](const Buffer& b) { return !b.forever; }));
  reuse = reuse && timed <= kMostPlaced;
  for (Buffer& buffer : buffers_) {
    if (reuse && !buffer.forever) continue;
    buffer.offset = size_;
    size_ += buffer.bytes;
    if (!buffer.forever) shared_ += buffer.bytes;
  }
  if (reuse) {
    place_shared(size_);
    size_ += shared_;
  }
  const auto bytes = static_cast<std::size_t>(size_ > 0 ? size_ : kAlignment);
  const auto alignment =
      static_cast<std::align_val_t>(size_ >= kLargePage ? kLargePage : kAlignment);
  block_ = {static_cast<std::byte*>(::operator new(bytes, alignment)), Free{alignment}};
  // What the kernel does not grant costs speed alone.
  if (size_ >= kLargePage)
    ::madvise(block_.get(), static_cast<std::size_t>(size_ / kLargePage * kLargePage),
              MADV_HUGEPAGE);
  std::memset(block_.get(), 0, bytes);
}

void Arena::Free::operator()(std::byte* block) const { ::operator delete(block, alignment); }

}  // namespace strata
