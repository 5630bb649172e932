// What data sets share whose samples are divided into train and val by a random share.
#pragma once

#include <vector>

#include "framework/base/random.h"
#include "framework/plugin/dataset.h"

namespace strata::plugins {

template <class Options>
void describe_split(Schema<Options>& schema) {
  schema.template option<double>("val", &Options::val)
      .min(0)
      .below(1)
      .doc("the share of the samples to validate on; 0: no such split");
  schema.template option<std::int64_t>("seed", &Options::seed)
      .min(0)
      .doc("other seeds choose other samples to validate on");
  schema.hint_for("validation_split", "it is called `val` here")
      .hint_for("test_size", "it is called `val` here");
}

inline std::vector<std::int64_t> all_rows(std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
  return rows;
}

// Rows of train and val; both keep their order.
inline void random_split(std::int64_t count, double val, std::int64_t seed,
                         std::vector<std::int64_t> (&splits)[2]) {
  const std::vector<bool> chosen =
      random_choice(stream_key(static_cast<std::uint64_t>(seed), Purpose::kSynthetic, 100, 0),
                    static_cast<std::uint32_t>(count),
                    static_cast<std::uint32_t>(val * static_cast<double>(count) + 0.5));
  for (std::size_t i = 0; i < chosen.size(); ++i)
    splits[chosen[i]].push_back(static_cast<std::int64_t>(i));
}

}  // namespace strata::plugins
