// Files and their includes, collected.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "framework/base/atomic_file.h"
#include "framework/base/text.h"
#include "framework/dsl/parser.h"
#include "framework/graph/declarations.h"
#include "framework/graph/suggest.h"
#include "framework/plugin/loader.h"

namespace strata::graph {
namespace {

namespace fs = std::filesystem;

class Loader {
 public:
  Loader(Session& session, Declarations& out) : session_(session), out_(out) {}

  void run(const SourceFile& source, Span from) {
    const std::string identity = identity_of(source.name());
    stack_.push_back({identity, from});
    done_.insert(identity);
    auto& file = *out_.files.emplace_back(
        std::make_unique<dsl::File>(dsl::parse_file(source, session_.diagnostics())));
    const bool in_main = stack_.size() == 1;
    for (const dsl::Name& name : file.incomplete) out_.incomplete.insert(name.text);
    for (dsl::Section& section : file.sections) {
      std::visit([&](auto& node) { add(node, section, in_main); }, section.node);
    }
    stack_.pop_back();
  }

 private:
  struct Open {
    std::string identity;
    Span from;
  };

  static std::string identity_of(const std::string& path) {
    std::error_code error;
    const fs::path whole = fs::weakly_canonical(path, error);
    return error ? path : whole.string();
  }

  void add(dsl::FormatSection&, dsl::Section&, bool) {}  // the parser checks it

  void add(dsl::IncludeSection& include, dsl::Section&, bool) {
    if (reported(include.path_span)) {  // a path without its closing quote
      out_.unread = true;
      return;
    }
    if (include.path.value.empty()) {
      session_.error("include-not-found", include.path_span, "an include names a file");
      return;
    }
    if (!session_.options.allow_files) {
      session_.error("include-not-found", include.path_span, "this text may not include files");
      return;
    }
    const fs::path base =
        fs::path(include.path_span.file ? include.path_span.file->name() : "").parent_path();
    const std::string path = (base / include.path.value).lexically_normal().string();
    const std::string identity = identity_of(path);
    const auto open = std::find_if(stack_.begin(), stack_.end(),
                                   [&](const Open& o) { return o.identity == identity; });
    if (open != stack_.end()) {
      Diagnostic& error =
          session_.error("include-cycle", include.path_span,
                         fmt::format("{} includes itself", print_string(include.path.value)));
      for (auto o = open + 1; o != stack_.end(); ++o)
        error.notes.push_back({o->from, "by way of this include"});
      return;
    }
    if (done_.contains(identity)) return;  // shared once
    if (static_cast<int>(stack_.size()) > session_.options.max_include_depth) {
      session_.error("include-too-deep", include.path_span,
                     fmt::format("more than {} files include one another",
                                 session_.options.max_include_depth));
      return;
    }
    Result<std::string> text = read_text(path);
    if (!text) {
      out_.unread = true;
      Diagnostic& error =
          session_.error("include-not-found", include.path_span, text.error().message);
      error.help = "paths of includes are relative to the file that includes";
      const std::string near = neighbour(path);
      if (!near.empty())
        error.help = fmt::format("there is {} in the same folder", print_string(near));
      return;
    }
    run(session_.sources.add(path, std::move(*text)), include.path_span);
  }

  bool reported(Span span) const {
    const std::vector<Diagnostic>& said = session_.said();
    return std::any_of(said.begin(), said.end(), [&](const Diagnostic& d) {
      return d.span.file == span.file && d.span.begin == span.begin;
    });
  }

  // A file with nearly the same name in the same folder.
  static std::string neighbour(const std::string& path) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(fs::path(path).parent_path(), error), end;
         !error && entry != end; entry.increment(error)) {
      if (names.size() < 1000 && entry->path().extension() == ".model")
        names.push_back(entry->path().filename());
    }
    std::sort(names.begin(), names.end());
    const std::string wanted = fs::path(path).filename();
    const std::string near = nearest_name(wanted, names);
    return near == wanted ? "" : near;
  }

  void add(dsl::RequireSection& require, dsl::Section& section, bool) {
    out_.requires_.push_back(&section);
    const std::string& name = require.plugin.value;
    if (const PluginLibrary* library = session_.registry.find_library(name)) {
      if (version_fits(library->version, require.comparison, require.version)) return;
      session_
          .error("missing-plugin", require.version_span,
                 fmt::format("plugin `{}` is there as version {}, and this file wants {} {}", name,
                             library->version, require.comparison, require.version))
          .help = "it was loaded from " + library->path;
      return;
    }
    for (const RefusedLibrary& refused : session_.registry.refused()) {
      if (refused.name != name && refused.name != "lib" + name) continue;
      session_
          .error("missing-plugin", require.plugin_span,
                 fmt::format("plugin `{}` cannot be used: {}", name, refused.error.message))
          .help = refused.error.hint;
      return;
    }
    std::vector<std::string> names;
    for (const auto& library : session_.registry.libraries()) names.push_back(library->name);
    const std::string near = nearest_name(name, names);
    const bool possible = is_plugin_name(name);
    session_
        .error("missing-plugin", require.plugin_span,
               possible ? fmt::format("plugin `{}` is not loaded", name)
                        : fmt::format("`{}` cannot be the name of a plugin", name))
        .help = !near.empty() ? fmt::format("did you mean `{}`?", near)
                : possible    ? "`trainer plugins` lists those that are there; a model file names "
                                "a plugin, never its place"
                              : "a name has lower-case letters, digits and _; a model file names "
                                "a plugin, never its place";
  }

  void add(dsl::LetSection& let, dsl::Section& section, bool in_main) {
    constant(section, let.name, let.value, nullptr, in_main);
  }
  void add(dsl::ParamSection& param, dsl::Section& section, bool in_main) {
    constant(section, param.name, param.value, &param, in_main);
  }
  void constant(dsl::Section& section, const dsl::Name& name, const dsl::Expr& value,
                const dsl::ParamSection* param, bool in_main) {
    const bool first = claim(name);
    Constant& added = out_.constants.emplace_back();
    added.section = &section;
    added.name = &name;
    added.value = &value;
    added.param = param;
    added.in_main = in_main;
    if (first) out_.constant_by_name.emplace(name.text, &added);
  }
  void add(dsl::BlockSection& block, dsl::Section& section, bool in_main) {
    const bool first = claim(block.name);
    out_.blocks.push_back({&section, &block, in_main});
    if (first) out_.block_by_name.emplace(block.name.text, &out_.blocks.back());
  }
  void add(dsl::ModelSection& model, dsl::Section& section, bool in_main) {
    const bool first = first_of(model.name, models_, "model");
    out_.models.push_back({&section, &model, in_main});
    out_.models.back().repeated = !first;
  }
  void add(dsl::DataSection& data, dsl::Section& section, bool in_main) {
    const bool first = first_of(data.name, data_, "data");
    out_.data.push_back({&section, &data, in_main});
    out_.data.back().repeated = !first;
  }
  void add(dsl::TrainSection& train, dsl::Section& section, bool in_main) {
    const dsl::Name unnamed{"", section.span};
    const dsl::Name& name = train.name ? *train.name : unnamed;
    const auto [before, added] = trains_.try_emplace(name.text, name.span);
    if (!added) {
      Diagnostic& error = session_.error(
          "duplicate-name", name.span,
          train.name ? fmt::format("there is a train section `{}` already", name.text)
                     : "there is a train section without a name already");
      error.notes.push_back({before->second, "the first one"});
      error.help = "give each a name: `train quick { … }`";
    }
    out_.trains.push_back({&section, &train, in_main});
    out_.trains.back().repeated = !added;
  }
  void add(dsl::StudySection& study, dsl::Section& section, bool in_main) {
    first_of(study.name, studies_, "study");
    out_.studies.push_back({&section, &study, in_main});
  }

  using Family = std::unordered_map<std::string, Span>;

  // What bears a name a second time is kept for its own mistakes, and never meant.
  bool first_of(const dsl::Name& name, Family& family, std::string_view what) {
    const auto [before, added] = family.try_emplace(name.text, name.span);
    if (added) return true;
    session_
        .error("duplicate-name", name.span,
               fmt::format("there is a {} `{}` already", what, name.text))
        .notes.push_back({before->second, "first defined here"});
    return false;
  }

  // Lets, params and blocks share one family.
  bool claim(const dsl::Name& name) {
    if (is_function(name.text)) {
      session_
          .error("reserved-name", name.span,
                 fmt::format("`{}` is a function of expressions", name.text))
          .help = "choose another name";
      return false;
    }
    const auto [before, added] = globals_.try_emplace(name.text, name.span);
    if (added) return true;
    session_.error("duplicate-name", name.span, fmt::format("`{}` is defined already", name.text))
        .notes.push_back({before->second, "first defined here"});
    return false;
  }

  Session& session_;
  Declarations& out_;
  std::vector<Open> stack_;
  std::unordered_set<std::string> done_;
  Family globals_, models_, data_, trains_, studies_;
};

template <class T>
T* find_by_name(const std::deque<T>& all, std::string_view name) {
  for (const T& declared : all) {
    if (declared.node->name.text == name) return const_cast<T*>(&declared);
  }
  return nullptr;
}

}  // namespace

Constant* Declarations::find_constant(std::string_view name) const {
  const auto at = constant_by_name.find(name);
  return at == constant_by_name.end() ? nullptr : at->second;
}
BlockDecl* Declarations::find_block(std::string_view name) const {
  const auto at = block_by_name.find(name);
  return at == block_by_name.end() ? nullptr : at->second;
}
ModelDecl* Declarations::find_model(std::string_view name) const {
  return find_by_name(models, name);
}
DataDecl* Declarations::find_data(std::string_view name) const { return find_by_name(data, name); }

Span heading(const dsl::Section& section) {
  Span span = section.span;
  if (!span.file) return span;
  const std::string_view text = span.file->text();
  const std::size_t brace = text.find('{', span.begin);
  if (brace != std::string_view::npos && brace < span.end)
    span.end = static_cast<std::uint32_t>(brace);
  while (span.end > span.begin && text[span.end - 1] == ' ') --span.end;
  return span;
}

void load(const SourceFile& main, Session& session, Declarations& declarations) {
  Loader(session, declarations).run(main, {});
}

Result<std::string> read_text(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status))
    return make_error(ExitCode::kUsage, "there is no file {}", print_string(path));
  if (!fs::is_regular_file(status))
    return make_error(ExitCode::kUsage, "{} is not a file", print_string(path));
  if (const auto size = fs::file_size(path, error);
      !error && size > dsl::ParseLimits{}.file_bytes) {
    return make_error(ExitCode::kModel, "{} has {} bytes; {} are the most", print_string(path),
                      size, dsl::ParseLimits{}.file_bytes);
  }
  Result<std::string> text = read_file(path, ExitCode::kModel);
  if (!text) return make_error(ExitCode::kUsage, "{} cannot be read", print_string(path));
  return text;
}

}  // namespace strata::graph
