// The table of words. A test checks that every keyword of the lexer has an entry and that the
// examples parse.
#include "framework/dsl/word_docs.h"

namespace strata::dsl {

const std::vector<WordDoc>& word_docs() {
  static const std::vector<WordDoc> kDocs = {
      {"->", "the arrow of a flow",
       "Takes the value on its left through the stage on its right. In the header of a model or a "
       "block it stands before the names of the outputs.",
       "image -> Flatten -> Dense(10) as logits"},
      {"=", "binds a name",
       "A name is bound once: to the result of a flow, to a constant, or a key to its value. `==` "
       "compares.",
       "hidden = image -> Flatten -> Dense(64)"},
      {"..", "a range of whole numbers",
       "Both ends are included: `1..4` is 1, 2, 3 and 4. Behind `in` it bounds a param; in a study "
       "with `random` values are drawn from it, for which it may go from float to float.",
       "param width: int = 256 in 1..4096"},
      {"#", "a comment", "From here to the end of the line.", "epochs = 10  # enough for MNIST"},
      {"format", "the version of the language", "Stands first in every file.", "format 1"},
      {"include", "takes in another file",
       "Its blocks, constants and other sections are known as if they were written here. The path "
       "is relative to the file that includes.",
       "include \"common/blocks.model\""},
      {"require", "says that a plugin must be there",
       "By name, and with how new it must be. A file never says where plugins are.",
       "require \"acme_layers\" >= 1.2"},
      {"let", "a constant",
       "Stands at the top level of a file, or in the body of a model or block.",
       "let classes = 10"},
      {"param", "a constant that the command line and studies may set",
       "It has a type (int, float, str, bool or list), a default, and where `in` is given, a range "
       "or a list of what is allowed. `trainer train FILE width=512` sets it.",
       "param width: int = 256 in 1..4096"},
      {"block", "a piece of a model that is used by name",
       "Its first parameter is the value that it is applied to, the others are arguments. The "
       "names behind `->` are what it gives back. It is expanded, with shapes known, each time it "
       "is used.",
       "block hidden(x, units, rate = 0.0) -> y {\n  y = x -> Dense(units) -> ReLU -> if rate > 0 "
       "{ Dropout(rate) }\n}"},
      {"model", "a model",
       "Its header names the inputs with the shape of one sample, and behind `->` the outputs. Its "
       "body is made of flows.",
       "model digits(image: [28, 28]) -> logits {\n  image -> Flatten -> Dense(10) as logits\n}"},
      {"data", "a data set behind its transforms",
       "Its fields have names; an input of the model takes the field of its own name.",
       "data mnist = MNIST -> Normalize(mean = 0.1307, std = 0.3081)"},
      {"take", "makes splits of a data section smaller",
       "A number of samples, or a share of them, for each split; the first ones, or with a `seed` "
       "some by chance.",
       "data few = MNIST -> take(train = 1000, val = 0.1)"},
      {"split", "takes new splits out of one of a data section",
       "A number of samples, or a share of them, for each new split, by chance (`seed`, 0 unless "
       "it is given), out of `train` or the split that `from` names.",
       "data tested = MNIST -> split(test = 0.1, seed = 1)"},
      {"study", "what to vary and what to report",
       "Made of `grid`, `zip`, `where`, `seeds` and `report`; checked with the rest of the file.",
       "study widths {\n  grid   width = [128, 256, 512]\n  seeds  = 3\n  report val.accuracy\n}"},
      {"grid", "a line of a study: a path and the values it takes",
       "A list or a range. Grid lines are combined each with each.",
       "grid train.batch_size = [16, 64, 256]"},
      {"zip", "a line of a study: several paths that vary together",
       "Each tuple of the list sets all of them.",
       "zip (train.optimizer.lr, train.epochs) = [(1e-2, 10), (1e-3, 20)]"},
      {"where", "a line of a study: which combinations to keep",
       "A condition on params and settings.",
       "where not (norm == \"batch\" and train.batch_size == 1)"},
      {"seeds", "a line of a study: how often each combination is repeated",
       "A number of seeds, or a list of them.", "seeds = 3"},
      {"report", "a line of a study: the figures to show",
       "Figures of a split are `val.loss`, `val.accuracy` and so on; figures of the run are "
       "`seconds` and `samples_per_second`.",
       "report val.accuracy, val.loss, samples_per_second"},
      {"random", "a line of a study: how many of the combinations are drawn",
       "Without repetition, by the train section's seed; a larger number draws the same ones "
       "first. Ranges then stand for all that lies in them.",
       "random = 20"},
      {"log_uniform", "values of a study, drawn evenly by their logarithm",
       "Of a range above zero, in a `grid` line of a study that has `random`. Of ints it draws "
       "whole numbers.",
       "grid train.optimizer.lr = log_uniform(1e-4..1e-1)"},
      {"as", "names the value behind a stage",
       "It is used by that name further down; the name is also the layer's in paths and "
       "checkpoints.",
       "image -> Flatten -> Dense(10) as logits"},
      {"if", "a choice",
       "As a stage, `if c { flow } else { flow }`: without an `else` the value passes through. As "
       "a value, `if c then a else b`. What is chosen depends on constants, params and shapes, "
       "never on data.",
       "x -> if norm == \"batch\" { BatchNorm } -> ReLU"},
      {"then", "stands in a choice between values", "In a flow, braces stand in its place.",
       "let rate = if width > 100 then 0.5 else 0.1"},
      {"else", "the other branch of an `if`", "`else if` goes on with a further condition.",
       "x -> if wide { Dense(512) } else { Dense(64) }"},
      {"for", "a loop over a list or a range",
       "The flow in its braces stands once for each value, one behind the other. `for i, v in "
       "list` also counts, from 0.",
       "x -> for units in [256, 128] { Dense(units) -> ReLU }"},
      {"repeat", "a loop of a number of rounds",
       "The flow in its braces stands that many times, one behind the other.",
       "x -> repeat 3 { Dense(64) -> ReLU }"},
      {"in", "whether a list or a range holds a value; in `for`, what a loop goes over",
       "`not in` is the opposite. Behind a param it says what is allowed.",
       "param norm: str = \"batch\" in [\"none\", \"batch\"]"},
      {"and", "both are true", "Works on bools; the right side is looked at only where it matters.",
       "if depth > 2 and width > 64 { Dropout(0.2) }"},
      {"or", "one of two is true",
       "Works on bools; the right side is looked at only where it matters.",
       "if depth > 2 or width > 64 { Dropout(0.2) }"},
      {"not", "the opposite of a bool",
       "Binds looser than comparisons: `not a == b` is `not (a == b)`.", "bias = not normalized"},
      {"true", "a bool", "The other one is `false`.", "shuffle = true"},
      {"false", "a bool", "The other one is `true`.", "bias = false"},
      {"none", "no value", "For options that may be without one.", "path = none"},
      {"int", "the type of whole numbers",
       "64 bits; a result that does not fit is an error. An int is taken where a float is wanted, "
       "never the other way round.",
       "param width: int = 60_000"},
      {"float", "the type of numbers with a point", "64 bits.", "param rate: float = 1e-3"},
      {"str", "the type of texts",
       "Double quotes, with the escapes `\\\"`, `\\\\`, `\\n` and `\\t`.",
       "param norm: str = \"batch\""},
      {"bool", "the type of `true` and `false`",
       "Conditions are bools; numbers are compared first.", "param bias: bool = true"},
      {"list", "the type of lists", "`+` joins lists, `*` repeats one, `len` counts its values.",
       "param widths: list = [256, 128]"},
      {"min", "a function: the smallest", "Of its arguments, or of one list or range.",
       "min(width, 512)"},
      {"max", "a function: the largest", "Of its arguments, or of one list or range.",
       "max(width, 64)"},
      {"abs", "a function: a number without its sign", "", "abs(-3)"},
      {"round", "a function: the nearest whole number", "An int; halves go to the even neighbour.",
       "round(0.25 * width)"},
      {"floor", "a function: the next whole number below", "An int.", "floor(1.7)"},
      {"ceil", "a function: the next whole number above", "An int.", "ceil(1.2)"},
      {"sqrt", "a function: the square root", "A float.", "sqrt(2)"},
      {"log2", "a function: the logarithm to base 2", "A float.", "log2(1024)"},
      {"len", "a function: how many values a list has", "", "len([256, 128])"},
      {"sum", "a function: the sum", "Of its arguments, or of one list or range.",
       "sum([256, 128])"},
      {"range", "a function: numbers in steps",
       "`range(first, end, step)`; the end is not included, unlike in `first..last`.",
       "range(0, 10, 2)"},
  };
  return kDocs;
}

}  // namespace strata::dsl
