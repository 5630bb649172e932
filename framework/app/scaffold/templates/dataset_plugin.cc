// MyPlugin: points of the plane, inside and outside of a circle. A data set to begin from.
#include <cmath>

#include "framework/plugin/dataset.h"

namespace {

using namespace strata;

class MyPlugin final : public Dataset {
 public:
  struct Options {
    std::int64_t samples = 600;
    double radius = 0.8;
  };

  static void describe(Schema<Options>& schema) {
    schema.doc("Points of a square in two classes: outside of a circle, and inside.")
        .example("MyPlugin(samples = 1000)");
    schema.option("samples", &Options::samples).min(10).max(1e8).doc("samples of the split train");
    schema.option("radius", &Options::radius).above(0).max(1).doc("of the circle");
  }

  explicit MyPlugin(const Options& options) : options_(options) {}

  // Fields and splits; reads no data.
  DataPlan describe() const {
    return DataPlan()
        .field({"point", STRATA_REAL, {2}, 0})
        .field({"label", STRATA_I32, {}, 2})
        .class_names("label", {"outside", "inside"})
        .split("train", options_.samples)
        .split("val", options_.samples / 5);
  }

  // Loads and checks everything; what is missing or damaged is a data_error("…"). `folders` are
  // where data sets are looked up.
  DataPlan open(const std::vector<std::string>&) { return describe(); }

  // Copies samples; called from many threads.
  void read(const ReadPass& pass) const {
    auto* labels = static_cast<std::int32_t*>(pass.fields[1]);
    for (std::int64_t i = 0; i < pass.count; ++i) {
      const auto key = static_cast<std::uint64_t>(2 * pass.indices[i] + pass.split);
      const double x = coordinate(2 * key), y = coordinate(2 * key + 1);
      if (pass.real_dtype == STRATA_F32) {
        write(static_cast<float*>(pass.fields[0]) + 2 * i, x, y);
      } else {
        write(static_cast<double*>(pass.fields[0]) + 2 * i, x, y);
      }
      labels[i] = x * x + y * y < options_.radius * options_.radius;
    }
  }

 private:
  template <class T>
  static void write(T* point, double x, double y) {
    point[0] = static_cast<T>(x);
    point[1] = static_cast<T>(y);
  }

  // In [-1, 1), the same for the same key (SplitMix64, Steele et al., 2014).
  static double coordinate(std::uint64_t key) {
    std::uint64_t z = (key + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-52 - 1;
  }

  const Options options_;
};

const DatasetRegistration<MyPlugin> kRegistration{"MyPlugin"};

}  // namespace

STRATA_PLUGIN("my_plugin", "1.0");
