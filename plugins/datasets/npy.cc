// NPY: arrays that numpy.save wrote
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html), one with the samples
// and one with what to predict.
#include "plugins/support/npy.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "plugins/support/split.h"

namespace strata::plugins {
namespace {

class Npy final : public Dataset {
 public:
  struct Options {
    std::string path;
    std::string target_path;
    std::optional<std::string> val_path;
    std::optional<std::string> val_target_path;
    double val = 0.2;
    std::int64_t seed = 0;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Arrays that numpy.save wrote: one with the samples, and one with what to predict.\n"
            "The first axis of each counts samples. Fields: x (bytes where the array has uint8, "
            "else real), and label (class numbers) where the targets are whole numbers of one "
            "axis, "
            "else target (real). Splits: train and val, by a random share of the samples or from "
            "files of their own.")
        .example("NPY(path = \"x.npy\", target_path = \"y.npy\")");
    schema.option("path", &Options::path).required().path().doc("the file with the samples");
    schema.option("target_path", &Options::target_path)
        .required()
        .path()
        .doc("the file with what to predict");
    schema.option("val_path", &Options::val_path)
        .path()
        .doc("samples to validate on; none: a share of the others");
    schema.option("val_target_path", &Options::val_target_path)
        .path()
        .doc("what to predict of those");
    describe_split(schema);
  }

  explicit Npy(const Options& options) : options_(options) {
    if (options.val_path.has_value() != options.val_target_path.has_value())
      throw PluginError("`val_path` and `val_target_path` go together");
  }

  // Shapes stand in the files; the classes are known by reading them.
  DataPlan describe() { return open({}); }

  DataPlan open(const std::vector<std::string>&) {
    if (x_[0].shape.empty()) load();
    const NpyArray& x = x_[0];
    const NpyArray& y = y_[0];
    DataPlan plan;
    plan.field({"x", x.is_bytes() ? STRATA_U8 : STRATA_REAL,
                Shape(x.shape.begin() + 1, x.shape.end()), 0});
    if (classes_ > 0) {
      plan.field({"label", STRATA_I32, {}, classes_});
    } else {
      plan.field({"target", STRATA_REAL,
                  y.shape.size() == 1 ? Shape{1} : Shape(y.shape.begin() + 1, y.shape.end()), 0});
    }
    plan.split("train", static_cast<std::int64_t>(splits_[0].size()));
    if (!splits_[1].empty()) plan.split("val", static_cast<std::int64_t>(splits_[1].size()));
    return plan;
  }

  void read(const ReadPass& pass) const {
    const std::size_t file = options_.val_path ? static_cast<std::size_t>(pass.split) : 0;
    for (std::int64_t i = 0; i < pass.count; ++i) {
      const std::int64_t row = splits_[pass.split][static_cast<std::size_t>(pass.indices[i])];
      x_[file].copy_row(row, i, x_[file].is_bytes() ? STRATA_U8 : pass.real_dtype, pass.fields[0]);
      y_[file].copy_row(row, i, classes_ > 0 ? STRATA_I32 : pass.real_dtype, pass.fields[1]);
    }
  }

 private:
  void load() {
    NpyArray x = read_npy(options_.path), y = read_npy(options_.target_path);
    check_pair(x, y);
    const std::int64_t samples = x.shape[0];
    if (options_.val_path) {
      NpyArray val_x = read_npy(*options_.val_path), val_y = read_npy(*options_.val_target_path);
      check_pair(val_x, val_y);
      check_alike(x, val_x);
      check_alike(y, val_y);
      splits_[0] = all_rows(samples);
      splits_[1] = all_rows(val_x.shape[0]);
      x_[1] = std::move(val_x);
      y_[1] = std::move(val_y);
    } else {
      random_split(samples, options_.val, options_.seed, splits_);
      if (splits_[0].empty())
        throw data_error(text(options_.path, " leaves no samples to train on"));
    }
    if (y.is_whole() && y.shape.size() == 1) {
      classes_ = std::max(count_classes(y), options_.val_path ? count_classes(y_[1]) : 0);
    }
    x_[0] = std::move(x);
    y_[0] = std::move(y);
  }

  static void check_pair(const NpyArray& x, const NpyArray& y) {
    if (x.shape[0] == y.shape[0]) return;
    throw data_error(text(y.path, " has ", y.shape[0], " targets, and ", x.path, " has ",
                          x.shape[0], " samples"));
  }
  static void check_alike(const NpyArray& a, const NpyArray& b) {
    if (std::equal(a.shape.begin() + 1, a.shape.end(), b.shape.begin() + 1, b.shape.end()) &&
        a.type == b.type)
      return;
    throw data_error(text(b.path, " has samples of another shape or type than ", a.path));
  }

  static std::int64_t count_classes(const NpyArray& y) {
    std::int64_t largest = 0;
    for (std::int64_t i = 0; i < y.shape[0]; ++i) {
      double value = 0;
      y.copy_row(i, 0, STRATA_F64, &value);
      constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max() - 1;
      if (value < 0 || value > static_cast<double>(kMost)) {
        throw data_error(text(y.path, " gives sample ", i, " the class ",
                              static_cast<std::int64_t>(value), ", and classes are 0 to ", kMost),
                         "real numbers (float32) are values to predict");
      }
      largest = std::max(largest, static_cast<std::int64_t>(value));
    }
    return std::max<std::int64_t>(2, largest + 1);
  }

  const Options options_;
  NpyArray x_[2], y_[2];  // of path, of val_path
  std::int64_t classes_ = 0;
  std::vector<std::int64_t> splits_[2];  // rows of train and val
};

const DatasetRegistration<Npy> kRegistration{"NPY"};

}  // namespace
}  // namespace strata::plugins
