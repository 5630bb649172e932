// What is available by name: a value, made at the start of a program and handed to whoever looks
// names up.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "framework/base/error.h"
#include "framework/plugin/abi.h"

namespace strata {

using Kind = strata_kind;

// "layer", "loss", … for messages.
std::string_view kind_name(Kind kind);

// A shared library of plugins, as it was loaded.
struct PluginLibrary {
  std::string name;     // what files require
  std::string version;  // "1.2"
  std::string path;
  std::string sha256;              // of the file, in hexadecimal
  std::vector<std::string> notes;  // what was noticed and put right while it was loaded
};

// One that was found and not loaded, and why.
struct RefusedLibrary {
  std::string name;  // as its tag says, or the file's name
  std::string path;
  Error error;
  bool asked_for = false;  // it lies in a folder of the command line
};

// One registered thing. The table outlives the registry (built-in: static; a library: while it is
// loaded).
struct Entry {
  const strata_entry* table = nullptr;
  std::string origin;                      // "built in", or the library's path
  const PluginLibrary* library = nullptr;  // null where it is built in

  Kind kind() const { return static_cast<Kind>(table->kind); }
  std::string name() const { return table->name; }
  const strata_schema& schema() const { return *table->schema; }
  // Index of an option, -1 where there is none.
  int find_option(std::string_view name) const;
  // What to tell whoever writes the unknown option `name` (BatchNorm's `momentum`); empty where
  // there is nothing.
  std::string hint_for(std::string_view name) const;
};

class Registry {
 public:
  // Everything that is linked into this program.
  static Registry builtin();

  // Fails where the kind has the name already, and where the table is not sane.
  Status add(const strata_entry* table, std::string origin);
  // All entries of a library, or none.
  Status add(PluginLibrary library, const std::vector<const strata_entry*>& tables);
  void add(RefusedLibrary refused) { refused_.push_back(std::move(refused)); }

  const std::vector<std::shared_ptr<const PluginLibrary>>& libraries() const { return libraries_; }
  const std::vector<RefusedLibrary>& refused() const { return refused_; }
  const PluginLibrary* find_library(std::string_view name) const;  // null where there is none

  const Entry* find(Kind kind, std::string_view name) const;    // null where there is none
  std::vector<const Entry*> find(std::string_view name) const;  // of any kind
  std::vector<const Entry*> all(Kind kind) const;               // by name
  std::vector<const Entry*> all() const;                        // by kind, then name
  std::vector<std::string> names(Kind kind) const;

 private:
  std::map<std::pair<int, std::string>, Entry, std::less<>> entries_;
  std::vector<std::shared_ptr<const PluginLibrary>> libraries_;
  std::vector<RefusedLibrary> refused_;
};

}  // namespace strata
