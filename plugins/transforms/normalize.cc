// Normalize: subtracts a mean and divides by a deviation, like torchvision's ToTensor and Normalize
// together.
#include "plugins/support/affine.h"

namespace strata::plugins {
namespace {

using PerChannel = std::variant<double, std::vector<double>>;

class Normalize final : public Transform {
 public:
  struct Options {
    PerChannel mean = 0.0;
    PerChannel std = 1.0;
    std::optional<std::string> field;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Subtracts `mean` and divides by `std`: one number for all values, or a list with one "
            "per channel.\n"
            "Bytes of images are brought to [0, 1] first, as torchvision does, so mean and std are "
            "those of the "
            "scaled values; real numbers are taken as they are. Channels are the first axis of "
            "[channels, height, width] and the values of [features]; [height, width] is one "
            "channel.")
        .example("Normalize(mean = 0.1307, std = 0.3081)");
    schema.option("mean", &Options::mean).required().doc("subtracted");
    schema.option("std", &Options::std)
        .required()
        .above(0)
        .doc("divided by, after the mean is subtracted");
    schema.option("field", &Options::field).doc("the data's field to work on; none: its first one");
  }

  explicit Normalize(const Options& options) : options_(options) {}

  DataPlan infer(const std::vector<Field>& fields) const {
    DataPlan plan = make_field_real(fields, options_.field, "Normalize");
    for (const Field& field : fields) {
      if (options_.field && *options_.field != field.name) continue;
      check_length("mean", options_.mean, field);
      check_length("std", options_.std, field);
      break;
    }
    return plan;
  }

  // [samples, channels, positions]
  template <class T>
  void apply(const TransformPass<T>& pass) const {
    const int field = pass.find(options_.field.value_or(""));
    if (pass.dtype(field) == STRATA_U8) {
      normalize(pass, pass.shape(field), pass.template input<std::uint8_t>(field), 1.0 / 255,
                pass.template output<T>(field));
    } else {
      normalize(pass, pass.shape(field), pass.template input<T>(field), 1.0,
                pass.template output<T>(field));
    }
  }

 private:
  static std::int64_t channels_of(const Shape& shape) {
    return shape.rank() == 1 || shape.rank() >= 3 ? shape[0] : 1;
  }

  static void check_length(const char* option, const PerChannel& value, const Field& field) {
    const auto* list = std::get_if<std::vector<double>>(&value);
    const std::int64_t channels = channels_of(field.shape);
    if (list && static_cast<std::int64_t>(list->size()) != channels) {
      throw PluginError(text("`", option, "` has ", list->size(),
                             list->size() == 1 ? " number" : " numbers", ", and `", field.name,
                             "` of shape ", field.shape.text(), " has ", channels,
                             channels == 1 ? " channel" : " channels"));
    }
  }

  static double at(const PerChannel& value, std::int64_t channel) {
    const auto* list = std::get_if<std::vector<double>>(&value);
    return list ? (*list)[static_cast<std::size_t>(channel)] : std::get<double>(value);
  }

  template <class T, class X>
  void normalize(const TransformPass<T>& pass, const Shape& shape, const X* x, double unit,
                 T* y) const {
    const bool alike = std::holds_alternative<double>(options_.mean) &&
                       std::holds_alternative<double>(options_.std);
    const std::int64_t channels = alike ? 1 : channels_of(shape);
    const std::int64_t positions = shape.elements() / channels, samples = pass.count();
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      const auto factor = static_cast<T>(unit / at(options_.std, channel));
      const auto offset = static_cast<T>(-at(options_.mean, channel) / at(options_.std, channel));
      for (std::int64_t sample = 0; sample < samples; ++sample) {
        const std::int64_t begin = (sample * channels + channel) * positions;
        affine(x + begin, positions, factor, offset, y + begin);
      }
    }
  }

  const Options options_;
};

const TransformRegistration<Normalize> kRegistration{"Normalize"};

}  // namespace
}  // namespace strata::plugins
