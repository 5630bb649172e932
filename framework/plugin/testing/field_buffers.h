// Fields of some samples, as data sets and transforms hand them over, between guard zones.
#pragma once

#include <deque>
#include <span>
#include <vector>

#include "framework/plugin/testing/checker.h"

namespace strata::conformance {

using Field = DataDescription::FieldInfo;

inline std::int64_t element_size(strata_dtype dtype, strata_dtype real) {
  switch (dtype == STRATA_REAL ? real : dtype) {
    case STRATA_F64:
      return 8;
    case STRATA_U8:
      return 1;
    default:
      return 4;
  }
}

// One field of some samples, as bytes of whatever type it has.
struct FieldBuffer {
  FieldBuffer(const Field& f, std::int64_t count, strata_dtype real_dtype)
      : field(f),
        samples(count),
        real(real_dtype),
        bytes(count * f.shape.elements() * element_size(f.dtype, real_dtype)) {}
  std::vector<double> values() const {
    std::vector<double> out(static_cast<std::size_t>(samples * field.shape.elements()));
    for (std::size_t i = 0; i < out.size(); ++i) {
      const strata_dtype dtype = field.dtype == STRATA_REAL ? real : field.dtype;
      const void* at =
          bytes.data() + static_cast<std::int64_t>(i) * element_size(field.dtype, real);
      out[i] = dtype == STRATA_F64   ? *static_cast<const double*>(at)
               : dtype == STRATA_F32 ? static_cast<double>(*static_cast<const float*>(at))
               : dtype == STRATA_I32 ? static_cast<double>(*static_cast<const std::int32_t*>(at))
                                     : static_cast<double>(*static_cast<const std::uint8_t*>(at));
    }
    return out;
  }
  void set(std::span<const double> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const strata_dtype dtype = field.dtype == STRATA_REAL ? real : field.dtype;
      void* at = bytes.data() + static_cast<std::int64_t>(i) * element_size(field.dtype, real);
      if (dtype == STRATA_F64) *static_cast<double*>(at) = values[i];
      if (dtype == STRATA_F32) *static_cast<float*>(at) = static_cast<float>(values[i]);
      if (dtype == STRATA_I32)
        *static_cast<std::int32_t*>(at) = static_cast<std::int32_t>(values[i]);
      if (dtype == STRATA_U8)
        *static_cast<std::uint8_t*>(at) = static_cast<std::uint8_t>(values[i]);
    }
  }
  Field field;
  std::int64_t samples;
  strata_dtype real;
  Buffer<std::uint8_t> bytes;
};

using FieldBuffers = std::deque<FieldBuffer>;

inline bool intact(const FieldBuffers& buffers) {
  return std::all_of(buffers.begin(), buffers.end(),
                     [](const FieldBuffer& b) { return b.bytes.intact(); });
}
inline std::vector<void*> pointers(FieldBuffers& buffers) {
  std::vector<void*> out;
  for (FieldBuffer& buffer : buffers) out.push_back(buffer.bytes.data());
  return out;
}
// Names, types and classes of the fields.
void check_description(Checker& checker, const DataDescription& description);

}  // namespace strata::conformance
