// How a stage's arguments divide into values it reads, options of a layer and parameters of a
// block. Shared by the check of names, which sees every stage once, and the expansion, which sees
// those that a model uses.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "framework/dsl/syntax.h"
#include "framework/graph/declarations.h"
#include "framework/graph/session.h"

namespace strata::graph {

// How many of the first positional arguments are values. A layer reads one value (or as many as its
// schema names, or, where it is variadic, all that it is given); `has_value` is whether the flow
// brings the first.
std::size_t value_arguments(const strata_schema& schema, const dsl::CallStage& stage,
                            bool has_value);

// Carets for a call: from its name to its end, without `as …`.
Span call_span(const dsl::Stage& stage, const dsl::CallStage& call);

// For each argument of a block's call the index of its parameter; -1 after an error. `sound`
// becomes false where something was wrong, also where a parameter without default is not given.
std::vector<int> match_block_arguments(const dsl::BlockSection& block, const dsl::CallStage& stage,
                                       bool has_value, Session& session, bool& sound);

// Whether a layer reads as many values as it is given; false after an error.
bool check_input_count(const Entry& entry, std::size_t count, Span span, Session& session);

// `Dense(10)` where a flow begins: nothing to read.
void report_no_input(const dsl::CallStage& stage, Span span, Session& session,
                     std::string_view value = "x");
// An argument that should name a value of the model.
// `Add([a, b])`: the values stand in a list.
void report_list_of_values(const dsl::CallStage& stage, const dsl::Expr& argument,
                           Session& session);
void report_not_a_value(const dsl::CallStage& stage, const dsl::Expr& argument, Session& session);

}  // namespace strata::graph
