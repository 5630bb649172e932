// A data set of 3 × 32 × 32 images in binary files of records, labels before pixels: what CIFAR10
// and CIFAR100 share (https://www.cs.toronto.edu/~kriz/cifar.html).
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plugins/support/bytes.h"

namespace strata::plugins {

class CifarImages : public Dataset {
 public:
  DataPlan describe() const {
    if (!path_) return plan(facts_.samples[0], facts_.samples[1]);
    return plan(peek(0), peek(1));
  }

  DataPlan open(const std::vector<std::string>& folders) {
    const std::string folder = path_ ? *path_ : find(folders);
    for (int split = 0; split < 2; ++split) {
      for (const std::string& name : facts_.files[split]) load(split, folder + "/" + name);
      const std::int64_t found = samples(split);
      if (!path_ && found != facts_.samples[split]) {
        throw data_error(text("the files of ", facts_.name, " in ", folder, " hold ", found,
                              split == 0 ? " images to train on" : " images to validate",
                              ", and there should be ", facts_.samples[split]),
                         facts_.hint);
      }
    }
    return plan(samples(0), samples(1));
  }

  void read(const ReadPass& pass) const {
    auto* images = static_cast<std::uint8_t*>(pass.fields[0]);
    auto* labels = static_cast<std::int32_t*>(pass.fields[1]);
    for (std::int64_t i = 0; i < pass.count; ++i) {
      const std::uint8_t* record = records_[pass.split].data() + pass.indices[i] * record_size();
      labels[i] = record[facts_.label];
      std::copy_n(record + facts_.labels, kPixels, images + i * kPixels);
    }
  }

 protected:
  struct Facts {
    std::string name;
    std::vector<std::string> files[2];  // of train and val
    std::int64_t samples[2];            // of the published data set
    int labels, label;                  // bytes before the pixels, and the one that counts
    std::vector<int> classes;           // that each of those bytes tells apart
    std::vector<std::string> class_names;
    std::vector<std::string> folders;  // where it may be within a folder of data sets
    std::string hint;
  };
  CifarImages(std::optional<std::string> path, Facts facts)
      : path_(std::move(path)), facts_(std::move(facts)) {}

  template <class Options>
  static void describe_path(Schema<Options>& schema) {
    schema.option("path", &Options::path)
        .path()
        .doc(
            "folder with the binary files; none: looked up in $STRATA_DATA, the cache folder and "
            "the system");
    schema.hint_for("root", "it is called `path` here");
  }

 private:
  static constexpr std::int64_t kPixels = 3 * 32 * 32;

  std::int64_t record_size() const { return facts_.labels + kPixels; }
  std::int64_t samples(int split) const {
    return static_cast<std::int64_t>(records_[split].size()) / record_size();
  }

  DataPlan plan(std::int64_t train, std::int64_t val) const {
    const int classes = facts_.classes[static_cast<std::size_t>(facts_.label)];
    DataPlan plan;
    plan.field({"image", STRATA_U8, {3, 32, 32}, 0})
        .field({"label", STRATA_I32, {}, classes})
        .split("train", train)
        .split("val", val);
    if (!facts_.class_names.empty()) plan.class_names("label", facts_.class_names);
    return plan;
  }

  // By the files' sizes; -1 where one is missing.
  std::int64_t peek(int split) const {
    std::int64_t bytes = 0;
    for (const std::string& name : facts_.files[split]) {
      struct stat facts {};
      if (stat((*path_ + "/" + name).c_str(), &facts) != 0) return -1;
      bytes += facts.st_size;
    }
    return bytes % record_size() == 0 && bytes > 0 ? bytes / record_size() : -1;
  }

  std::string find(const std::vector<std::string>& folders) const {
    std::string places;
    for (const std::string& folder : folders) {
      for (const std::string& inner : facts_.folders) {
        std::string place = folder + "/" + inner;
        struct stat facts {};
        if (stat((place + "/" + facts_.files[0][0]).c_str(), &facts) == 0) return place;
        places += (places.empty() ? "" : ", ") + place;
      }
    }
    throw data_error(text("the files of ", facts_.name, " (", facts_.files[0][0],
                          " and so on) are not in ", places.empty() ? "any known folder" : places),
                     facts_.hint);
  }

  void load(int split, const std::string& path) {
    const std::vector<std::uint8_t> bytes = read_bytes(path, facts_.hint);
    const auto size = static_cast<std::size_t>(record_size());
    if (bytes.size() % size != 0) {
      throw data_error(
          text(path, " is damaged: its ", bytes.size(), " bytes are not a multiple of ", size,
               ", which is the size of an image of ", facts_.name),
          facts_.hint);
    }
    for (std::size_t record = 0; record < bytes.size() / size; ++record) {
      for (std::size_t i = 0; i < facts_.classes.size(); ++i) {
        const int label = bytes[record * size + i];
        if (label < facts_.classes[i]) continue;
        throw data_error(text(path, " is damaged: it gives image ", record, " the label ", label,
                              ", and the classes are 0 to ", facts_.classes[i] - 1),
                         facts_.hint);
      }
    }
    records_[split].insert(records_[split].end(), bytes.begin(), bytes.end());
  }

  const std::optional<std::string> path_;
  const Facts facts_;
  std::vector<std::uint8_t> records_[2];
};

}  // namespace strata::plugins
