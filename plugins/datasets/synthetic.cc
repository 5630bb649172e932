// Synthetic: points in classes, made from a seed; for trying things out, and for tests that need no
// files.
#include <algorithm>
#include <cmath>

#include "framework/base/random.h"
#include "framework/plugin/dataset.h"

namespace strata::plugins {
namespace {

constexpr double kPi = 3.14159265358979323846;

// Doubles of one stream, in order.
class Numbers {
 public:
  explicit Numbers(const StreamKey& key) : key_(key) {}
  double uniform() {  // [0, 1)
    std::uint32_t words[2];
    random_words(key_, offset_, 2, words);
    offset_ += 2;
    return static_cast<double>(((std::uint64_t{words[0]} << 32) | words[1]) >> 11) * 0x1p-53;
  }
  double normal() {  // Box and Muller, 1958
    const double radius = std::sqrt(-2 * std::log1p(-uniform()));
    return radius * std::cos(2 * kPi * uniform());
  }

 private:
  StreamKey key_;
  std::uint64_t offset_ = 0;
};

class Synthetic final : public Dataset {
 public:
  struct Options {
    std::string kind = "spirals";
    std::int64_t samples = 1000;
    std::int64_t val_samples = 200;
    std::int64_t classes = 3;
    std::int64_t features = 2;
    double noise = 0.05;
    std::int64_t seed = 0;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Points in classes, made from a seed: the arms of a spiral, or round blobs. Needs no "
            "files.\n"
            "Fields: point (real, [features]) and label. Splits: train and val. Sample i has class "
            "i modulo classes. "
            "Spirals turn by half a circle as they go out to radius 1; blobs lie around centres on "
            "the unit circle, or "
            "on a line from -1 to 1 where there is one feature; each further feature of a centre "
            "is uniform on ±1.")
        .example("Synthetic(kind = \"blobs\", samples = 500, classes = 4)");
    schema.option("kind", &Options::kind)
        .choices({"spirals", "blobs"})
        .doc("the form of the classes");
    schema.option("samples", &Options::samples).min(1).max(1e8).doc("samples of the split train");
    schema.option("val_samples", &Options::val_samples)
        .min(1)
        .max(1e8)
        .doc("samples of the split val");
    schema.option("classes", &Options::classes).min(2).max(1000).doc("how many classes");
    schema.option("features", &Options::features)
        .min(1)
        .max(4096)
        .doc("values per point; spirals have 2");
    schema.option("noise", &Options::noise)
        .min(0)
        .doc("deviation of the normal noise on every value");
    schema.option("seed", &Options::seed).min(0).doc("other seeds give other points");
  }

  explicit Synthetic(const Options& options) : options_(options) {
    if (options.kind == "spirals" && options.features != 2) {
      throw PluginError(text("spirals have 2 features, not ", options.features),
                        "kind = \"blobs\" takes any number");
    }
  }

  DataPlan describe() const {
    return DataPlan()
        .field({"point", STRATA_REAL, {options_.features}, 0})
        .field({"label", STRATA_I32, {}, options_.classes})
        .split("train", options_.samples)
        .split("val", options_.val_samples);
  }

  DataPlan open(const std::vector<std::string>&) {
    const auto features = static_cast<std::size_t>(options_.features);
    centers_.resize(static_cast<std::size_t>(options_.classes) * features);
    Numbers numbers(stream(2));
    for (std::int64_t c = 0; c < options_.classes; ++c) {
      double* center = centers_.data() + static_cast<std::size_t>(c) * features;
      const double angle = angle_of(c);
      center[0] = features == 1
                      ? 2 * static_cast<double>(c) / static_cast<double>(options_.classes - 1) - 1
                      : std::cos(angle);
      if (features > 1) center[1] = std::sin(angle);
      for (std::size_t f = 2; f < features; ++f) center[f] = 2 * numbers.uniform() - 1;
    }
    points_[0] = make(0, options_.samples);
    points_[1] = make(1, options_.val_samples);
    return describe();
  }

  void read(const ReadPass& pass) const {
    const std::int64_t n = options_.features;
    auto* labels = static_cast<std::int32_t*>(pass.fields[1]);
    for (std::int64_t i = 0; i < pass.count; ++i) {
      const double* point = points_[pass.split].data() + pass.indices[i] * n;
      if (pass.real_dtype == STRATA_F32) {
        std::copy(point, point + n, static_cast<float*>(pass.fields[0]) + i * n);
      } else {
        std::copy(point, point + n, static_cast<double*>(pass.fields[0]) + i * n);
      }
      labels[i] = static_cast<std::int32_t>(pass.indices[i] % options_.classes);
    }
  }

 private:
  StreamKey stream(std::uint64_t which) const {
    return stream_key(static_cast<std::uint64_t>(options_.seed), Purpose::kSynthetic, which, 0);
  }
  double angle_of(std::int64_t c) const {
    return 2 * kPi * static_cast<double>(c) / static_cast<double>(options_.classes);
  }

  // [samples, features]
  std::vector<double> make(std::uint64_t split, std::int64_t samples) const {
    const std::int64_t n = options_.features;
    std::vector<double> points(static_cast<std::size_t>(samples * n));
    Numbers numbers(stream(split));
    for (std::int64_t i = 0; i < samples; ++i) {
      double* point = points.data() + i * n;
      const std::int64_t c = i % options_.classes;
      if (options_.kind == "spirals") {
        const double radius = numbers.uniform(), angle = angle_of(c) + kPi * radius;
        point[0] = radius * std::cos(angle);
        point[1] = radius * std::sin(angle);
      } else {
        std::copy_n(centers_.data() + c * n, n, point);
      }
      for (std::int64_t f = 0; f < n; ++f) point[f] += options_.noise * numbers.normal();
    }
    return points;
  }

  const Options options_;
  std::vector<double> centers_;    // [classes, features]
  std::vector<double> points_[2];  // train, val
};

const DatasetRegistration<Synthetic> kRegistration{"Synthetic"};

}  // namespace
}  // namespace strata::plugins
