// What a study's `where` reads: the values of one combination, and otherwise what the file says.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "framework/graph/study_check.h"
#include "framework/graph/study_draw.h"

namespace strata::graph {

struct StudyAxisValues {
  std::vector<dsl::Path> paths;
  std::vector<std::optional<Target>> targets;
  std::vector<std::vector<Value>> points;  // for each point the values of the paths
  std::vector<Span> spans;                 // of the points
  Span span;
  std::optional<DrawnRange> drawn;  // then there are only points that were drawn
};

class RunNames : public Names {
 public:
  RunNames(const StudyContext& context, const std::vector<StudyAxisValues>& axes)
      : context_(context), axes_(axes) {}

  std::vector<int> run;  // for each axis the point that is read

  std::optional<Value> find(std::string_view name, Span use) override;
  std::optional<Value> find_path(const dsl::Path& path) override;
  void list(std::vector<std::string>& names) const override { context_.globals.list(names); }
  bool is_incomplete(std::string_view name) const override {
    return context_.globals.is_incomplete(name);
  }

 private:
  std::optional<Value> of_axis(std::string_view path) const;
  // What the file says of a path that no axis varies.
  Value current(const Target& target) const;

  const StudyContext& context_;
  const std::vector<StudyAxisValues>& axes_;
};

}  // namespace strata::graph
