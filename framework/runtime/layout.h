// Memory of an executor: one block, cut into aligned buffers before the first step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace strata {

// First every buffer is asked for, with the time in which it is in use; then the block is
// allocated, zeroed, and addresses are handed out. Buffers that are never in use at once may share
// memory.
class Arena {
 public:
  using Handle = std::size_t;

  // A buffer of `bytes`, aligned to 64, for good.
  Handle reserve(std::int64_t bytes);
  // One that is in use from `begin` to `end`, both included, on the caller's scale of time.
  Handle reserve(std::int64_t bytes, std::int64_t begin, std::int64_t end);

  // Throws std::bad_alloc. Without `reuse` every buffer has memory of its own.
  void allocate(bool reuse = true);
  void* at(Handle handle) const { return block_.get() + buffers_[handle].offset; }
  std::int64_t bytes() const { return size_; }
  // Of the buffers with a time: what they take together, shared memory once.
  std::int64_t shared_bytes() const { return shared_; }

 private:
  struct Buffer {
    std::int64_t bytes, begin, end, offset;
    bool forever;
  };
  struct Free {
    std::align_val_t alignment;
    void operator()(std::byte* block) const;
  };
  void place_shared(std::int64_t base);

  std::vector<Buffer> buffers_;
  std::int64_t size_ = 0, shared_ = 0;
  std::unique_ptr<std::byte, Free> block_;
};

}  // namespace strata
