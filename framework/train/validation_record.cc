// Predictions by sample, the matrix of classes, and pictures.
#include "framework/train/validation_record.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "framework/base/atomic_file.h"
#include "framework/train/png.h"

namespace strata {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMostClasses = 100;
constexpr std::size_t kWorst = 24;       // samples
constexpr std::int64_t kLargest = 1024;  // side of a picture that is looked at
constexpr std::int64_t kShown = 40;      // side of one that is kept

struct Sides {
  std::int64_t height = 0, width = 0;
  int channels = 0;  // 0: no picture
};

// Of [height, width], or [1 or 3, height, width].
Sides sides_of(const Shape& shape) {
  if (shape.rank() == 2) return {shape[0], shape[1], 1};
  if (shape.rank() == 3 && (shape[0] == 1 || shape[0] == 3))
    return {shape[1], shape[2], static_cast<int>(shape[0])};
  return {};
}

bool is_picture(const Shape& shape) {
  const Sides sides = sides_of(shape);
  return sides.channels > 0 && std::min(sides.height, sides.width) >= 4 &&
         std::max(sides.height, sides.width) <= kLargest;
}

// As bytes, planes side by side; values of another type are spread between their least and their
// largest.
template <class T>
Picture picture_of(const T* values, const Shape& shape) {
  const Sides sides = sides_of(shape);
  Picture picture{sides.width, sides.height, sides.channels, {}};
  const std::int64_t plane = picture.width * picture.height, count = plane * picture.channels;
  const auto [low, high] = std::minmax_element(values, values + count);
  const double from = static_cast<double>(*low);
  const double scale = *high > *low ? 255 / (static_cast<double>(*high) - from) : 0;
  picture.bytes.resize(static_cast<std::size_t>(count));
  for (std::int64_t pixel = 0; pixel < plane; ++pixel)
    for (int c = 0; c < picture.channels; ++c) {
      const T value = values[c * plane + pixel];
      picture.bytes[static_cast<std::size_t>(pixel * picture.channels + c)] =
          std::is_same_v<T, std::uint8_t>
              ? static_cast<std::uint8_t>(value)
              : static_cast<std::uint8_t>(std::lround((static_cast<double>(value) - from) * scale));
    }
  return picture;
}

std::string picture_uri(const DataDescription::FieldInfo& field, Precision precision,
                        const void* values) {
  Picture picture;
  if (field.dtype == STRATA_U8) {
    picture = picture_of(static_cast<const std::uint8_t*>(values), field.shape);
  } else if (field.dtype == STRATA_I32) {
    picture = picture_of(static_cast<const std::int32_t*>(values), field.shape);
  } else if (precision == Precision::kF64 || field.dtype == STRATA_F64) {
    picture = picture_of(static_cast<const double*>(values), field.shape);
  } else {
    picture = picture_of(static_cast<const float*>(values), field.shape);
  }
  return png_uri(shrunk(picture, kShown));
}

}  // namespace

std::unique_ptr<ValidationRecord> ValidationRecord::create(const Program& program,
                                                           const DataDescription& data, int split) {
  std::unique_ptr<ValidationRecord> record(new ValidationRecord(program, data, split));
  record->find_classes();
  record->find_picture();
  if (record->output_ < 0 && record->picture_field_ < 0) record.reset();
  return record;
}

// The first loss or metric that compares scores with classes says which ones.
void ValidationRecord::find_classes() {
  for (const std::vector<Term>* terms : {&program_.train.losses, &program_.train.metrics}) {
    for (const Term& term : *terms) {
      int output = -1, field = -1;
      for (const TermInput& input : term.inputs) (input.is_field ? field : output) = input.index;
      if (output < 0 || field < 0) continue;
      const auto& label = data_.fields[static_cast<std::size_t>(field)];
      const ValueId value = program_.graph.outputs[static_cast<std::size_t>(output)];
      const Shape& shape = program_.graph.values[static_cast<std::size_t>(value)].shape;
      if (label.dtype != STRATA_I32 || label.shape.rank() != 0 || shape.rank() != 1) continue;
      const std::int64_t classes = std::max<std::int64_t>(2, shape[0]);
      if (classes > kMostClasses || (label.classes <= 0 && shape[0] == 1)) continue;
      output_ = output, label_field_ = field;
      scores_ = shape[0], classes_ = classes;
      return;
    }
  }
}

void ValidationRecord::find_picture() {
  for (const int field : program_.input_fields) {
    if (!is_picture(data_.fields[static_cast<std::size_t>(field)].shape)) continue;
    picture_field_ = field;
    return;
  }
}

template <class T>
void ValidationRecord::note_predictions(const T* scores, std::int64_t count, std::int64_t begin) {
  for (std::int64_t i = 0; i < count; ++i) {
    const T* own = scores + i * scores_;
    const bool bad = std::any_of(own, own + scores_, [](T x) { return std::isnan(x); });
    now_.predicted[static_cast<std::size_t>(begin + i)] =
        static_cast<std::int32_t>(bad            ? -1
                                  : scores_ == 1 ? own[0] > T(0)
                                                 : std::max_element(own, own + scores_) - own);
  }
}

void ValidationRecord::add(const Executor& executor, const BatchView& batch, std::int64_t begin) {
  const auto end = static_cast<std::size_t>(begin + batch.size);
  now_.losses.resize(std::max(now_.losses.size(), end));
  std::transform(executor.sample_losses(), executor.sample_losses() + batch.size,
                 now_.losses.begin() + begin, [](double x) { return static_cast<float>(x); });
  if (output_ < 0) return;
  now_.predicted.resize(std::max(now_.predicted.size(), end));
  now_.labels.resize(now_.predicted.size());
  const auto* labels =
      static_cast<const std::int32_t*>(batch.fields[static_cast<std::size_t>(label_field_)]);
  std::copy(labels, labels + batch.size, now_.labels.begin() + begin);
  const void* scores = executor.output(output_);
  if (program_.train.precision == Precision::kF64) {
    note_predictions(static_cast<const double*>(scores), batch.size, begin);
  } else {
    note_predictions(static_cast<const float*>(scores), batch.size, begin);
  }
}

void ValidationRecord::keep(std::int64_t epoch, bool best) {
  if (kept_best_ && !best) return;
  now_.epoch = epoch;
  std::swap(now_, kept_);
  kept_best_ = best;
}

Status ValidationRecord::write(const std::string& path, InputPipeline& pipeline) const {
  if (kept_.losses.empty()) return {};
  Json out = {{"split", data_.splits[static_cast<std::size_t>(split_)].name},
              {"epoch", kept_.epoch},
              {"samples", kept_.losses.size()}};
  if (output_ >= 0) {
    const auto& names = data_.fields[static_cast<std::size_t>(label_field_)].class_names;
    for (std::int64_t c = 0; c < classes_; ++c)
      out["classes"].push_back(static_cast<std::size_t>(c) < names.size()
                                   ? names[static_cast<std::size_t>(c)]
                                   : std::to_string(c));
    std::vector<std::vector<std::int64_t>> matrix(
        static_cast<std::size_t>(classes_),
        std::vector<std::int64_t>(static_cast<std::size_t>(classes_)));
    for (std::size_t i = 0; i < kept_.labels.size(); ++i) {
      const std::int32_t right = kept_.labels[i], taken = kept_.predicted[i];
      if (right >= 0 && right < classes_ && taken >= 0)
        ++matrix[static_cast<std::size_t>(right)][static_cast<std::size_t>(taken)];
    }
    out["confusion"] = matrix;
  }
  std::vector<std::uint32_t> order(kept_.losses.size());
  std::iota(order.begin(), order.end(), 0u);
  const std::size_t count = std::min(kWorst, order.size());
  // Of equal losses the first sample comes first, so that the same run gives the same file.
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](std::uint32_t a, std::uint32_t b) {
                      return kept_.losses[a] != kept_.losses[b] ? kept_.losses[a] > kept_.losses[b]
                                                                : a < b;
                    });
  for (std::size_t i = 0; i < count; ++i) {
    Json& entry = out["worst"].emplace_back();
    entry = {{"sample", order[i]}, {"loss", kept_.losses[order[i]]}};
    if (output_ >= 0) {
      entry["label"] = kept_.labels[order[i]];
      entry["predicted"] = kept_.predicted[order[i]];
    }
    if (picture_field_ < 0) continue;
    const auto batch = pipeline.read(split_, &order[i], 1, false, 0);
    if (!batch) return batch.error();
    const auto field = static_cast<std::size_t>(picture_field_);
    entry["image"] =
        picture_uri(data_.fields[field], program_.train.precision, batch->fields[field]);
  }
  return write_file_atomically(path,
                               out.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace strata
