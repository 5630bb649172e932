// What transforms of images share: finding the field, and its planes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/plugin/transform.h"

namespace strata::plugins {

// Height and width, and how many planes of them an image has.
struct ImageSize {
  std::int64_t planes, height, width;
  explicit ImageSize(const Shape& shape)
      : planes(shape.elements() / (shape[-1] * shape[-2])), height(shape[-2]), width(shape[-1]) {}
  std::int64_t positions() const { return height * width; }
};

// All fields, with the image's shape (of the field named, or the first one) replaced by
// change(shape). Throws where it is not there or no image; `who` is the transform's name.
template <class Change>
DataPlan change_image(const std::vector<Field>& fields, const std::optional<std::string>& name,
                      const std::string& who, const Change& change) {
  DataPlan plan;
  bool found = false;
  for (Field field : fields) {
    if (!found && (!name || *name == field.name)) {
      found = true;
      if (field.shape.rank() != 2 && field.shape.rank() != 3) {
        throw PluginError(text(who,
                               " takes images, [height, width] or [channels, height, width], and `",
                               field.name, "` is ", field.shape.text()));
      }
      field.shape = change(field.shape);
    }
    plan.field(std::move(field));
  }
  if (!found) throw PluginError(text("the data has no field `", *name, "`"));
  return plan;
}

// work(field, input, output) with pointers of the field's type.
template <class T, class Work>
void with_image(const TransformPass<T>& pass, const std::optional<std::string>& name,
                const Work& work) {
  const int field = pass.find(name ? std::string_view(*name) : std::string_view());
  switch (pass.dtype(field)) {
    case STRATA_U8:
      return work(field, pass.template input<std::uint8_t>(field),
                  pass.template output<std::uint8_t>(field));
    case STRATA_I32:
      return work(field, pass.template input<std::int32_t>(field),
                  pass.template output<std::int32_t>(field));
    default:
      return work(field, pass.template input<T>(field), pass.template output<T>(field));
  }
}

template <class Options>
void describe_field(Schema<Options>& schema) {
  schema.option("field", &Options::field).doc("the data's field to work on; none: its first one");
}

// Numbers of a sample's stream, in order.
template <class T>
class SampleNumbers {
 public:
  SampleNumbers(const TransformPass<T>& pass, std::int64_t sample) : pass_(pass), sample_(sample) {}
  double uniform() {  // [0, 1)
    std::uint32_t word;
    pass_.random(pass_.key(sample_), next_++, 1, &word);
    return static_cast<double>(word) * 0x1p-32;
  }
  // A whole number in [0, count).
  std::int64_t below(std::int64_t count) {
    return static_cast<std::int64_t>(uniform() * static_cast<double>(count));
  }

 private:
  const TransformPass<T>& pass_;
  const std::int64_t sample_;
  std::uint64_t next_ = 0;
};

// Sets a rectangle of all planes of an image; parts outside of it are left out.
template <class U>
void fill_rectangle(U* image, const ImageSize& size, std::int64_t top, std::int64_t left,
                    std::int64_t height, std::int64_t width, U value) {
  const std::int64_t bottom = std::min(size.height, top + height),
                     right = std::min(size.width, left + width);
  top = std::max<std::int64_t>(0, top);
  left = std::max<std::int64_t>(0, left);
  for (std::int64_t plane = 0; plane < size.planes; ++plane) {
    for (std::int64_t row = top; row < bottom; ++row) {
      U* begin = image + plane * size.positions() + row * size.width;
      for (std::int64_t column = left; column < right; ++column) begin[column] = value;
    }
  }
}

}  // namespace strata::plugins
