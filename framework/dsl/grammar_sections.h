// The grammar of statements, settings and sections. Included by parser.cc alone.
#pragma once

#include "framework/dsl/grammar_flows.h"

namespace strata::dsl {
namespace {

// `a, b =`. The search for the `=` is not repeated over the same names: `a, b, c, …` without one
// costs linear time.
const auto targets_ahead = step([](State& s, At& first, At) {
  At at = first;
  if (at < s.no_targets_before) return false;
  while (at->kind == Tok::kName && (at + 1)->kind == Tok::kComma && (at + 2)->kind == Tok::kName)
    at += 2;
  const bool single = at == first;
  const Tok next = (at + 1)->kind;
  if ((at->kind == Tok::kName || (single && is_keyword(at->kind))) &&
      (next == Tok::kEqual || (single && (next == Tok::kColon || next == Tok::kEqualEqual)))) {
    return true;
  }
  s.no_targets_before = at;
  return false;
});
const auto targets_def = targets_ahead >> (key[add_name] % tok(Tok::kComma)) >> binding;

const auto statement_node = [](auto& ctx) -> auto& {
  auto& node = x3::_val(ctx).node;
  if (!std::holds_alternative<FlowStatement>(node)) node.template emplace<FlowStatement>();
  return std::get<FlowStatement>(node);
};
const auto set_targets = [](auto& ctx) { statement_node(ctx).targets = std::move(x3::_attr(ctx)); };
const auto set_flow = [](auto& ctx) { statement_node(ctx).flow = std::move(x3::_attr(ctx)); };
const auto set_let_name = [](auto& ctx) {
  x3::_val(ctx).node.template emplace<LetStatement>().name = name_of(ctx);
};
const auto set_let_value = [](auto& ctx) {
  if (x3::_attr(ctx)) {
    std::get<LetStatement>(x3::_val(ctx).node).value = std::move(*x3::_attr(ctx));
  }
};
const auto let_ahead = ahead([](At at) {
  return at->word == Word::kLet && (at + 1)->kind != Tok::kEqual && (at + 1)->kind != Tok::kArrow &&
         (at + 1)->kind != Tok::kComma;
});
// `let x: int = 3` is read as if it had no type.
const auto no_type = step([](State& s, At& first, At) {
  if (first->kind != Tok::kColon || (first + 1)->kind != Tok::kName ||
      (first + 2)->kind != Tok::kEqual)
    return true;
  s.errors.report(
      "typed-constant", s.span(first, first + 2), first, "a constant has no type",
      fmt::format("write `let {} = …`; a `param` has a type", s.errors.text(first - 1)));
  first += 2;
  return true;
});
const auto value_end = step([](State& s, At& first, At) {
  if (first->kind != Tok::kArrow) return true;
  s.errors.flow_in_value(first, /*in_body=*/s.depth > 0);
  throw SyntaxError{first};
});
const auto must_equal =
    must(token_if([](At at) { return at->kind == Tok::kEqual; }), Expected::kEqual);
const auto let_name = must(same_line_name, Expected::kName);
const auto whole_value = must(expression, Expected::kValue);

const auto let_value_def = no_type >> must_equal >> whole_value[take] >> value_end;

const auto no_nested_section = step([](State& s, At& first, At) {
  if (!s.starts_section(first) || first->word == Word::kLet) return true;
  s.errors.report(
      "nested-section", first, fmt::format("a `{}` inside another section", s.errors.text(first)),
      "sections stand at the top level of the file: move it out, or close the braces before it");
  // Its own braces, if it has some, are passed as a whole.
  throw SyntaxError{first};
});

const auto no_return = step([](State& s, At& first, At) {
  const Tok next = (first + 1)->kind;
  if (first->kind != Tok::kName || s.errors.text(first) != "return" || next == Tok::kEqual ||
      next == Tok::kArrow || next == Tok::kComma)
    return true;
  s.errors.report("no-return", first, "there is no `return`",
                  "a model gives what its header names behind `->`: bind that name");
  throw SyntaxError{first};
});
const auto statement_def = spanned(no_nested_section >> no_return >>
                                   ((let_ahead >> word(Word::kLet) >> let_name[set_let_name] >>
                                     guarded(let_value, Resume::kTail)[set_let_value]) |
                                    (-targets[set_targets] >> flow[set_flow])));

const auto push_statement = [](auto& ctx) {
  if (x3::_attr(ctx)) x3::_val(ctx).statements.push_back(std::move(*x3::_attr(ctx)));
};
template <class Item, class Push>
auto braced(const Item& item, Push push) {
  return nested(tok(Tok::kLeftBrace) >> separator >>
                *(!tok(Tok::kRightBrace) >> guarded(item, Resume::kStatement)[push] >> separator) >>
                tok(Tok::kRightBrace));
}
const auto statements_def = braced(statement, push_statement);

const auto set_key = [](auto& ctx) { x3::_val(ctx).key = name_of(ctx); };
// A setting whose value could not be read is there all the same: it is not missing.
const auto set_plain_value = [](auto& ctx) {
  if (x3::_attr(ctx)) x3::_val(ctx).value = std::move(*x3::_attr(ctx));
};
const auto binds = ahead([](At at) {
  return at->kind == Tok::kEqual || at->kind == Tok::kColon || at->kind == Tok::kEqualEqual;
});
const auto must_bind = must(binds, Expected::kEqual) >> binding;
const auto bound_value_def = must_bind >> whole_value[take] >> value_end;
const auto quoted_value_def = quoted_binding >> whole_value[take] >> value_end;
const auto set_quoted_key = [](auto& ctx) {
  const At at = x3::_attr(ctx);
  state(ctx).errors.missing(Expected::kSetting, at);
  x3::_val(ctx).key = Name{at->text, state(ctx).span(at)};
};
const auto setting_def = spanned(
    no_nested_section >>
    ((quoted_key[set_quoted_key] >> guarded(quoted_value, Resume::kSetting)[set_plain_value]) |
     (must(key, Expected::kSetting)[set_key] >>
      guarded(bound_value, Resume::kSetting)[set_plain_value])));

const auto add_path = [](auto& ctx) { x3::_val(ctx).push_back(std::move(x3::_attr(ctx))); };
// A comma in `report a, b` goes on only where a path follows that is not the next statement.
const auto more_paths = token_if([](At at) {
  if (at->kind != Tok::kComma || (at + 1)->kind != Tok::kName) return false;
  const Tok next = (at + 2)->kind;
  return next != Tok::kEqual && (next != Tok::kName || (at + 2)->first_on_line);
});
const auto must_path = must(path, Expected::kPath);
const auto on_same_line = must(ahead([](At at) { return !at->first_on_line; }), Expected::kPath);
const auto path_list_def = must_path[add_path] >> *(more_paths >> must_path[add_path]);

template <class Node>
Node& study_node(auto& ctx) {
  auto& node = x3::_val(ctx).node;
  if (!std::holds_alternative<Node>(node)) node.template emplace<Node>();
  return std::get<Node>(node);
}
const auto study_word = [](Word w) { return token_if([w](At at) { return at->word == w; }); };
const auto grid_path = [](auto& ctx) {
  study_node<GridStatement>(ctx).path = std::move(x3::_attr(ctx));
};
const auto grid_values = [](auto& ctx) {
  study_node<GridStatement>(ctx).values = std::move(x3::_attr(ctx));
};
const auto zip_path = [](auto& ctx) {
  study_node<ZipStatement>(ctx).paths.push_back(std::move(x3::_attr(ctx)));
};
const auto zip_values = [](auto& ctx) {
  study_node<ZipStatement>(ctx).values = std::move(x3::_attr(ctx));
};
const auto where_condition = [](auto& ctx) {
  study_node<WhereStatement>(ctx).condition = std::move(x3::_attr(ctx));
};
const auto report_paths = [](auto& ctx) {
  study_node<ReportStatement>(ctx).paths = std::move(x3::_attr(ctx));
};
const auto study_key = [](auto& ctx) { study_node<StudySetting>(ctx).key = name_of(ctx); };
const auto study_value = [](auto& ctx) {
  study_node<StudySetting>(ctx).value = std::move(x3::_attr(ctx));
};
const auto study_statement_def = spanned(
    no_nested_section >>
    ((study_word(Word::kGrid) >> on_same_line >> must_path[grid_path] >> must_bind >>
      whole_value[grid_values]) |
     (study_word(Word::kZip) >> must(tok(Tok::kLeftParen), Expected::kZipPaths) >>
      must_path[zip_path] >> *(tok(Tok::kComma) >> -path[zip_path]) >>
      must(tok(Tok::kRightParen), Expected::kTupleClose) >> must_bind >> whole_value[zip_values]) |
     (study_word(Word::kWhere) >> must(expression, Expected::kCondition)[where_condition]) |
     (study_word(Word::kReport) >> on_same_line >> path_list[report_paths]) |
     (must(key, Expected::kStudyStatement)[study_key] >> must(binds, Expected::kStudyEqual) >>
      binding >> whole_value[study_value])) >>
    value_end);

// ---------------------------------------------------------------------------------------------------------------------
// Sections.

const auto set_default = [](auto& ctx) { x3::_val(ctx).default_value = std::move(x3::_attr(ctx)); };
// `x: int` and `x: int = 3` are read as if there were no type.
const auto no_parameter_type = step([](State& s, At& first, At) {
  if (first->kind != Tok::kColon) return true;
  const At start = first;
  ++first;
  if (first->kind == Tok::kName) ++first;
  if (first->kind == Tok::kLeftBracket) first = s.tokens.data() + first->partner + 1;
  s.errors.report(
      "typed-parameter", s.span(start, first), start, "a block's parameters have no types",
      fmt::format("write `{}` alone: a block is typed by its use", s.errors.text(start - 1)));
  return true;
});
const auto block_parameter_def = must(name, Expected::kParameter)[set_name] >> no_parameter_type >>
                                 -(tok(Tok::kEqual) >> whole_value[set_default]);

const auto set_shape = [](auto& ctx) {
  if (x3::_attr(ctx)) x3::_val(ctx).shape = std::move(*x3::_attr(ctx));
};
const auto shape_binding = step([](State& s, At& first, At) {
  if (first->kind == Tok::kEqual) {
    s.errors.report("equals-for-colon", first, "an input's shape follows a colon",
                    fmt::format("write `{}: [28, 28]`", s.errors.text(first - 1)));
  }
  ++first;
  return true;
});
const auto input_shape_def =
    must(ahead([](At at) { return at->kind == Tok::kColon || at->kind == Tok::kEqual; }),
         Expected::kColon) >>
    shape_binding >> whole_value[take];
const auto model_input_def = must(name, Expected::kModelInput)[set_name] >>
                             guarded(input_shape, Resume::kItem)[set_shape];

const auto output_name = must(name, Expected::kOutputName);
const auto outputs_def = must(tok(Tok::kArrow), Expected::kOutputs) >> output_name[add_name] >>
                         *(tok(Tok::kComma) >> output_name[add_name]);

const auto push_parameter = [](auto& ctx) {
  x3::_val(ctx).parameters.push_back(x3::_attr(ctx) ? std::move(*x3::_attr(ctx))
                                                    : BlockParameter{});
};
const auto push_input = [](auto& ctx) {
  x3::_val(ctx).inputs.push_back(x3::_attr(ctx) ? std::move(*x3::_attr(ctx)) : ModelInput{});
};
const auto set_outputs = [](auto& ctx) { x3::_val(ctx).outputs = std::move(x3::_attr(ctx)); };
const auto section_name = must(same_line_name, Expected::kSectionName);
const auto inputs_ahead =
    must(ahead([](At at) { return at->kind == Tok::kLeftParen; }), Expected::kInputs);
const auto at_body =
    must(ahead([](At at) { return at->kind == Tok::kLeftBrace; }), Expected::kSectionBody);
const auto block_header_def = section_name[set_name] >> inputs_ahead >>
                              bracketed(Tok::kLeftParen, Tok::kRightParen, block_parameter,
                                        push_parameter) >>
                              outputs[set_outputs] >> at_body;
const auto model_header_def = section_name[set_name] >> inputs_ahead >>
                              bracketed(Tok::kLeftParen, Tok::kRightParen, model_input,
                                        push_input) >>
                              outputs[set_outputs] >> at_body;
const auto name_header_def = section_name[set_name] >> at_body;

template <class Node>
Node& node_of(auto& ctx) {
  auto& node = x3::_val(ctx).node;
  if (!std::holds_alternative<Node>(node)) node.template emplace<Node>();
  return std::get<Node>(node);
}
#define STRATA_SET(NODE, FIELD, VALUE) ([](auto& ctx) { node_of<NODE>(ctx).FIELD = VALUE; })

const auto format_section =
    word(Word::kFormat) >>
    must(token_if([](At at) { return at->kind == Tok::kInteger || at->kind == Tok::kBroken; }),
         Expected::kFormat)[([](auto& ctx) {
      const At at = x3::_attr(ctx);
      Expr& version = node_of<FormatSection>(ctx).version;
      version.span = state(ctx).span(at);
      if (at->kind == Tok::kInteger) {
        version.node = IntLiteral{at->integer, std::string(state(ctx).errors.text(at))};
      }
    })];
const auto string_token =
    token_if([](At at) { return at->kind == Tok::kString || at->kind == Tok::kBroken; });
const auto include_section = word(Word::kInclude) >>
                             must(string_token, Expected::kIncludePath)[([](auto& ctx) {
                               auto& node = node_of<IncludeSection>(ctx);
                               node.path.value = x3::_attr(ctx)->text;
                               node.path_span = state(ctx).span(x3::_attr(ctx));
                             })];
const auto version_comparison = token_if([](At at) {
  return !at->first_on_line && (at->kind == Tok::kEqual ||
                                (at->kind >= Tok::kEqualEqual && at->kind <= Tok::kGreaterEqual &&
                                 at->kind != Tok::kNotEqual));
});
const auto version_number = token_if([](At at) {
  return at->kind == Tok::kInteger || at->kind == Tok::kFloat || at->kind == Tok::kVersion ||
         at->kind == Tok::kBroken;
});
const auto require_section = word(Word::kRequire) >>
                             must(string_token, Expected::kPluginName)[([](auto& ctx) {
                               auto& node = node_of<RequireSection>(ctx);
                               node.plugin.value = x3::_attr(ctx)->text;
                               node.plugin_span = state(ctx).span(x3::_attr(ctx));
                             })] >>
                             -(version_comparison[([](auto& ctx) {
                                 const At at = x3::_attr(ctx);
                                 if (at->kind == Tok::kEqual) {
                                   state(ctx).errors.report("bad-version", at,
                                                            "`=` binds; a version is compared",
                                                            "write `>=` or `==`");
                                 }
                                 node_of<RequireSection>(ctx).comparison =
                                     at->kind == Tok::kEqual
                                         ? "=="
                                         : std::string(state(ctx).errors.text(at));
                               })] >>
                               must(version_number, Expected::kVersion)[([](auto& ctx) {
                                 auto& node = node_of<RequireSection>(ctx);
                                 node.version = state(ctx).errors.text(x3::_attr(ctx));
                                 node.version_span = state(ctx).span(x3::_attr(ctx));
                               })]);

const auto let_section =
    word(Word::kLet) >> section_name[STRATA_SET(LetSection, name, name_of(ctx))] >> no_type >>
    must_equal >> whole_value[STRATA_SET(LetSection, value, std::move(x3::_attr(ctx)))] >>
    value_end;

// `param width: int = 256 in 1..4096`: the value's own grammar has `in`, so the domain is split off
// afterwards.
const auto set_param_value = [](auto& ctx) {
  auto& node = node_of<ParamSection>(ctx);
  Expr& value = x3::_attr(ctx);
  auto* chain = std::get_if<ChainExpr>(&value.node);
  if (!chain || value.parenthesized || chain->rest.size() != 1 ||
      chain->rest[0].op != BinaryOp::kIn) {
    node.value = std::move(value);
    return;
  }
  node.domain = std::move(*chain->rest[0].operand);
  node.value = Expr(std::move(*chain->first));
};
const auto param_section =
    word(Word::kParam) >> section_name[STRATA_SET(ParamSection, name, name_of(ctx))] >>
    must(tok(Tok::kColon), Expected::kType) >>
    must(same_line_name, Expected::kType)[STRATA_SET(ParamSection, type, name_of(ctx))] >>
    step([](State& s, At& first, At) {
      if (first->kind == Tok::kEqual) return true;
      if (first->first_on_line || first->kind == Tok::kIn || first->kind == Tok::kEnd) {
        s.errors.report("missing-default", s.span(first - 1), first, "a param needs a default",
                        fmt::format("write `param {}: {} = …`", s.errors.text(first - 3),
                                    s.errors.text(first - 1)));
        throw SyntaxError{first};
      }
      return true;
    }) >>
    must_equal >> whole_value[set_param_value] >> value_end;

const auto data_section = word(Word::kData) >>
                          section_name[STRATA_SET(DataSection, name, name_of(ctx))] >> must_equal >>
                          flow[STRATA_SET(DataSection, flow, std::move(x3::_attr(ctx)))];

// A header that is wrong still has a body to check; the section itself is left out of the tree.
const auto take_header = [](auto& target, std::optional<Header>& header) {
  if (!header) return;
  target.name = std::move(header->name);
  target.outputs = std::move(header->outputs);
};
const auto block_section =
    word(Word::kBlock) >> guarded(block_header, Resume::kHeader)[([](auto& ctx) {
      auto& node = node_of<BlockSection>(ctx);
      take_header(node, x3::_attr(ctx));
      if (x3::_attr(ctx)) node.parameters = std::move(x3::_attr(ctx)->parameters);
    })] >>
    -statements[STRATA_SET(BlockSection, body, std::move(x3::_attr(ctx).statements))];
const auto model_section =
    word(Word::kModel) >> guarded(model_header, Resume::kHeader)[([](auto& ctx) {
      auto& node = node_of<ModelSection>(ctx);
      take_header(node, x3::_attr(ctx));
      if (x3::_attr(ctx)) node.inputs = std::move(x3::_attr(ctx)->inputs);
    })] >>
    -statements[STRATA_SET(ModelSection, body, std::move(x3::_attr(ctx).statements))];

const auto push_setting = [](auto& ctx) {
  if (x3::_attr(ctx)) node_of<TrainSection>(ctx).settings.push_back(std::move(*x3::_attr(ctx)));
};
const auto push_study = [](auto& ctx) {
  if (x3::_attr(ctx)) node_of<StudySection>(ctx).statements.push_back(std::move(*x3::_attr(ctx)));
};
const auto train_section = word(Word::kTrain)[([](auto& ctx) { node_of<TrainSection>(ctx); })] >>
                           -same_line_name[STRATA_SET(TrainSection, name, name_of(ctx))] >>
                           at_body >> braced(setting, push_setting);
const auto study_section = word(Word::kStudy) >>
                           guarded(name_header, Resume::kHeader)[([](auto& ctx) {
                             if (x3::_attr(ctx))
                               node_of<StudySection>(ctx).name = std::move(x3::_attr(ctx)->name);
                             else
                               node_of<StudySection>(ctx);
                           })] >>
                           -braced(study_statement, push_study);

const auto section_def =
    spanned(format_section | include_section | require_section | let_section | param_section |
            block_section | model_section | data_section | train_section | study_section);

}  // namespace
}  // namespace strata::dsl
