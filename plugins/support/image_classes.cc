// Finding, checking and serving the four files.
#include "plugins/support/image_classes.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>

#include "plugins/support/idx.h"

namespace strata::plugins {
namespace {

constexpr std::int64_t kSide = 28, kPixels = kSide * kSide, kClasses = 10;
constexpr const char* kTrain = "train";
constexpr const char* kVal = "t10k";

std::string images_name(const std::string& prefix) { return prefix + "-images-idx3-ubyte"; }
std::string labels_name(const std::string& prefix) { return prefix + "-labels-idx1-ubyte"; }

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// The file of this name, raw or zipped, with the name's variant that some archives have; empty
// where there is none.
std::string find_file(const std::string& folder, const std::string& name) {
  std::string dotted = name;
  dotted.replace(dotted.find("-idx"), 1, ".");
  for (const std::string& base : {name, dotted}) {
    for (const char* suffix : {"", ".gz"}) {
      std::string path = folder + "/" + base + suffix;
      if (exists(path)) return path;
    }
  }
  return {};
}

bool has_any_file(const std::string& folder) {
  for (const char* prefix : {kTrain, kVal}) {
    if (!find_file(folder, images_name(prefix)).empty() ||
        !find_file(folder, labels_name(prefix)).empty())
      return true;
  }
  return false;
}

// What a file is called with what would change if its content did.
std::string version_of(const std::string& path) {
  struct stat facts {};
  stat(path.c_str(), &facts);
  return text(path, '\n', facts.st_dev, ' ', facts.st_ino, ' ', facts.st_size, ' ',
              facts.st_mtim.tv_sec, ' ', facts.st_mtim.tv_nsec, '\n');
}

}  // namespace

void ImageClasses::describe_path(Schema<Options>& schema) {
  schema.option("path", &Options::path)
      .path()
      .doc(
          "folder with the four files, raw or .gz; none: looked up in $STRATA_DATA, the cache "
          "folder and the system");
}

DataPlan ImageClasses::plan(std::int64_t train, std::int64_t val) const {
  return DataPlan()
      .field({"image", STRATA_U8, {kSide, kSide}, 0})
      .field({"label", STRATA_I32, {}, kClasses})
      .class_names("label", facts_.class_names)
      .split("train", train)
      .split("val", val);
}

DataPlan ImageClasses::describe() const {
  if (!options_.path) return plan(60000, 10000);
  // A folder of the user's may hold any number of samples: only headers are read, and nothing is
  // complained about yet.
  return plan(peek_idx_count(find_file(*options_.path, images_name(kTrain))),
              peek_idx_count(find_file(*options_.path, images_name(kVal))));
}

DataPlan ImageClasses::open(const std::vector<std::string>& folders) {
  std::vector<std::string> candidates;
  if (options_.path) {
    candidates.push_back(*options_.path);
  } else {
    for (const std::string& folder : folders) {
      for (const std::string& inner : facts_.folders) candidates.push_back(folder + "/" + inner);
    }
  }
  const auto found = std::find_if(candidates.begin(), candidates.end(), has_any_file);
  if (found == candidates.end()) {
    std::string places;
    for (const std::string& candidate : candidates)
      places += (places.empty() ? "" : ", ") + candidate;
    throw data_error(text("the files of ", facts_.name, " (", images_name(kTrain),
                          " and three more, raw or .gz) are not in ",
                          places.empty() ? "any known folder" : places),
                     facts_.hint);
  }
  train_ = shared(*found, kTrain);
  val_ = shared(*found, kVal);
  return plan(static_cast<std::int64_t>(train_->labels.size()),
              static_cast<std::int64_t>(val_->labels.size()));
}

std::string ImageClasses::file_in(const std::string& folder, const std::string& name) const {
  std::string path = find_file(folder, name);
  if (path.empty())
    throw data_error(text(folder, " has no file ", name, " (or ", name, ".gz)"), facts_.hint);
  return path;
}

ImageClasses::Split ImageClasses::load(const std::string& folder, const std::string& prefix) const {
  IdxFile images = read_idx(file_in(folder, images_name(prefix)), 3);
  IdxFile labels = read_idx(file_in(folder, labels_name(prefix)), 1);
  if (images.extents[1] != kSide || images.extents[2] != kSide) {
    throw data_error(text(images.path, " has images of ", images.extents[1], " × ",
                          images.extents[2], ", and ", facts_.name, "'s are ", kSide, " × ",
                          kSide));
  }
  if (images.extents[0] != labels.extents[0]) {
    throw data_error(text(labels.path, " has ", labels.extents[0], " labels, and ", images.path,
                          " has ", images.extents[0], " images"));
  }
  const auto bad = std::find_if(labels.values.begin(), labels.values.end(),
                                [](int label) { return label >= kClasses; });
  if (bad != labels.values.end()) {
    throw data_error(text(labels.path, " gives sample ", bad - labels.values.begin(), " the label ",
                          int{*bad}, ", and the classes are 0 to ", kClasses - 1));
  }
  return {std::move(images.values), std::move(labels.values)};
}

std::shared_ptr<const ImageClasses::Split> ImageClasses::shared(const std::string& folder,
                                                                const std::string& prefix) const {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<const Split>> opened;
  const std::string key = version_of(file_in(folder, images_name(prefix))) +
                          version_of(file_in(folder, labels_name(prefix)));
  const std::lock_guard lock(mutex);
  if (auto known = opened[key].lock()) return known;
  auto split = std::make_shared<const Split>(load(folder, prefix));
  opened[key] = split;
  return split;
}

void ImageClasses::read(const ReadPass& pass) const {
  const Split& split = pass.split == 0 ? *train_ : *val_;
  auto* images = static_cast<std::uint8_t*>(pass.fields[0]);
  auto* labels = static_cast<std::int32_t*>(pass.fields[1]);
  for (std::int64_t i = 0; i < pass.count; ++i) {
    std::memcpy(images + i * kPixels, split.images.data() + pass.indices[i] * kPixels, kPixels);
    labels[i] = split.labels[static_cast<std::size_t>(pass.indices[i])];
  }
}

}  // namespace strata::plugins
