// Standardize: zero mean and unit variance, with the statistics of the training split, as
// scikit-learn's StandardScaler and Keras' Normalization layer.
#include <algorithm>
#include <cmath>

#include "plugins/support/affine.h"

namespace strata::plugins {
namespace {

class Standardize final : public Transform {
 public:
  struct Options {
    std::optional<std::string> field;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Subtracts the mean and divides by the standard deviation that the training split has, "
            "for each channel or value.\n"
            "They are found before training begins, over the training split alone, and kept with "
            "the weights, so `eval` and `predict` use the same. Channels and bytes are as in "
            "Normalize. What never varies is only centred. Batches are added up by the method of "
            "Chan et al. (1983).")
        .example("Standardize");
    schema.option("field", &Options::field).doc("the data's field to work on; none: its first one");
  }

  explicit Standardize(const Options& options) : options_(options) {}

  DataPlan infer(const std::vector<Field>& fields) const {
    DataPlan plan = make_field_real(fields, options_.field, "Standardize");
    const auto at = std::find_if(fields.begin(), fields.end(), [&](const Field& field) {
      return !options_.field || *options_.field == field.name;
    });
    const std::int64_t channels = channels_of(at->shape);
    return plan.fitted("mean", {channels}).fitted("std", {channels}).fitted("samples", {});
  }

  // Until the end, squares of differences from the mean are added up where `std` will be.
  template <class T>
  void fit(const FitPass<T>& pass) const {
    const int field = pass.find(options_.field.value_or(""));
    const Shape shape = pass.shape(field);
    if (pass.dtype(field) == STRATA_U8) {
      add(shape, pass.template input<std::uint8_t>(field), 1.0 / 255, pass.count(), pass.fitted());
    } else {
      add(shape, pass.template input<T>(field), 1.0, pass.count(), pass.fitted());
    }
  }

  void finish_fit(const std::vector<Field>& fields, double* fitted) const {
    for (const Field& field : fields) {
      if (options_.field && *options_.field != field.name) continue;
      const std::int64_t channels = channels_of(field.shape);
      const double values =
          fitted[2 * channels] * static_cast<double>(field.shape.elements() / channels);
      for (std::int64_t c = 0; c < channels; ++c) {
        double& deviation = fitted[channels + c];
        deviation = values > 0 ? std::sqrt(deviation / values) : 0;
      }
      return;
    }
  }

  template <class T>
  void apply(const TransformPass<T>& pass) const {
    const int field = pass.find(options_.field.value_or(""));
    const std::int64_t channels = channels_of(pass.shape(field));
    const double* mean = pass.fitted();
    const double* deviation = mean + channels;
    apply_per_channel(
        pass, field, channels,
        [&](std::int64_t c) { return deviation[c] > 0 ? deviation[c] : 1.0; },
        [&](std::int64_t c) { return deviation[c] > 0 ? -mean[c] / deviation[c] : -mean[c]; });
  }

 private:
  // x: [samples, channels, positions]; fitted: mean, squares, samples
  template <class X>
  static void add(const Shape& shape, const X* x, double unit, std::int64_t samples,
                  double* fitted) {
    const std::int64_t channels = channels_of(shape), positions = shape.elements() / channels;
    std::vector<double> mean(static_cast<std::size_t>(channels)), squares(mean.size());
    const auto over = [&](const auto& body) {
      for (std::int64_t row = 0; row < samples * channels; ++row)
        body(static_cast<std::size_t>(row % channels), x + row * positions);
    };
    const double now = static_cast<double>(samples) * static_cast<double>(positions);
    over([&](std::size_t c, const X* values) {
      for (std::int64_t p = 0; p < positions; ++p) mean[c] += static_cast<double>(values[p]) * unit;
    });
    for (double& sum : mean) sum /= now;
    over([&](std::size_t c, const X* values) {
      for (std::int64_t p = 0; p < positions; ++p) {
        const double difference = static_cast<double>(values[p]) * unit - mean[c];
        squares[c] += difference * difference;
      }
    });
    const double before = fitted[2 * channels] * static_cast<double>(positions);
    for (std::int64_t c = 0; c < channels; ++c) {
      const auto i = static_cast<std::size_t>(c);
      const double difference = mean[i] - fitted[c];
      fitted[c] += difference * now / (before + now);
      fitted[channels + c] += squares[i] + difference * difference * before * now / (before + now);
    }
    fitted[2 * channels] += static_cast<double>(samples);
  }

  const Options options_;
};

const TransformRegistration<Standardize> kRegistration{"Standardize"};

}  // namespace
}  // namespace strata::plugins
