// A data set of 28 × 28 grey images in ten classes, in the four files of MNIST: what MNIST and
// FashionMNIST share.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/plugin/dataset.h"

namespace strata::plugins {

class ImageClasses : public Dataset {
 public:
  struct Options {
    std::optional<std::string> path;
  };

  DataPlan describe() const;
  DataPlan open(const std::vector<std::string>& folders);
  void read(const ReadPass& pass) const;

 protected:
  struct Facts {
    std::string name;                      // for messages
    std::vector<std::string> class_names;  // ten
    std::vector<std::string> folders;      // where it may be within a folder of data sets
    std::string hint;                      // which command brings it
  };
  ImageClasses(const Options& options, Facts facts) : options_(options), facts_(std::move(facts)) {}

  // Adds the option `path`, described for all alike.
  static void describe_path(Schema<Options>& schema);

 private:
  struct Split {
    std::vector<std::uint8_t> images;  // [samples, 28, 28]
    std::vector<std::uint8_t> labels;  // [samples]
  };
  Split load(const std::string& folder, const std::string& prefix) const;
  // The same, from memory where another data set of this process has the same files open.
  std::shared_ptr<const Split> shared(const std::string& folder, const std::string& prefix) const;
  std::string file_in(const std::string& folder, const std::string& name) const;
  DataPlan plan(std::int64_t train, std::int64_t val) const;

  const Options options_;
  const Facts facts_;
  std::shared_ptr<const Split> train_, val_;
};

}  // namespace strata::plugins
