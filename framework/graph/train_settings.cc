// The table of train settings. Defaults that are plain values come from TrainSettings.
#include "framework/graph/train_settings.h"

#include <deque>
#include <limits>

#include "framework/base/text.h"
#include "framework/graph/program.h"
#include "framework/plugin/options.h"
#include "framework/plugin/schema.h"

namespace strata {
namespace {

struct Table {
  std::deque<strata_option> options;
  std::vector<TrainSettingDoc> docs;
  schema_internal::DefaultStore store;
  static constexpr const char* kLastBatch[] = {"keep", "drop", "merge"};
  static constexpr const char* kPrecision[] = {"f32", "f64"};
  static constexpr const char* kLog[] = {"tensorboard"};

  strata_option& add(const char* name, std::uint32_t kinds, const char* doc,
                     std::string default_value, std::string example) {
    strata_option& option = options.emplace_back();
    option.struct_size = sizeof(strata_option);
    option.name = name;
    option.doc = doc;
    option.kinds = kinds;
    option.plugin_kind = -1;
    option.minimum = -std::numeric_limits<double>::infinity();
    option.maximum = std::numeric_limits<double>::infinity();
    docs.push_back({name, {}, std::move(default_value), doc, std::move(example)});
    return option;
  }
  void at_least(strata_option& option, double bound) { option.minimum = bound; }
  void above_zero(strata_option& option) {
    option.minimum = 0;
    option.flags |= STRATA_OPTION_MIN_EXCLUSIVE;
  }
  template <std::size_t n>
  void choices(strata_option& option, const char* const (&names)[n]) {
    option.choices = names;
    option.choice_count = n;
  }
  strata_option& plugin(const char* name, Kind kind, std::uint32_t more, const char* doc,
                        std::string default_value, std::string example) {
    strata_option& option =
        add(name, STRATA_PLUGIN | more, doc, std::move(default_value), std::move(example));
    option.plugin_kind = kind;
    if (more & STRATA_LIST) option.item_kinds = STRATA_PLUGIN;
    return option;
  }

  Table() {
    const TrainSettings defaults;
    add("model", 0, "which model to train", "the only one in the file", "model = mnist_mlp");
    docs.back().type = "the name of a model";
    add("data", 0, "which data to train on", "the only one in the file", "data = mnist");
    docs.back().type = "the name of a data section";
    plugin("loss", STRATA_LOSS, STRATA_LIST,
           "what training makes small: a loss of model outputs and data fields, or a list whose "
           "weighted sum counts",
           "", "loss = [CrossEntropy(logits, label), 0.1 * MeanSquaredError(code, image)]");
    plugin("metrics", STRATA_METRIC, STRATA_LIST,
           "what is measured besides the loss, over every epoch", "[]",
           "metrics = [Accuracy(logits, label)]");
    plugin("optimizer", STRATA_OPTIMIZER, 0, "how weights follow from gradients", "",
           "optimizer = Adam(lr = 1e-3)");
    plugin("schedule", STRATA_SCHEDULE, STRATA_NONE,
           "what the learning rate is multiplied by, step by step", "none",
           "schedule = Cosine(warmup = 100)");
    at_least(add("batch_size", STRATA_INT, "samples per step", std::to_string(defaults.batch_size),
                 "batch_size = 64"),
             1);
    choices(add("last_batch", STRATA_STRING,
                "what becomes of the samples left over at the end of an epoch: a smaller batch of "
                "their own, none, or "
                "part of the batch before",
                "\"keep\"", "last_batch = \"merge\""),
            kLastBatch);
    at_least(add("epochs", STRATA_INT, "how often to go over the training data",
                 "10, unless `steps` is given", "epochs = 10"),
             1);
    at_least(
        add("steps", STRATA_INT, "how many updates of the weights to make, in place of `epochs`",
            "none", "steps = 20_000"),
        1);
    at_least(
        add("seed", STRATA_INT, "start of all random streams: weights, order of samples, masks",
            std::to_string(defaults.seed), "seed = 1"),
        0);
    choices(add("precision", STRATA_STRING, "floating-point type of weights and arithmetic",
                "\"f32\"", "precision = \"f64\""),
            kPrecision);
    add("shuffle", STRATA_BOOL, "whether every epoch takes the samples in a new order", "true",
        "shuffle = false");
    above_zero(add("clip_value", STRATA_FLOAT | STRATA_NONE,
                   "every element of the gradient is cut to ± this, after `clip_norm`", "none",
                   "clip_value = 0.5"));
    above_zero(add("clip_norm", STRATA_FLOAT | STRATA_NONE,
                   "where the gradient of all weights together is longer than this, it is scaled "
                   "to this length",
                   "none", "clip_norm = 1.0"));
    at_least(add("accumulate", STRATA_INT,
                 "how many batches make up one step: their gradients add up to one update",
                 std::to_string(defaults.accumulate), "accumulate = 4"),
             1);
    add("no_decay", STRATA_LIST,
        "parameters that weight decay never applies to, by patterns of their names: `*` stands for "
        "any characters. Biases, scales and shifts have none anyway, unless the optimizer's "
        "`decay_all` asks for it",
        "[]", "no_decay = [\"*.bias\", \"stage1.*\"]")
        .item_kinds = STRATA_STRING;
    add("frozen", STRATA_LIST,
        "parameters that training leaves as they are, by patterns of their names: no update, no "
        "decay, no slots of the optimizer. Running statistics of batch normalization go on",
        "[]", "frozen = [\"conv*\", \"stage1.*\"]")
        .item_kinds = STRATA_STRING;
    add("lr_scale", STRATA_LIST,
        "what the learning rate of parameters is multiplied by, besides the schedule's factor: "
        "pairs "
        "of a pattern of their names and a number above 0. Of several patterns that a name fits "
        "the "
        "last one counts",
        "[]", "lr_scale = [(\"*\", 0.1), (\"logits.*\", 10)]");
    docs.back().type = "list of pairs of str and float";
    strata_option& ema =
        add("ema", STRATA_FLOAT | STRATA_NONE,
            "what the moving average of the weights keeps of its old value at each step; "
            "validation, `eval` and `predict` then use the average",
            "none", "ema = 0.999");
    above_zero(ema);
    ema.maximum = 1;
    ema.flags |= STRATA_OPTION_MAX_EXCLUSIVE;
    add("monitor", STRATA_STRING | STRATA_NONE, "the figure that says which epoch is best",
        "none: the first metric, or the loss, of "
        "validation",
        "monitor = \"val.loss\"");
    at_least(
        add("patience", STRATA_INT | STRATA_NONE,
            "after how many epochs without a better figure training stops", "none", "patience = 5"),
        1);
    at_least(add("min_delta", STRATA_FLOAT,
                 "by how much a figure has to be better for `patience` to start anew",
                 print_float(defaults.min_delta), "min_delta = 0.001"),
             0);
    at_least(add("checkpoint_steps", STRATA_INT | STRATA_NONE,
                 "a checkpoint after every so many steps, besides those at the end of epochs",
                 "none", "checkpoint_steps = 500"),
             1);
    above_zero(add("checkpoint_minutes", STRATA_FLOAT | STRATA_NONE,
                   "a checkpoint whenever so many minutes have passed since the last one", "none",
                   "checkpoint_minutes = 10"));
    at_least(add("log_steps", STRATA_INT | STRATA_NONE,
                 "the loss of single steps in metrics.jsonl, with a checksum of the weights, after "
                 "every so many",
                 "none", "log_steps = 10"),
             1);
    at_least(add("statistics", STRATA_INT | STRATA_NONE,
                 "mean, deviation and share of zeros of each layer's activations and gradients in "
                 "metrics.jsonl, at every so many steps; each time costs about one step without "
                 "fused layers",
                 "none", "statistics = 100"),
             1);
    choices(add("log", STRATA_STRING | STRATA_NONE,
                "a log besides metrics.jsonl: event files for TensorBoard in the run's folder",
                "none", "log = \"tensorboard\""),
            kLog);
    strata_option& allow = add("allow", STRATA_LIST, "names of lints that are not reported", "[]",
                               "allow = [\"cancelled-bias\"]");
    allow.item_kinds = STRATA_STRING;
    for (std::size_t i = 0; i < options.size(); ++i) {
      if (docs[i].type.empty()) docs[i].type = describe_type(options[i]);
    }
  }

  static const Table& get() {
    static const Table table;
    return table;
  }
};

}  // namespace

const std::vector<TrainSettingDoc>& train_setting_docs() { return Table::get().docs; }

namespace graph {

const strata_option* train_setting_option(std::string_view name) {
  for (const strata_option& option : Table::get().options) {
    if (name == option.name) return &option;
  }
  return nullptr;
}

std::vector<std::string> train_setting_names() {
  std::vector<std::string> names;
  for (const TrainSettingDoc& doc : train_setting_docs()) names.push_back(doc.name);
  return names;
}

}  // namespace graph
}  // namespace strata
