// The grammar of flows and their stages. Included by parser.cc alone.
#pragma once

#include "framework/dsl/grammar_expressions.h"

namespace strata::dsl {
namespace {

const auto set_callee = [](auto& ctx) { x3::_val(ctx).callee = name_of(ctx); };
const auto set_arguments = [](auto& ctx) {
  x3::_val(ctx).has_parentheses = true;
  x3::_val(ctx).arguments = std::move(x3::_attr(ctx));
};
// `nn.Linear`: a stage is a single name, and whether the last part is one is not the grammar's to
// know. The name keeps its dots for whoever looks it up.
const auto extend_callee = [](auto& ctx) {
  Name& callee = x3::_val(ctx).callee;
  callee.text += "." + std::string(state(ctx).errors.text(x3::_attr(ctx)));
  callee.span = cover(callee.span, state(ctx).span(x3::_attr(ctx)));
};
const auto dot = token_if([](At at) {
  return at->kind == Tok::kDot && (at + 1)->kind == Tok::kName && !(at + 1)->first_on_line;
});
const auto call_stage_def = no_section >> name[set_callee] >> *(dot >> name[extend_callee]) >>
                            -call_arguments[set_arguments] >> no_postfix;

const auto set_condition = [](auto& ctx) {
  x3::_val(ctx).condition = owned(std::move(x3::_attr(ctx)));
};
const auto set_body = [](auto& ctx) {
  auto& parsed = x3::_attr(ctx);
  x3::_val(ctx).body = parsed ? owned(std::move(*parsed)) : std::make_unique<Flow>();
};
const auto body = must(guarded(body_flow, Resume::kBody), Expected::kBody);
const auto if_branch_def = must(expression, Expected::kCondition)[set_condition] >> body[set_body];
const auto add_branch = [](auto& ctx) {
  x3::_val(ctx).branches.push_back(
      {std::move(x3::_attr(ctx).condition), std::move(x3::_attr(ctx).body)});
};
const auto set_else = [](auto& ctx) {
  auto& parsed = x3::_attr(ctx);
  x3::_val(ctx).otherwise = parsed ? owned(std::move(*parsed)) : std::make_unique<Flow>();
};
const auto if_stage_def = tok(Tok::kIf) >> if_branch[add_branch] >>
                          *(tok(Tok::kElse) >> tok(Tok::kIf) >> if_branch[add_branch]) >>
                          -(tok(Tok::kElse) >> body[set_else]);

const auto set_variable = [](auto& ctx) { x3::_val(ctx).variable = name_of(ctx); };
const auto set_second_variable = [](auto& ctx) {
  x3::_val(ctx).index = std::move(x3::_val(ctx).variable);
  x3::_val(ctx).variable = name_of(ctx);
};
const auto set_values = [](auto& ctx) { x3::_val(ctx).values = owned(std::move(x3::_attr(ctx))); };
const auto set_count = [](auto& ctx) { x3::_val(ctx).count = owned(std::move(x3::_attr(ctx))); };
const auto declared_name = must(name, Expected::kName);
const auto for_stage_def = tok(Tok::kFor) >> declared_name[set_variable] >>
                           -(tok(Tok::kComma) >> declared_name[set_second_variable]) >>
                           must(tok(Tok::kIn), Expected::kIn) >>
                           must(expression, Expected::kValues)[set_values] >> body[set_body];
const auto repeat_stage_def = tok(Tok::kRepeat) >>
                              must(expression, Expected::kCount)[set_count] >> body[set_body];

const auto set_stage = [](auto& ctx) { x3::_val(ctx).node = std::move(x3::_attr(ctx)); };
const auto set_alias = [](auto& ctx) { x3::_val(ctx).alias = name_of(ctx); };
const auto stage_def =
    spanned((if_stage[set_stage] | for_stage[set_stage] | repeat_stage[set_stage] |
             call_stage[set_stage]) >>
            -(tok(Tok::kAs) >> must(same_line_name, Expected::kAlias)[set_alias]));

// An arrow begins the stage that is then parsed into it.
const auto begin_stage = [](auto& ctx) {
  x3::_val(ctx).stages.emplace_back();
  x3::_val(ctx).stages.back().starts_line = x3::_attr(ctx)->first_on_line;
};
const auto begin_plain_stage = [](auto& ctx) { x3::_val(ctx).stages.emplace_back(); };
const auto set_stage_of_flow = [](auto& ctx) {
  auto& parsed = x3::_attr(ctx);
  Stage& last = x3::_val(ctx).stages.back();
  const bool starts_line = last.starts_line;
  if (parsed) last = std::move(*parsed);
  last.starts_line = starts_line;
};
const auto arrow = token_if([](At at) { return at->kind == Tok::kArrow; });

// A second stage without an arrow between. Two statements may stand on one line, but then the
// second one binds a name or the first one has bound one.
const bool kInBody = true;
template <bool in_body>
const auto forgotten_arrow = step([](State& s, At& first, At) {
  const bool starts_stage = (first->kind == Tok::kName && !first->inserted) ||
                            first->kind == Tok::kIf || first->kind == Tok::kFor ||
                            first->kind == Tok::kRepeat;
  const Tok next = (first + 1)->kind;
  if (!starts_stage || next == Tok::kEqual || next == Tok::kColon ||
      (first - 1)->kind == Tok::kArrow || s.starts_section(first))
    return false;
  if (!in_body) {
    if (first->first_on_line || next == Tok::kComma ||
        (first->word == Word::kLet && next == Tok::kName))
      return false;
    if ((first - 2)->kind == Tok::kAs) return false;
  }
  s.errors.missing_arrow(first);
  return true;
});

const auto required_stage_def = must(stage, Expected::kStage)[take];
const auto guarded_stage = guarded(required_stage, Resume::kStage)[set_stage_of_flow];
// A stage that could not be read keeps its name: who uses it makes no second mistake.
const auto after_lost_stage = [](auto& ctx) {
  x3::_pass(ctx) = std::holds_alternative<ErrorStage>(x3::_val(ctx).stages.back().node);
};
const auto name_lost_stage = [](auto& ctx) { x3::_val(ctx).stages.back().alias = name_of(ctx); };
const auto whole_stage = guarded_stage >>
                         -(tok(Tok::kAs)[after_lost_stage] >> same_line_name[name_lost_stage]);
const auto first_stage = x3::eps[begin_plain_stage] >> whole_stage;
const auto flow_def =
    spanned(first_stage >>
            *((arrow[begin_stage] | forgotten_arrow<!kInBody>[begin_plain_stage]) >> whole_stage));

const auto no_empty_body = step([](State& s, At& first, At) {
  if (first->kind != Tok::kRightBrace || first->inserted) return true;
  s.errors.report("empty-flow", s.span(first - 1, first + 1), first, "braces with no stage in them",
                  "a stage goes here; a branch that passes the value through is left out");
  throw SyntaxError{first};
});
const auto set_broken = [](auto& ctx) {
  x3::_val(ctx).broken = (x3::_attr(ctx) + 1)->first_on_line;
};
const auto body_flow_def = spanned(
    nested(tok(Tok::kLeftBrace)[set_broken] >> no_empty_body >> first_stage >>
           *((arrow[begin_stage] | forgotten_arrow<kInBody>[begin_plain_stage]) >> whole_stage) >>
           must(tok(Tok::kRightBrace), Expected::kStageEnd)));

}  // namespace
}  // namespace strata::dsl
