// trainer explain: what a name of the language, a setting or a diagnostic means.
#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <nlohmann/json.hpp>

#include "framework/app/catalog.h"
#include "framework/app/model_files.h"
#include "framework/base/utf8.h"
#include "framework/dsl/word_docs.h"
#include "framework/graph/suggest.h"

namespace strata::app {
namespace {

using Json = nlohmann::ordered_json;

void options(boost::program_options::options_description_easy_init add) { add_json_option(add); }

int text_width(const Console& console) { return std::clamp(console.width(), 60, 100); }

std::string_view article(std::string_view noun) {
  return std::string_view("aeiou").find(noun[0]) == std::string_view::npos ? "a" : "an";
}

std::string option_lines(const std::vector<OptionText>& options, int width, const Paint& paint) {
  std::string out;
  for (const OptionText& option : options) {
    const std::string value =
        option.default_value.empty() ? ", required" : ", default " + option.default_value;
    out += "  " + paint.bold(option.name) + ": " + option.type + value + "\n" +
           wrapped(option.doc, width, "      ");
  }
  return out;
}

std::string code_lines(std::string_view code) {
  std::string out;
  while (!code.empty()) {
    const std::size_t end = code.find('\n');
    out += "  " + std::string(code.substr(0, end)) + "\n";
    code.remove_prefix(end == std::string_view::npos ? code.size() : end + 1);
  }
  return out;
}

std::string entry_page(const Entry& entry, int width, const Paint& paint) {
  const EntryText text = describe(entry);
  std::string out = fmt::format("{}, {} {} ({})\n\n", paint.bold(text.name),
                                article(kind_name(text.kind)), kind_name(text.kind), text.origin);
  out += wrapped(text.sentence, width, "");
  if (!text.more.empty()) out += wrapped(text.more, width, "");
  out += "\n" + wrapped(text.signature, width, "  ");
  if (!text.options.empty())
    out += "\n" + paint.bold("options:") + "\n" + option_lines(text.options, width, paint);
  if (!text.example.empty()) out += "\n" + paint.bold("example:") + "\n" + code_lines(text.example);
  return out;
}

std::string diagnostic_page(const DiagnosticDoc& doc, int width, const Paint& paint) {
  std::string out =
      fmt::format("{}: {}\n\n", paint.bold(doc.code), doc.title) + wrapped(doc.text, width, "");
  if (!doc.wrong.empty()) out += "\n" + paint.bold("wrong:") + "\n" + code_lines(doc.wrong);
  if (!doc.right.empty()) out += "\n" + paint.bold("right:") + "\n" + code_lines(doc.right);
  return out;
}

std::string word_page(const dsl::WordDoc& doc, int width, const Paint& paint) {
  std::string out = fmt::format("{}: {}\n", paint.bold(doc.word), doc.title);
  if (!doc.text.empty()) out += "\n" + wrapped(doc.text, width, "");
  return out + "\n" + paint.bold("example:") + "\n" + code_lines(doc.example);
}

std::string settings_page(const std::vector<OptionText>& settings, int width, const Paint& paint) {
  return paint.bold("train") + ", the section that says how to train\n\n" +
         option_lines(settings, width, paint);
}

using Names = std::vector<std::pair<std::string, std::string>>;  // a name and what it is

std::string contents(const Registry& registry, int width, const Paint& paint) {
  std::string out;
  const auto section = [&](std::string_view title, const Names& names) {
    std::size_t widest = 0;
    for (const auto& [name, text] : names) widest = std::max(widest, name.size());
    out += (out.empty() ? "" : "\n") + paint.bold(title) + "\n";
    for (const auto& [name, text] : names) {
      const std::string lines = wrapped(text, width, std::string(widest + 4, ' '));
      out += fmt::format("  {:<{}}  {}", name, widest, lines.substr(widest + 4));
    }
  };
  for (const auto& [kind, entries] : by_kind(registry)) {
    Names names;
    for (const Entry* entry : entries) names.emplace_back(entry->name(), describe(*entry).sentence);
    section(kind_plural(kind), names);
  }
  Names settings, codes, words;
  for (const dsl::WordDoc& doc : dsl::word_docs()) words.emplace_back(doc.word, doc.title);
  section("words of the language", words);
  for (const OptionText& setting : train_settings())
    settings.emplace_back("train." + setting.name, setting.doc);
  for (const DiagnosticDoc& doc : diagnostic_docs()) codes.emplace_back(doc.code, doc.title);
  section("settings of a train section", settings);
  section("errors and warnings", codes);
  return out + fmt::format("\n`{} explain NAME` says more of one.\n", program_name());
}

Json options_json(const std::vector<OptionText>& options) {
  Json list = Json::array();
  for (const OptionText& option : options) {
    list.push_back(
        {{"name", option.name},
         {"type", option.type},
         {"default", option.default_value.empty() ? Json(nullptr) : Json(option.default_value)},
         {"doc", option.doc}});
  }
  return list;
}

Json entry_json(const Entry& entry) {
  const EntryText text = describe(entry);
  return {{"name", text.name},
          {"kind", kind_name(text.kind)},
          {"origin", text.origin},
          {"doc", text.more.empty() ? text.sentence : text.sentence + "\n" + text.more},
          {"signature", text.signature},
          {"example", text.example},
          {"options", options_json(text.options)}};
}

Json diagnostic_json(const DiagnosticDoc& doc) {
  return {{"code", doc.code},
          {"title", doc.title},
          {"text", doc.text},
          {"wrong", doc.wrong},
          {"right", doc.right}};
}

Json word_json(const dsl::WordDoc& doc) {
  return {{"name", doc.word}, {"title", doc.title}, {"text", doc.text}, {"example", doc.example}};
}

// Everything of one name, as a page or as JSON; empty where nothing is called so.
struct Found {
  std::string page;
  Json json = Json::array();
};

Found look_up(Invocation& invocation, const std::string& name, int width) {
  const Paint paint = invocation.console().paint();
  Found found;
  const auto add = [&](const std::string& page, Json json) {
    found.page += (found.page.empty() ? "" : "\n") + page;
    found.json.push_back(std::move(json));
  };
  for (const Entry* entry : invocation.registry().find(name))
    add(entry_page(*entry, width, paint), entry_json(*entry));
  for (const dsl::WordDoc& doc : dsl::word_docs()) {
    if (doc.word == name) add(word_page(doc, width, paint), word_json(doc));
  }
  const auto settings = train_settings();
  if (name == "train" && !settings.empty()) {
    add(settings_page(settings, width, paint),
        {{"name", "train"}, {"settings", options_json(settings)}});
  }
  for (const OptionText& setting : settings) {
    if (name != "train." + setting.name && name != setting.name) continue;
    const std::string example = setting.example.empty() ? ""
                                                        : "\n" + paint.bold("example:") + "\n" +
                                                              code_lines(setting.example);
    add("a setting of the train section\n\n" + option_lines({setting}, width, paint) + example,
        options_json({setting})[0]);
  }
  for (const DiagnosticDoc& doc : diagnostic_docs()) {
    if (doc.code == name) add(diagnostic_page(doc, width, paint), diagnostic_json(doc));
  }
  return found;
}

// The options that are called `name`, with what they are of.
Found look_up_option(Invocation& invocation, const std::string& name, int width) {
  const Paint paint = invocation.console().paint();
  Found found;
  for (const Entry* entry : invocation.registry().all()) {
    const EntryText text = describe(*entry);
    for (const OptionText& option : text.options) {
      if (option.name != name) continue;
      found.page += (found.page.empty() ? "" : "\n") +
                    fmt::format("an option of {}, {} {}\n\n", paint.bold(text.name),
                                article(kind_name(text.kind)), kind_name(text.kind)) +
                    option_lines({option}, width, paint);
      Json json = options_json({option})[0];
      json["of"] = text.name;
      found.json.push_back(std::move(json));
    }
  }
  return found;
}

// The page of what another framework calls `name`, under a line that says so; empty where nothing
// is called so elsewhere either.
Found look_up_foreign(Invocation& invocation, const std::string& name, int width) {
  const std::string last = name.substr(name.rfind('.') + 1);  // nn.Linear
  std::string ours;
  for (int kind = STRATA_LAYER; kind <= STRATA_TRANSFORM && ours.empty(); ++kind)
    ours = graph::our_name(last, {static_cast<Kind>(kind)}, invocation.registry());
  Found found;
  if (ours.empty()) {
    const std::string advice = graph::foreign_advice(last);
    if (advice.empty()) return {};
    found.page = fmt::format("there is no `{}` here: {}\n", safe_text(name), advice);
    found.json.push_back({{"name", name}, {"advice", advice}});
    return found;
  }
  found = look_up(invocation, ours, width);
  found.page = fmt::format("`{}` is called `{}` here\n\n", safe_text(name), ours) + found.page;
  return found;
}

ExitCode run(Invocation& invocation) {
  invocation.expect_words(0, 1, "");
  Console& console = invocation.console();
  if (invocation.words.empty()) {
    if (!invocation.has("json")) {
      console.out(contents(invocation.registry(), text_width(console), console.paint()));
      return ExitCode::kDone;
    }
    Json all = {{"entries", Json::array()},
                {"train", options_json(train_settings())},
                {"words", Json::array()},
                {"diagnostics", Json::array()}};
    for (const dsl::WordDoc& doc : dsl::word_docs()) all["words"].push_back(word_json(doc));
    for (const Entry* entry : invocation.registry().all())
      all["entries"].push_back(entry_json(*entry));
    for (const DiagnosticDoc& doc : diagnostic_docs())
      all["diagnostics"].push_back(diagnostic_json(doc));
    console.out(all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return ExitCode::kDone;
  }
  const std::string& name = invocation.words[0];
  Found found = look_up(invocation, name, text_width(console));
  if (found.page.empty()) found = look_up_option(invocation, name, text_width(console));
  if (found.page.empty() && name.starts_with("train.")) {
    const std::string near = graph::our_setting(name.substr(6));
    usage_failure(fmt::format("`train` has no setting `{}`", safe_text(name.substr(6))),
                  near.empty() ? fmt::format("`{} explain train` lists them", program_name())
                               : fmt::format("did you mean `train.{}`?", near));
  }
  if (found.page.empty()) found = look_up_foreign(invocation, name, text_width(console));
  if (found.page.empty()) {
    const std::string nearest = nearest_name(name, known_names(invocation.registry()));
    usage_failure(fmt::format("nothing is called `{}`", safe_text(name)),
                  nearest.empty() ? fmt::format("`{} explain` lists what there is", program_name())
                                  : fmt::format("did you mean `{}`?", nearest));
  }
  console.out(invocation.has("json")
                  ? found.json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
                  : found.page);
  return ExitCode::kDone;
}

}  // namespace

const Command kExplainCommand = {
    .name = "explain",
    .summary = "look up a layer, loss, setting, word, error or warning",
    .usage = "[NAME]",
    .about =
        "Prints what a name means: a layer or anything else that a model file calls, with its "
        "options, their types,\n"
        "ranges and defaults; a setting of the train section; a word of the language, or the code "
        "in brackets at the end "
        "of an error or\n"
        "warning. Without a name, a table of contents.\n",
    .examples =
        "explain\n"
        "explain BatchNorm\n"
        "explain train.batch_size\n"
        "explain repeat\n"
        "explain unknown-layer\n",
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
