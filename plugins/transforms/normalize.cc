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

  template <class T>
  void apply(const TransformPass<T>& pass) const {
    const int field = pass.find(options_.field.value_or(""));
    const bool alike = std::holds_alternative<double>(options_.mean) &&
                       std::holds_alternative<double>(options_.std);
    apply_per_channel(
        pass, field, alike ? 1 : channels_of(pass.shape(field)),
        [&](std::int64_t channel) { return at(options_.std, channel); },
        [&](std::int64_t channel) {
          return -at(options_.mean, channel) / at(options_.std, channel);
        });
  }

 private:
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

  const Options options_;
};

const TransformRegistration<Normalize> kRegistration{"Normalize"};

}  // namespace
}  // namespace strata::plugins
