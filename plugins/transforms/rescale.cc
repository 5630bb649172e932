// Rescale: values times a number, plus a number.
#include "plugins/support/affine.h"

namespace strata::plugins {
namespace {

class Rescale final : public Transform {
 public:
  struct Options {
    double scale = 1;
    double offset = 0;
    std::optional<std::string> field;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Multiplies values by `scale` and adds `offset`.\n"
            "Bytes of images become real numbers, from 0 to 255 before: Rescale(1 / 255) brings "
            "them to [0, 1].")
        .example("Rescale(1 / 255)");
    schema.option("scale", &Options::scale).required().doc("what values are multiplied by");
    schema.option("offset", &Options::offset).doc("what is added then");
    schema.option("field", &Options::field).doc("the data's field to work on; none: its first one");
  }

  explicit Rescale(const Options& options) : options_(options) {
    if (options.scale == 0) {
      throw PluginError("`scale` is 0, which makes all values the same",
                        "`1 // 255` is a whole number, 0; `1 / 255` is not");
    }
  }

  DataPlan infer(const std::vector<Field>& fields) const {
    return make_field_real(fields, options_.field, "Rescale");
  }

  template <class T>
  void apply(const TransformPass<T>& pass) const {
    const int field = pass.find(options_.field.value_or(""));
    const std::int64_t count = pass.count() * pass.shape(field).elements();
    const auto scale = static_cast<T>(options_.scale), offset = static_cast<T>(options_.offset);
    T* out = pass.template output<T>(field);
    if (pass.dtype(field) == STRATA_U8) {
      affine(pass.template input<std::uint8_t>(field), count, scale, offset, out);
    } else {
      affine(pass.template input<T>(field), count, scale, offset, out);
    }
  }

 private:
  const Options options_;
};

const TransformRegistration<Rescale> kRegistration{"Rescale"};

}  // namespace
}  // namespace strata::plugins
