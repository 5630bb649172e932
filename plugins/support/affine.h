// What transforms of the form y = x · factor + offset share: Rescale and Normalize.
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

}  // namespace strata::plugins
