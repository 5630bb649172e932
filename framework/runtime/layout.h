// Memory of an executor: one block, cut into aligned buffers before the first step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace strata {

// First every buffer is asked for, then the block is allocated, zeroed, and addresses are handed
// out.
class Arena {
 public:
  using Handle = std::size_t;

  // A buffer of `bytes`, aligned to 64.
  Handle reserve(std::int64_t bytes) {
    offsets_.push_back(size_);
    size_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
    return offsets_.size() - 1;
  }
  // Throws std::bad_alloc.
  void allocate();
  void* at(Handle handle) const { return block_.get() + offsets_[handle]; }
  std::int64_t bytes() const { return size_; }

 private:
  static constexpr std::int64_t kAlignment = 64;
  struct Free {
    void operator()(std::byte* block) const;
  };
  std::vector<std::int64_t> offsets_;
  std::int64_t size_ = 0;
  std::unique_ptr<std::byte, Free> block_;
};

}  // namespace strata
