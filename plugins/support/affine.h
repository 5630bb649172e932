// What transforms of the form y = x · factor + offset share: Rescale, Normalize and Standardize.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/plugin/transform.h"

namespace strata::plugins {

// All fields, with the one named (the first one where none is) made real. Throws where it is not
// there or holds no numbers to calculate with; `who` is the transform's name.
inline DataPlan make_field_real(const std::vector<Field>& fields,
                                const std::optional<std::string>& name, const std::string& who) {
  std::string names;
  bool found = false;
  DataPlan plan;
  for (Field field : fields) {
    names += (names.empty() ? "`" : ", `") + field.name + "`";
    if (!found && (!name || *name == field.name)) {
      found = true;
      if (field.dtype == STRATA_I32) {
        throw PluginError(
            text("`", field.name, "` holds class numbers, and ", who, " is for images and values"));
      }
      field.dtype = STRATA_REAL;
    }
    plan.field(std::move(field));
  }
  if (!found) {
    throw PluginError(name ? text("the data has no field `", *name, "`: it has ", names)
                           : "the data has no fields");
  }
  return plan;
}

// y[i] = x[i] · factor + offset; may be in place.
template <class T, class X>
inline void affine(const X* x, std::int64_t count, T factor, T offset, T* y) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = static_cast<T>(x[i]) * factor + offset;
}

// Channels are the first axis of [channels, height, width] and the values of [features]; [height,
// width] is one channel.
inline std::int64_t channels_of(const Shape& shape) {
  return shape.rank() == 1 || shape.rank() >= 3 ? shape[0] : 1;
}

// y = x / divisor + offset, with one of each for each of `channels`; bytes are brought to [0, 1]
// first. [samples, channels, positions]
template <class T, class Divisor, class Offset>
void apply_per_channel(const TransformPass<T>& pass, int field, std::int64_t channels,
                       const Divisor& divisor_of, const Offset& offset_of) {
  const std::int64_t positions = pass.shape(field).elements() / channels;
  const auto run = [&](const auto* x, double unit) {
    T* y = pass.template output<T>(field);
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      const auto factor = static_cast<T>(unit / divisor_of(channel));
      const auto offset = static_cast<T>(offset_of(channel));
      for (std::int64_t sample = 0; sample < pass.count(); ++sample) {
        const std::int64_t begin = (sample * channels + channel) * positions;
        affine(x + begin, positions, factor, offset, y + begin);
      }
    }
  };
  if (pass.dtype(field) == STRATA_U8) {
    run(pass.template input<std::uint8_t>(field), 1.0 / 255);
  } else {
    run(pass.template input<T>(field), 1.0);
  }
}

}  // namespace strata::plugins
