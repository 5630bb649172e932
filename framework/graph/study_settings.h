// What a study says besides its axes: `seeds`, `target`, `random`, `halving`, and which figures it
// reports.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "framework/graph/study_check.h"

namespace strata::graph {

class StudySettingsReader {
 public:
  explicit StudySettingsReader(const StudyContext& context) : context_(context) {}

  // One line of the section; false after an error.
  bool read(const dsl::StudySetting& setting);
  // What was read, and `reports` checked, go into `study`; false after an error. `axes` are the
  // paths that vary.
  bool finish(Study& study, const std::vector<dsl::Path>& reports,
              const std::map<std::string, Span>& axes);
  // Where `random` is set, leaves those of study.runs that are drawn; false after an error.
  bool draw(Study& study) const;
  Span random_span() const;  // of its value; where it was set

 private:
  bool read_seeds(const dsl::Expr& expr);
  // Whether all that a run will report is known: what a metric computes follows from shapes of the
  // model.
  bool complete() const {
    return context_.data && context_.result && context_.result->sound && context_.train &&
           context_.train->graph;
  }
  bool check_halving(const std::map<std::string, Span>& axes);
  bool check_report(const dsl::Path& path, const std::vector<std::string>& known);

  const StudyContext& context_;
  StudySettings settings_;
  StudySettings::Halving halving_;
  std::vector<std::int64_t> seeds_;
  std::map<std::string, Span> given_;  // the keys
  std::map<std::string, Span> values_;
  std::set<std::string> unread_;  // keys whose values were wrong
};

}  // namespace strata::graph
