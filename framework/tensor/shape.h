// Shape of a tensor: its extents, checked when it is made, so that sizes never overflow afterwards.
// Depends on the standard library alone: plugins built without this repository use it too.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>

namespace strata {

class Shape {
 public:
  static constexpr int kMaxRank = 8;
  // More elements than any tensor here can have (2^47 of 8 bytes are a petabyte).
  static constexpr std::int64_t kMaxElements = std::int64_t{1} << 47;

  Shape() = default;  // a scalar: rank 0, one element
  Shape(std::initializer_list<std::int64_t> dims) : Shape(dims.begin(), dims.end()) {}

  // Throws std::invalid_argument where why_invalid says why.
  template <class Iterator>
  Shape(Iterator first, Iterator last) {
    const std::string why = why_invalid(first, last);
    if (!why.empty()) throw std::invalid_argument(why);
    for (; first != last; ++first) dims_[rank_++] = static_cast<std::int64_t>(*first);
  }

  // Why these extents are no shape, as a sentence; empty where they are one.
  template <class Iterator>
  static std::string why_invalid(Iterator first, Iterator last) {
    std::int64_t elements = 1;
    int rank = 0;
    for (; first != last; ++first) {
      const auto dim = static_cast<std::int64_t>(*first);
      if (++rank > kMaxRank) return "a shape has at most " + std::to_string(kMaxRank) + " axes";
      if (dim < 1) return "an axis cannot have the extent " + std::to_string(dim);
      if (dim > kMaxElements || elements > kMaxElements / dim)
        return "the shape has too many elements";
      elements *= dim;
    }
    return {};
  }

  int rank() const { return rank_; }
  // Extent of an axis; negative ones count from the end.
  std::int64_t operator[](int axis) const {
    return dims_[static_cast<std::size_t>(axis < 0 ? rank_ + axis : axis)];
  }
  std::int64_t elements() const {
    std::int64_t product = 1;
    for (int i = 0; i < rank_; ++i) product *= dims_[static_cast<std::size_t>(i)];
    return product;
  }
  // Product of the extents of axes [first, last).
  std::int64_t elements(int first, int last) const {
    std::int64_t product = 1;
    for (int i = first; i < last; ++i) product *= dims_[static_cast<std::size_t>(i)];
    return product;
  }

  const std::int64_t* begin() const { return dims_.data(); }
  const std::int64_t* end() const { return dims_.data() + rank_; }

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }

  // "[28, 28]"
  std::string text() const {
    std::string out = "[";
    for (int i = 0; i < rank_; ++i) out += (i ? ", " : "") + std::to_string((*this)[i]);
    return out + "]";
  }

 private:
  std::array<std::int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

}  // namespace strata
