// The table of codes. A test checks that every code in the sources of this folder has an entry here
// and a golden.
#include "framework/graph/diagnostic_codes.h"

#include <algorithm>

namespace strata {

const std::vector<DiagnosticDoc>& graph_diagnostic_docs() {
  static const std::vector<DiagnosticDoc> kDocs = {
      {"alias-in-data", "`as` in a data section",
       "`as` names a value of a model. Data has fields, which the data set names.",
       "data d = MNIST -> Rescale(1 / 255) as images", "data d = MNIST -> Rescale(1 / 255)"},
      {"ambiguous-section", "several sections where one is wanted",
       "A file may hold several models, data and train sections. `model` and `data` in a train "
       "section say which it "
       "means; on the command line `train=NAME` and `model=NAME` do.",
       "train { loss = CrossEntropy(logits, label) }",
       "train { model = small\n  loss = CrossEntropy(logits, label) }"},
      {"argument-count", "too few or too many arguments",
       "A function, a loss or a layer of several inputs is called with as many values as it reads.",
       "loss = CrossEntropy(logits)", "loss = CrossEntropy(logits, label)"},
      {"bad-data", "a data set or transform that cannot work on what it gets",
       "Transforms are checked against the fields that arrive at them, before any data is read.",
       "data d = MNIST -> Rescale(1 / 255, field = \"img\")",
       "data d = MNIST -> Rescale(1 / 255, field = \"image\")"},
      {"bad-default", "a plugin whose default is not there",
       "A default names another plugin, and that one is not registered. Give the option a value of "
       "your own, or load the "
       "plugin that is missing.",
       "x -> Fancy", "x -> Fancy(init = Zeros)"},
      {"bad-shape", "a layer that cannot work on the shape it gets",
       "Shapes are known through the whole model before it runs. The note says which shape "
       "arrives.",
       "a = x -> Dense(64)\nb = x -> Dense(32)\ny = Add(a, b)",
       "a = x -> Dense(64)\nb = x -> Dense(64)\ny = Add(a, b)"},
      {"bad-split", "a choice of samples that cannot be made",
       "`take` makes splits of the data smaller, `split` takes new ones out of one that is there. "
       "Both name splits, with a number of samples or a share of them.",
       "data d = MNIST -> split(train = 0.1)", "data d = MNIST -> take(train = 0.1)"},
      {"bad-term", "a loss or metric that cannot read what it is given",
       "Losses and metrics check the shapes and types of what they read, before any data is read.",
       "loss = CrossEntropy(image, label)", "loss = CrossEntropy(logits, label)"},
      {"batch-of-one", "a batch, or the last of an epoch, with one sample",
       "Batch statistics need two values of each feature. Where the number of samples leaves a "
       "last batch of one, "
       "`last_batch` can merge it into the one before, or drop it.",
       "batch_size = 1", "batch_size = 64\nlast_batch = \"merge\""},
      {"cancelled-bias", "a bias that the next layer takes away",
       "Batch normalization subtracts the mean, and with it any bias that was added just before. "
       "Its own shift does "
       "that work.",
       "x -> Dense(256) -> BatchNorm", "x -> Dense(256, bias = false) -> BatchNorm"},
      {"circular-definition", "constants that need each other's values",
       "Constants may stand in any order, but none can depend on its own value.",
       "let a = b + 1\nlet b = a * 2", "let a = 1\nlet b = a * 2"},
      {"division-by-zero", "a division by zero",
       "Dividing by zero has no value, for ints and for floats.", "let a = 10 / 0",
       "let a = 10 / 2"},
      {"dotted-name", "a name with a module or a value before it",
       "Everything that is registered has a single name, and values have no methods: every layer "
       "is a "
       "stage of a flow.",
       "y = x -> nn.Linear(784, 10)", "y = x -> Dense(10)"},
      {"dropout-before-batchnorm", "`Dropout` before `BatchNorm`",
       "Dropout changes the variance of what it lets through, in training only. The running "
       "variance that batch "
       "normalization learns then does not fit what it meets afterwards (Li et al., 2018, "
       "arXiv:1801.05134).",
       "x -> Dropout(0.5) -> BatchNorm -> ReLU", "x -> BatchNorm -> ReLU -> Dropout(0.5)"},
      {"duplicate-argument", "an argument that is given twice",
       "An option has one value. The first positional argument is the first option.",
       "x -> Dense(10, units = 20)", "x -> Dense(10)"},
      {"duplicate-name", "a name that is defined twice",
       "A name stands for one thing: within a block or model, and among the lets, params and "
       "blocks of a file with all "
       "that it includes. A name inside a block may be that of a constant outside.",
       "let width = 256\nparam width: int = 128", "param width: int = 256"},
      {"duplicate-override", "an override that is given twice",
       "A path can be set once on the command line.", "trainer train a.model width=5 width=6",
       "trainer train a.model width=6"},
      {"empty-axis", "an axis of a study without values",
       "A study runs once for each value of an axis.", "grid norm = []",
       "grid norm = [\"none\", \"batch\"]"},
      {"empty-study", "a study that varies nothing", "A study needs at least one `grid` or `zip`.",
       "study s { seeds = 3 }", "study s { grid train.batch_size = [16, 64]\n  seeds = 3 }"},
      {"include-cycle", "files that include each other",
       "A file cannot include itself, not by way of others either.", "include \"this_file.model\"",
       "include \"blocks.model\""},
      {"include-not-found", "an include that cannot be read",
       "Paths of includes are relative to the file that includes, and name a file.",
       "include \"block.modle\"", "include \"block.model\""},
      {"include-too-deep", "too many files inside one another",
       "Includes are nested at most 16 deep.", "include \"one_of_seventeen.model\"",
       "include \"all_of_them.model\""},
      {"input-mismatch", "an input that its field cannot feed",
       "A model's input and the data field of its name have the same shape, except for leading "
       "axes of extent 1, and "
       "hold amounts; class numbers go through an Embedding.",
       "model m(image: [32, 32]) -> y { … }", "model m(image: [28, 28]) -> y { … }"},
      {"input-shape", "a shape that is none",
       "The shape of an input is a list of ints from 1 on, of one sample: the batch axis is left "
       "out.",
       "model m(image: [none, 28, 28]) -> y { … }", "model m(image: [28, 28]) -> y { … }"},
      {"list-too-long", "a list that is too long",
       "Lists and texts are limited, so that evaluation always ends soon.",
       "let a = [0] * 10_000_000", "let a = [0] * 10"},
      {"loop-in-data", "a loop in a data section",
       "Data goes through its transforms once, one after another.",
       "data d = MNIST -> repeat 2 { Rescale(0.5) }",
       "data d = MNIST -> Rescale(0.5) -> Rescale(0.5)"},
      {"missing-argument", "a block's parameter without value",
       "A parameter without a default is given in every call of the block.",
       "block hidden(x, units) -> y { … }\nx -> hidden",
       "block hidden(x, units) -> y { … }\nx -> hidden(64)"},
      {"missing-option", "an option that has no default is not given",
       "Some options cannot be guessed.", "x -> Dense", "x -> Dense(256)"},
      {"missing-output", "an output that is never made",
       "Each output in the header of a model or block is made in its body: by `as` behind a stage, "
       "or by an assignment. "
       "Names inside braces are known only there.",
       "model m(x: [4]) -> y { x -> Dense(2) }", "model m(x: [4]) -> y { x -> Dense(2) as y }"},
      {"missing-plugin", "a plugin library that is not loaded",
       "`require` names a library of plugins, and may say which versions will do; the command line "
       "and the plugin path say where libraries are. One that is refused is as good as missing.",
       "require \"acme_layers\" >= 1.2",
       "# start the trainer with the library on its plugin path\nrequire \"acme_layers\" >= 1.2"},
      {"missing-section", "a section that the file needs",
       "Training needs a model, data and a train section.", "format 1\ntrain { … }",
       "format 1\nmodel m(…) -> y { … }\ndata d = …\ntrain { … }"},
      {"missing-setting", "a setting that something else needs",
       "What training makes small, and how, has no default; a study that reports epochs to a "
       "target "
       "has to name it.",
       "train { epochs = 10 }",
       "train { loss = CrossEntropy(logits, label)\n  optimizer = Adam\n  epochs = 10 }"},
      {"name-case", "capital letters in a name of the file's own",
       "Registered things are written `CapWords`; models, blocks, data, params and values "
       "`lower_snake_case`. So a reader sees which is which.",
       "block Hidden(x, units) -> y { … }", "block hidden(x, units) -> y { … }"},
      {"no-input", "a flow that begins with a layer",
       "A flow begins with a value: an input, or a name that was given to a value before.",
       "Dense(256) -> ReLU as y", "image -> Dense(256) -> ReLU as y"},
      {"no-number", "a result that is not a real number", "Such as the root of a negative number.",
       "let a = sqrt(-1)", "let a = sqrt(1)"},
      {"no-runs", "a `where` that keeps nothing", "Nothing would be run.",
       "grid a = [1, 2]\nwhere a > 2", "grid a = [1, 2]\nwhere a > 1"},
      {"not-a-stage", "a value or constant as a stage",
       "What stands behind an arrow is a layer or a block. Values meet in layers of several "
       "inputs.",
       "x -> h -> Dense(10)", "Add(x, h) -> Dense(10)"},
      {"not-a-value", "something else where a value of the model is wanted",
       "Flows begin with values, and layers of several inputs are called with names of values.",
       "Add(x, 3)", "Add(x, skip)"},
      {"nothing-to-train", "patterns of `frozen` that mean all parameters",
       "At least one parameter has to be left for training to change.", "frozen = [\"*\"]",
       "frozen = [\"conv*\"]"},
      {"option-choice", "a text that is not among the allowed ones",
       "The message lists what is allowed.", "last_batch = \"dorp\"", "last_batch = \"drop\""},
      {"option-range", "a number out of range", "The message says what is allowed.",
       "x -> Dropout(50)", "x -> Dropout(0.5)"},
      {"option-type", "a value of the wrong type",
       "Options and settings have types. An int is a float where one is wanted; nothing else "
       "changes its type. `/` gives "
       "an int only where it divides evenly.",
       "x -> Dense(\"256\")", "x -> Dense(256)"},
      {"output-count", "more or fewer names than values",
       "A layer or block with several outputs is assigned to as many names.",
       "h = Split(x, parts = 2)", "a, b = Split(x, parts = 2)"},
      {"overflow", "a number that is too large", "Ints have 64 bits, floats go to 1.8e308.",
       "let a = 10 ** 30", "let a = 10.0 ** 30"},
      {"param-domain", "a domain that does not fit its param",
       "After `in` stands a range for numbers, or a list of values of the param's type.",
       "param norm: str = \"none\" in 1..3", "param norm: str = \"none\" in [\"none\", \"batch\"]"},
      {"param-range", "a value that a param does not allow",
       "What stands behind `in` says what is allowed.", "param width: int = 5000 in 1..4096",
       "param width: int = 512 in 1..4096"},
      {"param-type", "a value that is not of its param's type",
       "An int is a float where one is wanted.", "param width: int = 2.5",
       "param width: int = 256"},
      {"recursive-block", "a block that contains itself",
       "Blocks are unrolled, so none can contain itself, not by way of others either. `repeat` and "
       "`for` repeat.",
       "block a(x) -> y { y = x -> ReLU -> a }", "block a(x) -> y { y = x -> repeat 3 { ReLU } }"},
      {"plugin-failed", "a plugin that does what it must not",
       "A plugin broke the rules between it and the framework: it threw, named no shape, or failed "
       "without a word. The file is not to blame. `trainer plugin check` judges a plugin's "
       "library.",
       "x -> Broken", "# without the plugin, or with a version of it that works\nx -> ReLU"},
      {"refused-options", "options that the plugin refuses together",
       "Each option is fine, and the plugin itself says why they do not go together.",
       "x -> Fussy(2)", "x -> Fussy(3)"},
      {"reserved-name", "a name that a function or something registered has",
       "Functions of expressions and registered things (layers, losses and so on) keep their "
       "names: a "
       "file cannot redefine them.",
       "block Dense(x, units) -> y { … }", "block my_dense(x, units) -> y { … }"},
      {"schedule-longer-than-run", "a warm-up as long as the run",
       "The learning rate would never reach its full height.",
       "schedule = Cosine(warmup = 10_000)\nsteps = 1_000",
       "schedule = Cosine(warmup = 100)\nsteps = 1_000"},
      {"setting-conflict", "two settings that say the same thing",
       "Either `epochs` or `steps` says how long to train.", "epochs = 5\nsteps = 100",
       "steps = 100"},
      {"several-values", "several values where a flow carries one",
       "Name the outputs of a layer that has several, and go on from each.",
       "x -> Split(parts = 2) -> Dense(10)", "a, b = Split(x, parts = 2)\na -> Dense(10)"},
      {"softmax-twice", "a softmax applied twice",
       "The softmax of a softmax is nearly the same for all classes, so that little is learned. "
       "Losses that expect "
       "logits apply it themselves.",
       "x -> Dense(10) -> Softmax as logits", "x -> Dense(10) as logits"},
      {"study-axis-changes-nothing", "a study axis that changes nothing",
       "All its values are the same, or nothing reads what it varies.",
       "grid norm = [\"batch\", \"batch\"]", "grid norm = [\"none\", \"batch\"]"},
      {"study-value", "a value of a study that does not fit the file",
       "Every value of an axis is tried in the place where it would stand. This one is allowed "
       "there, but "
       "the file has a mistake with it, in all combinations that were tried.",
       "grid data.points.classes = [3, 4]", "grid data.points.classes = [2, 3]"},
      {"too-deep", "too many things inside one another",
       "Blocks and braces are nested at most 300 deep in all.", "block b9(x) -> y { y = x -> b8 }",
       "block b9(x) -> y { y = x -> repeat 9 { ReLU } }"},
      {"too-many-arguments", "more arguments than are taken by position",
       "A layer's first option may be given without its name; all else is by name.",
       "x -> Dense(256, true)", "x -> Dense(256, bias = true)"},
      {"too-many-layers", "a model that expands to too many layers",
       "The limit is a million layers, and as many rounds of a loop.",
       "x -> repeat 1_000_000_000 { ReLU }", "x -> repeat 10 { ReLU }"},
      {"too-many-runs", "a study with too many combinations", "The limit is a hundred thousand.",
       "grid train.seed = 1..1_000_000", "grid train.seed = 1..10"},
      {"too-much-work", "expressions or loops that take too long",
       "Evaluation always ends, and soon: the work that all expressions of a file do together is "
       "limited, and so is the number of stages that loops go through.",
       "x -> repeat 10_000 { if 1 in long_list { ReLU } }",
       "let found = 1 in long_list\nx -> repeat 10_000 { if found { ReLU } }"},
      {"unknown-argument", "a parameter that a block does not have",
       "Blocks are called with the names of their parameters.", "x -> hidden(64, drop_rate = 0.1)",
       "x -> hidden(64, rate = 0.1)"},
      {"unknown-attribute", "an attribute that a value does not have",
       "Every value of a model has `shape`, `rank` and `size`. By its rank it also has `features`, "
       "or `height` and "
       "`width`, or `channels`, `height` and `width`.",
       "if x.chanels == 3 { ReLU }", "if x.channels == 3 { ReLU }"},
      {"unknown-field", "an input that no field feeds",
       "A model's inputs are named as the data fields that feed them.",
       "model m(x: [28, 28]) -> y { … }", "model m(image: [28, 28]) -> y { … }"},
      {"unknown-layer", "a layer or block that does not exist",
       "Layers are CapWords, blocks lower_snake_case. `trainer explain` lists what there is.",
       "x -> Linear(256)", "x -> Dense(256)"},
      {"unknown-lint", "a lint that does not exist", "`allow` silences lints by their names.",
       "allow = [\"softmax\"]", "allow = [\"softmax-twice\"]"},
      {"unknown-name", "a name that stands for nothing here",
       "Names are those of lets, params, a block's parameters and values, and loop variables. A "
       "value is known from where "
       "it is made on, and inside the braces around it.",
       "let width = 256\nx -> Dense(widht)", "let width = 256\nx -> Dense(width)"},
      {"unknown-option", "an option that does not exist", "The note lists the options there are.",
       "x -> Dense(unit = 10)", "x -> Dense(units = 10)"},
      {"unknown-path", "a path that leads nowhere",
       "Overrides and studies set params (`width`), settings (`train.batch_size`), options of what "
       "a setting holds "
       "(`train.optimizer.lr`) and options of data (`data.mnist.path`, "
       "`data.mnist.normalize.mean`).",
       "trainer train a.model batch_size=64", "trainer train a.model train.batch_size=64"},
      {"unknown-plugin", "a plugin or function that does not exist",
       "`trainer explain` lists what there is.", "optimizer = Adamm", "optimizer = Adam"},
      {"unknown-parameter", "a pattern that no parameter's name fits",
       "Parameters are called by the path of their layer: `dense1.weight`. In a pattern `*` stands "
       "for any characters, dots among them. `trainer summary` lists the layers.",
       "no_decay = [\"*.gamma\"]", "no_decay = [\"*.weight\"]"},
      {"unknown-report", "a figure that runs do not have",
       "Runs have the loss and the metrics of every split, and their speed.", "report val.acuracy",
       "report val.accuracy"},
      {"unknown-section", "a section that the file does not have",
       "`model` and `data` name sections of the file.", "train { data = minst }",
       "train { data = mnist }"},
      {"unknown-setting", "a setting that does not exist",
       "Nothing is ignored: a key that means nothing is an error.", "train { batchsize = 64 }",
       "train { batch_size = 64 }"},
      {"unknown-term", "a name that is neither output nor field",
       "Losses and metrics read outputs of the model and fields of the data, by name and without "
       "quotes.",
       "loss = CrossEntropy(logits, labels)", "loss = CrossEntropy(logits, label)"},
      {"unknown-type", "a type that does not exist",
       "Params are of type int, float, str, bool or list.", "param norm: string = \"none\"",
       "param norm: str = \"none\""},
      {"unread-output", "an output that no loss and no metric reads",
       "It is computed in every step, and nothing is learned from it. Fine where it is for "
       "`predict`.",
       "model m(x: [4]) -> y, code { … }", "model m(x: [4]) -> y { … }"},
      {"unscaled-bytes", "bytes that reach the model as they are",
       "Values from 0 to 255 make the first steps far too large.", "data d = MNIST",
       "data d = MNIST -> Rescale(1 / 255)"},
      {"unused-block", "a block that nothing uses", "Often the name at its use is another one.",
       "block hidden(x) -> y { … }\nx -> ReLU", "block hidden(x) -> y { … }\nx -> hidden"},
      {"unused-param", "a param that nothing reads",
       "Setting it from outside would change nothing.", "param width: int = 256\nx -> Dense(128)",
       "param width: int = 256\nx -> Dense(width)"},
      {"unused-value", "a value that nothing reads",
       "A constant, a parameter, an input or a value of a model that is never used is often a slip "
       "in a name. Layers that "
       "lead to no output are left out of the model.",
       "h = x -> Dense(64)\nx -> Dense(10) as y", "h = x -> Dense(64)\nh -> Dense(10) as y"},
      {"wrong-kind", "a plugin of another kind",
       "Layers, losses, metrics, optimizers, schedules, initializers, data sets and transforms "
       "each have their places.",
       "x -> Adam(lr = 0.1)", "optimizer = Adam(lr = 0.1)"},
      {"wrong-type", "an operator or function on the wrong types",
       "Numbers are computed with numbers, conditions are true or false, texts are compared with "
       "texts.",
       "if depth { Dense(64) }", "if depth > 0 { Dense(64) }"},
      {"zip-length", "a zip whose values do not match its paths",
       "Every point of a zip has one value for each path.", "zip (a, b) = [(1, 2, 3)]",
       "zip (a, b) = [(1, 2)]"},
  };
  return kDocs;
}

const std::vector<std::string>& lint_names() {
  static const std::vector<std::string> kNames{"batch-of-one",
                                               "cancelled-bias",
                                               "dropout-before-batchnorm",
                                               "name-case",
                                               "schedule-longer-than-run",
                                               "softmax-twice",
                                               "study-axis-changes-nothing",
                                               "unread-output",
                                               "unscaled-bytes",
                                               "unused-block",
                                               "unused-param",
                                               "unused-value"};
  return kNames;
}

bool is_lint(std::string_view code) {
  return std::find(lint_names().begin(), lint_names().end(), code) != lint_names().end();
}

}  // namespace strata
