// All sections of a model file and what it includes, by name: the first step of elaboration.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "framework/dsl/syntax.h"
#include "framework/graph/evaluate.h"
#include "framework/graph/session.h"

namespace strata::graph {

// A `let` or `param` of a file. Evaluated when it is first read, so their order does not matter.
struct Constant {
  dsl::Section* section = nullptr;
  const dsl::Name* name = nullptr;
  const dsl::Expr* value = nullptr;
  const dsl::ParamSection* param = nullptr;  // null for a `let`
  bool in_main = false;                      // of the file itself, not of one that it includes
  bool used = false;
  enum { kNew, kEvaluating, kDone } state = kNew;
  Value result;
  const dsl::Override* overridden = nullptr;
};

template <class T>
struct Declared {
  dsl::Section* section = nullptr;
  T* node = nullptr;
  bool in_main = false;
  bool used = false;
  bool repeated = false;   // its name was taken: reported, checked by itself, never meant
  bool recursive = false;  // a block that contains itself: reported, never expanded
};
using BlockDecl = Declared<dsl::BlockSection>;
using ModelDecl = Declared<dsl::ModelSection>;
using DataDecl = Declared<dsl::DataSection>;
using TrainDecl = Declared<dsl::TrainSection>;
using StudyDecl = Declared<dsl::StudySection>;

// Names of lets, params and blocks are one family: they must differ, in all files. Models, data,
// train and study sections are named each among their own.
struct Declarations {
  std::vector<std::unique_ptr<dsl::File>> files;  // [0] is the main one
  std::vector<dsl::Section*> requires_;
  std::deque<Constant> constants;  // in the order of the text, included files first
  std::deque<BlockDecl> blocks;
  std::deque<ModelDecl> models;
  std::deque<DataDecl> data;
  std::deque<TrainDecl> trains;
  std::deque<StudyDecl> studies;
  std::unordered_set<std::string> incomplete;  // names whose declarations a syntax error kept out

  Constant* find_constant(std::string_view name) const;
  BlockDecl* find_block(std::string_view name) const;
  ModelDecl* find_model(std::string_view name) const;
  DataDecl* find_data(std::string_view name) const;
  bool unread = false;  // an include is missing: what nothing here defines may stand in it
  // Whether `name` may be defined where nobody could read it.
  bool is_incomplete(std::string_view name) const {
    return incomplete.contains(std::string(name)) || (unread && is_elsewhere(name));
  }
  // Names of files are in small letters; registered things are not.
  bool is_elsewhere(std::string_view name) const {
    return !name.empty() && !(name[0] >= 'A' && name[0] <= 'Z') &&
           name.find('.') == std::string_view::npos && !find_constant(name) && !find_block(name) &&
           !find_model(name) && !find_data(name);
  }

  std::unordered_map<std::string_view, Constant*> constant_by_name;
  std::unordered_map<std::string_view, BlockDecl*> block_by_name;
};

// Carets for a section as a whole: its first words, up to the brace.
Span heading(const dsl::Section& section);

// Parses the file and its includes and collects their sections. Mistakes are reported; what is
// sound is there.
void load(const SourceFile& main, Session& session, Declarations& declarations);

// Reads a file; an Error where that cannot be done.
Result<std::string> read_text(const std::string& path);

// The lets and params that every expression sees.
class GlobalNames : public Names {
 public:
  GlobalNames(Declarations& declarations, Session& session)
      : declarations_(declarations), session_(session) {}

  std::optional<Value> find(std::string_view name, Span use) override;
  void list(std::vector<std::string>& names) const override;
  bool is_incomplete(std::string_view name) const override {
    return declarations_.is_incomplete(name);
  }

  // Evaluates one and checks a param against its type and domain.
  Value evaluate_constant(Constant& constant);
  // Checks a value for a param: `span` is where it stands. Unknown after an error.
  Value check_param(Constant& constant, Value value, Span span);

 private:
  Declarations& declarations_;
  Session& session_;
  int depth_ = 0;
};

}  // namespace strata::graph
