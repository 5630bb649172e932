// Tiles, whole batches and fits.
#include "framework/runtime/transform_chain.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "framework/base/random.h"
#include "framework/base/text.h"
#include "framework/plugin/services.h"
#include "framework/runtime/data_source.h"

namespace strata {
namespace {

constexpr std::int64_t kMostKeys = 64;  // samples of a tile

}  // namespace

TransformChain::TransformChain(const DataPipeline& data, Precision precision, std::uint64_t seed)
    : data_(data), precision_(precision), seed_(seed) {
  for (std::size_t s = 0; s < data.stages.size(); ++s) stages_.push_back(make_stage(s));
  fitted_values_.resize(data.transforms.size());
  std::map<std::string, int> uses;
  for (std::size_t t = 0; t < data.transforms.size(); ++t) {
    std::string name = snake_case(data.transforms[t]->entry().name());
    if (const int use = ++uses[name]; use > 1) name += std::to_string(use);
    std::int64_t elements = 0;
    for (const auto& fitted : data.stages[t + 1].fitted) elements += fitted.shape.elements();
    // Not a number until it is found or read.
    fitted_values_[t].assign(static_cast<std::size_t>(elements), std::nan(""));
    double* at = fitted_values_[t].data();
    for (const auto& fitted : data.stages[t + 1].fitted) {
      fitted_.push_back({fmt::format("data/{}.{}", name, fitted.name), fitted.shape,
                         Precision::kF64, TensorRole::kFitted, at});
      at += fitted.shape.elements();
    }
  }
}

TransformChain::Stage TransformChain::make_stage(std::size_t number) {
  Stage stage;
  const DataDescription& description = data_.stages[number];
  for (std::size_t f = 0; f < description.fields.size(); ++f) {
    const auto& field = description.fields[f];
    stage.raw.push_back({sizeof(strata_field), field.name.c_str(), field.dtype, field.classes,
                         plugin_internal::from_shape(field.shape)});
    stage.bytes.push_back(bytes_of(field, precision_));
    // A field keeps its buffer through a transform that changes neither its type nor its shape,
    // unless that reads other samples while it writes.
    const bool may_keep = number > 0 && !functions(number - 1).apply_batch;
    if (may_keep && f < stages_.back().raw.size()) {
      const auto& before = data_.stages[number - 1].fields[f];
      if (before.name == field.name && before.dtype == field.dtype && before.shape == field.shape) {
        stage.buffers.push_back(stages_.back().buffers[f]);
        continue;
      }
    }
    stage.buffers.push_back(buffer_bytes_.size());
    buffer_bytes_.push_back(stage.bytes.back());
  }
  return stage;
}

const strata_transform& TransformChain::functions(std::size_t transform) const {
  return data_.transforms[transform]->functions<strata_transform>();
}

template <class Function, class... Args>
Status TransformChain::call(const char* name, Function function, std::size_t transform,
                            Args... args) const {
  const std::vector<strata_field>& fields = stages_[transform].raw;
  return call_noted(*data_.transforms[transform], name, function, fields.data(),
                    static_cast<std::int64_t>(fields.size()), args...);
}

std::size_t TransformChain::section_end(std::size_t begin) const {
  while (begin < transforms() && !functions(begin).apply_batch) ++begin;
  return begin;
}

void TransformChain::point(Buffers& buffers, std::size_t stage, std::int64_t begin,
                           void** fields) const {
  const Stage& at = stages_[stage];
  for (std::size_t f = 0; f < at.buffers.size(); ++f)
    fields[f] = buffers[at.buffers[f]].data() + begin * at.bytes[f];
}

Status TransformChain::run_tile(Buffers& buffers, std::size_t from, std::size_t to,
                                std::int64_t begin, std::int64_t count, const Keys& keys) const {
  for (std::size_t t = from; t < to; ++t) {
    std::uint64_t streams[2 * kMostKeys] = {};
    for (std::int64_t i = 0; keys.samples && i < count; ++i) {
      const StreamKey key =
          stream_key(seed_, Purpose::kTransform, static_cast<std::uint64_t>(keys.epoch),
                     (static_cast<std::uint64_t>(keys.samples[begin + i]) << 8) | t);
      streams[2 * i] = key[0];
      streams[2 * i + 1] = key[1];
    }
    void* in[kMostDataFields];
    void* out[kMostDataFields];
    point(buffers, t, begin, in);
    point(buffers, t + 1, begin, out);
    const double* found = fitted_values_[t].empty() ? nullptr : fitted_values_[t].data();
    const strata_transform_pass pass{sizeof pass, real_dtype(), keys.training,    count,   in,
                                     out,         streams,      &host_services(), nullptr, found};
    Status done = call("apply", functions(t).apply, t, &pass);
    if (!done) return done;
  }
  return {};
}

Status TransformChain::run_batch(Buffers& buffers, std::size_t transform, std::int64_t count,
                                 const Keys& keys) const {
  // A sample comes once in an epoch, so the first one stands for the batch.
  const std::uint64_t first = keys.samples ? keys.samples[0] : 0;
  const StreamKey key = stream_key(
      seed_, Purpose::kTransform, static_cast<std::uint64_t>(keys.epoch), (first << 8) | transform);
  const std::uint64_t stream[2] = {key[0], key[1]};
  void* in[kMostDataFields];
  void* out[kMostDataFields];
  point(buffers, transform, 0, in);
  point(buffers, transform + 1, 0, out);
  const std::vector<double>& values = fitted_values_[transform];
  const strata_transform_pass pass{sizeof pass,
                                   real_dtype(),
                                   keys.training,
                                   count,
                                   in,
                                   out,
                                   stream,
                                   &host_services(),
                                   nullptr,
                                   values.empty() ? nullptr : values.data()};
  return call("apply_batch", functions(transform).apply_batch, transform, &pass);
}

bool TransformChain::fits(std::size_t transform) const {
  return functions(transform).fit != nullptr;
}

void TransformChain::begin_fit(std::size_t transform) {
  std::fill(fitted_values_[transform].begin(), fitted_values_[transform].end(), 0);
}

Status TransformChain::fit(std::size_t transform, Buffers& buffers, std::int64_t count) {
  void* in[kMostDataFields];
  point(buffers, transform, 0, in);
  const strata_fit_pass pass{sizeof pass, real_dtype(), count, in,
                             fitted_values_[transform].data()};
  return call("fit", functions(transform).fit, transform, &pass);
}

Status TransformChain::end_fit(std::size_t transform) {
  std::vector<double>& values = fitted_values_[transform];
  Status done = call("finish_fit", functions(transform).finish_fit, transform, values.data());
  if (!done) return done;
  if (std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); }))
    return {};
  Error error =
      make_error(ExitCode::kData, "`{}` finds numbers that are not finite in the training data",
                 data_.transforms[transform]->entry().name());
  error.hint = "there are values in it that are not finite, or too large";
  return error;
}

Status TransformChain::require_fitted() const {
  for (const NamedTensor& tensor : fitted_) {
    const auto* values = static_cast<const double*>(tensor.data);
    if (std::all_of(values, values + tensor.shape.elements(),
                    [](double x) { return std::isfinite(x); }))
      continue;
    return make_error(ExitCode::kData, "`{}` does not hold finite numbers", tensor.name);
  }
  return {};
}

}  // namespace strata
