// ImageFolder: PNG and JPEG files in folders that are named after their classes, as
// torchvision.datasets.ImageFolder and Keras' image_dataset_from_directory have them.
#include <algorithm>
#include <filesystem>
#include <optional>

#include "framework/base/utf8.h"
#include "framework/images/image_files.h"
#include "framework/images/image_scale.h"
#include "framework/plugin/dataset.h"
#include "plugins/support/bytes.h"
#include "plugins/support/split.h"

namespace strata::plugins {
namespace {

namespace fs = std::filesystem;
using Size = std::variant<std::int64_t, std::vector<std::int64_t>>;

constexpr std::int64_t kMostExtent = 16384;

struct Picture {
  std::string path;
  std::int32_t label = 0;
};

bool is_utf8(std::string_view name) {
  while (!name.empty()) {
    const Utf8Char next = decode_utf8(name);
    if (!next.valid) return false;
    name.remove_prefix(next.size);
  }
  return true;
}

bool is_folder(const fs::path& path) {
  std::error_code failure;
  return fs::is_directory(path, failure);
}

class ImageFolder final : public Dataset {
 public:
  struct Options {
    std::string path;
    std::optional<Size> size;
    std::string fit = "stretch";
    std::string color = "rgb";
    double val = 0.2;
    std::int64_t seed = 0;
    std::int64_t memory = 1024;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "PNG and JPEG files in folders that are named after their classes.\n"
            "Fields: image (bytes, [3, height, width], or [1, height, width] in grey) and label. "
            "Classes are the folders' names in alphabetical order; pictures may lie in folders "
            "within them. A folder with train and val (or valid, validation, test) in it has these "
            "splits, with the classes of train; others are divided by a random share. All pictures "
            "have one size, or get it by `size`. Transparency is dropped.")
        .example("ImageFolder(path = \"photos\", size = [96, 128])");
    schema.option("path", &Options::path).required().path().doc("the folder");
    schema.option("size", &Options::size)
        .min(1)
        .max(kMostExtent)
        .doc("the size that pictures get, or [height, width]; none: they have one already");
    schema.option("fit", &Options::fit)
        .choices({"stretch", "crop"})
        .doc("how they get it: all of a picture, or the part in its middle of these proportions");
    schema.option("color", &Options::color)
        .choices({"rgb", "gray"})
        .doc("three channels, or their brightness (ITU-R BT.601) in one");
    describe_split(schema);
    schema.option("memory", &Options::memory)
        .min(0)
        .doc(
            "MiB: up to that much, all pictures are decoded at the start and kept; more are "
            "decoded whenever they are read");
    schema.hint_for("root", "it is called `path` here")
        .hint_for("directory", "it is called `path` here")
        .hint_for("image_size", "it is called `size` here")
        .hint_for("target_size", "it is called `size` here")
        .hint_for("color_mode", "it is called `color` here")
        .hint_for("crop_to_aspect_ratio", "it is `fit = \"crop\"` here")
        .hint_for("batch_size", "it is a setting of `train`");
  }

  explicit ImageFolder(const Options& options) : options_(options) {
    if (!options.size) return;
    const auto* list = std::get_if<std::vector<std::int64_t>>(&*options.size);
    if (list && list->size() != 2) {
      throw PluginError(text("`size` is one number, or [height, width], and it has ", list->size(),
                             list->size() == 1 ? " number" : " numbers"));
    }
    height_ = list ? (*list)[0] : std::get<std::int64_t>(*options.size);
    width_ = list ? (*list)[1] : height_;
  }

  // Classes are known by looking into the folder, and the size, where it is not given, by the first
  // picture.
  DataPlan describe() {
    find_pictures();
    DataPlan plan;
    plan.field({"image", STRATA_U8, {channels(), height_, width_}, 0})
        .field({"label", STRATA_I32, {}, static_cast<std::int64_t>(classes_.size())})
        .class_names("label", classes_);
    for (const Split& split : splits_)
      plan.split(split.name, static_cast<std::int64_t>(split.pictures.size()));
    return plan;
  }

  DataPlan open(const std::vector<std::string>&) {
    DataPlan plan = describe();
    std::int64_t count = 0;
    for (const Split& split : splits_) count += static_cast<std::int64_t>(split.pictures.size());
    if (count > (options_.memory << 20) / elements()) return plan;
    for (Split& split : splits_) {
      if (!split.kept.empty()) continue;
      split.kept.resize(split.pictures.size() * static_cast<std::size_t>(elements()));
      for (std::size_t i = 0; i < split.pictures.size(); ++i)
        decode(split.pictures[i].path,
               split.kept.data() + i * static_cast<std::size_t>(elements()));
    }
    return plan;
  }

  void read(const ReadPass& pass) const {
    const Split& split = splits_[static_cast<std::size_t>(pass.split)];
    auto* images = static_cast<std::uint8_t*>(pass.fields[0]);
    auto* labels = static_cast<std::int32_t*>(pass.fields[1]);
    for (std::int64_t i = 0; i < pass.count; ++i) {
      const auto index = static_cast<std::size_t>(pass.indices[i]);
      labels[i] = split.pictures[index].label;
      if (split.kept.empty()) {
        decode(split.pictures[index].path, images + i * elements());
      } else {
        std::copy_n(split.kept.data() + index * static_cast<std::size_t>(elements()), elements(),
                    images + i * elements());
      }
    }
  }

 private:
  struct Split {
    std::string name;
    std::vector<Picture> pictures;
    std::vector<std::uint8_t> kept;  // [pictures, elements]; empty: decoded when they are read
  };

  std::int64_t channels() const { return options_.color == "gray" ? 1 : 3; }
  std::int64_t elements() const { return channels() * height_ * width_; }

  // [channels, height, width]
  void decode(const std::string& path, std::uint8_t* out) const {
    RgbImage image = value_or_throw(read_image(path));
    if (options_.size) {
      image = scaled(image, height_, width_, options_.fit == "crop");
    } else if (image.height != height_ || image.width != width_) {
      throw data_error(
          text(path, " has ", image.width, " × ", image.height, " pixels, and ", first_, " has ",
               width_, " × ", height_),
          text("ImageFolder(size = [", height_, ", ", width_, "]) gives all pictures one size"));
    }
    write_planes(image, channels(), out);
  }

  void find_pictures() {
    if (!splits_.empty()) return;
    const fs::path root = options_.path;
    std::error_code failure;
    if (!fs::exists(root, failure)) {
      if (!failure) failure = std::make_error_code(std::errc::no_such_file_or_directory);
      throw data_error(text(options_.path, " cannot be read: ", failure.message()));
    }
    if (!is_folder(root)) throw data_error(text(options_.path, " is a file, not a folder"));
    std::vector<Split> splits;
    const auto parts = split_folders(root);
    splits.push_back({"train", pictures_of(parts.empty() ? root : parts[0].second), {}});
    for (std::size_t i = 1; i < parts.size(); ++i)
      splits.push_back({parts[i].first, pictures_of(parts[i].second), {}});
    if (parts.size() < 2) divide(splits);
    if (height_ == 0) {
      first_ = splits[0].pictures[0].path;
      const RgbImage image = value_or_throw(read_image(first_));
      height_ = image.height;
      width_ = image.width;
    }
    splits_ = std::move(splits);
  }

  // Names and folders of splits, train first; none where the folder holds classes.
  static std::vector<std::pair<std::string, fs::path>> split_folders(const fs::path& root) {
    std::vector<std::pair<std::string, fs::path>> parts;
    fs::path train, val, test;
    for (const fs::path& entry : value_or_throw(folder_entries(root.string()))) {
      if (!is_folder(entry)) continue;
      const std::string name = entry.filename().string();
      if (name == "train") {
        train = entry;
      } else if (name == "test") {
        test = entry;
      } else if (name == "val" || name == "valid" || name == "validation") {
        if (!val.empty())
          throw data_error(text(root.string(), " has both ", val.filename().string(), " and ", name,
                                ", and only one split to validate on"));
        val = entry;
      } else {
        return {};
      }
    }
    if (train.empty()) return {};
    parts.emplace_back("train", train);
    if (!val.empty()) parts.emplace_back("val", val);
    // Whatever is not trained on is for validation, as with MNIST's test files.
    if (!test.empty()) parts.emplace_back(val.empty() ? "val" : "test", test);
    return parts;
  }

  // The first call says which classes there are.
  std::vector<Picture> pictures_of(const fs::path& folder) {
    const bool first = classes_.empty();
    std::vector<Picture> pictures;
    for (const fs::path& entry : value_or_throw(folder_entries(folder.string()))) {
      const std::string name = entry.filename().string();
      if (!is_folder(entry)) {
        if (!is_picture_name(entry)) continue;
        throw data_error(text(entry.string(), " lies beside the folders of classes"),
                         "a picture belongs into the folder of its class");
      }
      if (!is_utf8(name))
        throw data_error(text("a folder in ", folder.string(), " has a name that is not UTF-8"));
      if (first) classes_.push_back(name);
      const auto at = std::find(classes_.begin(), classes_.end(), name);
      if (at == classes_.end()) {
        throw data_error(text(folder.string(), " has a class that is not in train: ", name));
      }
      std::vector<std::string> paths = value_or_throw(pictures_below(entry.string()));
      if (first && paths.empty())
        throw data_error(text(entry.string(), " holds no PNG or JPEG files"));
      for (std::string& path : paths)
        pictures.push_back({std::move(path), static_cast<std::int32_t>(at - classes_.begin())});
    }
    if (classes_.size() < 2) {
      const std::string found = classes_.empty() ? "no folders" : "one folder, " + classes_[0];
      classes_.clear();
      throw data_error(text(folder.string(), " has ", found,
                            ", and a class needs a folder of its own, at least two of them"));
    }
    if (pictures.empty()) throw data_error(text(folder.string(), " holds no PNG or JPEG files"));
    return pictures;
  }

  void divide(std::vector<Split>& splits) const {
    std::vector<std::int64_t> rows[2];
    std::vector<Picture> all = std::move(splits[0].pictures);
    random_split(static_cast<std::int64_t>(all.size()), options_.val, options_.seed, rows);
    splits = {{"train", {}, {}}, {"val", {}, {}}};
    for (std::size_t split = 0; split < 2; ++split) {
      for (const std::int64_t row : rows[split])
        splits[split].pictures.push_back(std::move(all[static_cast<std::size_t>(row)]));
    }
    if (splits[1].pictures.empty()) splits.pop_back();
    if (splits[0].pictures.empty())
      throw data_error(text(options_.path, " leaves no pictures to train on"));
  }

  const Options options_;
  std::int64_t height_ = 0, width_ = 0;
  std::string first_;  // the picture whose size all have
  std::vector<std::string> classes_;
  std::vector<Split> splits_;
};

const DatasetRegistration<ImageFolder> kRegistration{"ImageFolder"};

}  // namespace
}  // namespace strata::plugins
