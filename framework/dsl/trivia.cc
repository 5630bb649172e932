// One walk over the tree and one over the comments, both in the order of the text.
#include "framework/dsl/trivia.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace strata::dsl {
namespace {

class Attacher {
 public:
  Attacher(const SourceFile& source, const Tokens& tokens)
      : text_(source.text()), tokens_(tokens.tokens), comments_(tokens.comments) {}

  void run(File& file) {
    bool first = true;
    for (Section& section : file.sections) {
      before(section.trivia, section.span.begin, !std::exchange(first, false));
      std::visit([&](auto& node) { visit(node, section); }, section.node);
      hoist(section.trivia, section.span.end);
      after(section.trivia, section.span.end, text_.size());
    }
    closing(file.closing, text_.size() + 1, !file.sections.empty());
  }

 private:
  bool pending(std::size_t end) const {
    return next_ < comments_.size() && comments_[next_].begin < end;
  }

  // Is there an empty line just before `offset`?
  bool blank_line_before(std::size_t offset) const {
    int line_ends = 0;
    while (offset > 0) {
      const char c = text_[offset - 1];
      if (c == '\n')
        ++line_ends;
      else if (c != ' ' && c != '\t' && c != '\r')
        break;
      --offset;
    }
    return line_ends > (offset == 0 ? 0 : 1);
  }

  // The comments before `end`, with "" for the blank lines between them.
  void collect(std::vector<std::string>& texts, std::size_t end) {
    for (bool first = true; pending(end); ++next_, first = false) {
      if (!first && blank_line_before(comments_[next_].begin)) texts.push_back("");
      texts.push_back(comments_[next_].text);
    }
  }

  void before(Trivia& trivia, std::size_t begin, bool blanks) {
    const std::size_t top = pending(begin) ? comments_[next_].begin : begin;
    if (blanks) trivia.blank_before = blank_line_before(top);
    collect(trivia.before, begin);
    if (blanks_count_ && !trivia.before.empty() && blank_line_before(begin))
      trivia.before.push_back("");
  }

  void hoist(Trivia& trivia, std::size_t end) {
    for (; pending(end); ++next_) trivia.before.push_back(comments_[next_].text);
  }

  void after(Trivia& trivia, std::size_t end, std::size_t limit) {
    if (!pending(limit) || comments_[next_].begin < end) return;
    const std::string_view between = text_.substr(end, comments_[next_].begin - end);
    if (between.find_first_not_of(" \t,;") == std::string_view::npos)
      trivia.after = comments_[next_++].text;
  }

  void closing(std::vector<std::string>& texts, std::size_t end, bool blanks) {
    if (blanks && pending(end) && blank_line_before(comments_[next_].begin)) texts.push_back("");
    collect(texts, end);
  }

  // The comment on the line of the brace at `brace`, behind it.
  void opening(std::string& text, std::size_t brace, std::size_t end) {
    if (!pending(end)) return;
    const std::string_view between = text_.substr(brace + 1, comments_[next_].begin - brace - 1);
    if (between.find_first_not_of(" \t") == std::string_view::npos) text = comments_[next_++].text;
  }

  // Where the braces of a section that ends at `end` open; its end where they do not close.
  std::size_t brace_of(std::size_t end) const {
    auto token = std::partition_point(tokens_.begin(), tokens_.end(),
                                      [&](const Token& t) { return t.end < end; });
    for (; token != tokens_.end() && token->begin <= end; ++token) {
      if (token->kind == Tok::kRightBrace && token->end == end && token->partner != kNoPartner) {
        return tokens_[token->partner].begin;
      }
    }
    return end;
  }

  template <class Statements, class Visit>
  void braced(Section& section, Statements& statements, std::vector<std::string>& last,
              Visit visit_statement) {
    const std::size_t end = section.span.end, brace = brace_of(end);
    hoist(section.trivia, brace);
    opening(section.trivia.opening, brace, end);
    bool first = true;
    for (auto& statement : statements) {
      before(statement.trivia, statement.span.begin, !std::exchange(first, false));
      visit_statement(statement);
      hoist(statement.trivia, statement.span.end);
      after(statement.trivia, statement.span.end, end);
    }
    closing(last, end, !statements.empty());
  }

  template <class Items, class Place>
  void header(Items& items, Place place) {
    blanks_count_ = false;
    for (auto& item : items) {
      const Span span = place(item);
      before(item.trivia, span.begin, false);
      hoist(item.trivia, span.end);
      after(item.trivia, span.end, text_.size());
    }
    blanks_count_ = true;
  }

  void visit(BlockSection& block, Section& section) {
    header(block.parameters, [](const BlockParameter& p) {
      return p.default_value ? cover(p.name.span, p.default_value->span) : p.name.span;
    });
    body(section, block.body, block.closing);
  }
  void visit(ModelSection& model, Section& section) {
    header(model.inputs, [](const ModelInput& i) { return cover(i.name.span, i.shape.span); });
    body(section, model.body, model.closing);
  }
  void body(Section& section, std::vector<BodyStatement>& statements,
            std::vector<std::string>& last) {
    braced(section, statements, last, [&](BodyStatement& statement) {
      if (auto* let = std::get_if<LetStatement>(&statement.node))
        expr(let->value);
      else
        flow(std::get<FlowStatement>(statement.node).flow, &statement.trivia);
    });
  }
  void visit(TrainSection& train, Section& section) {
    braced(section, train.settings, train.closing, [&](Setting& setting) { expr(setting.value); });
  }
  void visit(StudySection& study, Section& section) {
    braced(section, study.statements, study.closing, [&](StudyStatement& statement) {
      if (auto* grid = std::get_if<GridStatement>(&statement.node)) expr(grid->values);
      if (auto* zip = std::get_if<ZipStatement>(&statement.node)) expr(zip->values);
      if (auto* where = std::get_if<WhereStatement>(&statement.node)) expr(where->condition);
      if (auto* setting = std::get_if<StudySetting>(&statement.node)) expr(setting->value);
    });
  }
  void visit(DataSection& data, Section& section) { flow(data.flow, &section.trivia); }
  void visit(LetSection& let, Section&) { expr(let.value); }
  void visit(ParamSection& param, Section& section) {
    if (param.domain)
      hoist(section.trivia, param.value.span.end);  // printed on one line
    else
      expr(param.value);
    if (param.domain) expr(*param.domain);
  }
  void visit(FormatSection&, Section&) {}
  void visit(IncludeSection&, Section&) {}
  void visit(RequireSection&, Section&) {}

  // `owner` holds what stands before the first stage of a statement; a flow in braces (null) holds
  // its own.
  void flow(Flow& flow, Trivia* owner) {
    const std::size_t end =
        owner ? (flow.stages.empty() ? 0 : flow.stages.back().span.begin) : flow.span.end;
    for (Stage& stage : flow.stages) {
      if (!pending(flow.span.end + 1)) return;  // keeps long flows without comments cheap
      const bool first = &stage == &flow.stages.front();
      Trivia& trivia = first && owner ? *owner : stage.trivia;
      blanks_count_ = false;
      if (first && owner)
        hoist(trivia, stage.span.begin);
      else
        before(trivia, stage.span.begin, false);
      blanks_count_ = true;
      std::visit([&](auto& node) { visit_stage(node, trivia, stage.span.end); }, stage.node);
      hoist(trivia, stage.span.end);
      after(stage.trivia, stage.span.end, end);
    }
  }

  void braces(Flow& body, Trivia& trivia) {
    hoist(trivia, body.span.begin);
    opening(body.opening, body.span.begin, body.span.end);
    flow(body, nullptr);
    closing(body.closing, body.span.end, false);
  }

  void visit_stage(ErrorStage&, Trivia&, std::size_t) {}
  void visit_stage(CallStage& stage, Trivia&, std::size_t end) {
    items(stage.arguments, stage.closing, end);
  }
  void visit_stage(IfStage& stage, Trivia& trivia, std::size_t) {
    for (auto& branch : stage.branches) {
      expr(*branch.condition);
      braces(*branch.body, trivia);
    }
    if (stage.otherwise) braces(*stage.otherwise, trivia);
  }
  void visit_stage(ForStage& stage, Trivia& trivia, std::size_t) {
    expr(*stage.values);
    braces(*stage.body, trivia);
  }
  void visit_stage(RepeatStage& stage, Trivia& trivia, std::size_t) {
    expr(*stage.count);
    braces(*stage.body, trivia);
  }

  void items(std::vector<Argument>& list, std::vector<std::string>& last, std::size_t end) {
    const bool outer = std::exchange(blanks_count_, false);
    for (Argument& item : list) {
      if (!pending(end)) break;
      before(item.trivia, item.span.begin, false);
      if (item.value) expr(*item.value);
      hoist(item.trivia, item.span.end);
      after(item.trivia, item.span.end, end);
    }
    for (; pending(end); ++next_) last.push_back(comments_[next_].text);
    blanks_count_ = outer;
  }

  void expr(Expr& e) {
    if (!pending(e.span.end)) return;
    std::visit([&](auto& node) { visit_expr(node, e.span.end); }, e.node);
  }
  template <class Node>
  void visit_expr(Node&, std::size_t) {}
  void visit_expr(ListExpr& list, std::size_t end) { items(list.items, list.closing, end); }
  void visit_expr(CallExpr& call, std::size_t end) { items(call.arguments, call.closing, end); }
  void visit_expr(UnaryExpr& unary, std::size_t) { expr(*unary.operand); }
  void visit_expr(RangeExpr& range, std::size_t) {
    expr(*range.first);
    expr(*range.last);
  }
  void visit_expr(ChainExpr& chain, std::size_t) {
    expr(*chain.first);
    for (auto& link : chain.rest) expr(*link.operand);
  }
  void visit_expr(ConditionalExpr& conditional, std::size_t) {
    for (auto& branch : conditional.branches) {
      expr(*branch.condition);
      expr(*branch.value);
    }
    expr(*conditional.otherwise);
  }

  const std::string_view text_;
  const std::vector<Token>& tokens_;
  const std::vector<Comment>& comments_;
  std::size_t next_ = 0;
  bool blanks_count_ = true;  // not inside brackets and flows
};

}  // namespace

void attach_trivia(const SourceFile& source, const Tokens& tokens, File& file) {
  Attacher(source, tokens).run(file);
}

}  // namespace strata::dsl
