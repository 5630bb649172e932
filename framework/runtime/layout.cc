// The executor's block of memory.
#include "framework/runtime/layout.h"

#include <cstring>
#include <new>

namespace strata {

void Arena::allocate() {
  const auto bytes = static_cast<std::size_t>(size_ > 0 ? size_ : kAlignment);
  block_.reset(static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kAlignment})));
  std::memset(block_.get(), 0, bytes);
}

void Arena::Free::operator()(std::byte* block) const {
  ::operator delete (block, std::align_val_t{kAlignment});
}

}  // namespace strata
