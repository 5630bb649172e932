// All that a model file says, resolved: the graph, the data with its transforms, how to train. Made
// by elaborate().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/diagnostic.h"
#include "framework/dsl/syntax.h"
#include "framework/graph/graph.h"
#include "framework/graph/split_rule.h"
#include "framework/graph/study.h"
#include "framework/plugin/registry.h"

namespace strata {

// More fields than this no data set may have, nor transforms make: elaboration checks it.
constexpr std::size_t kMostDataFields = 64;

// A data set behind its transforms. `stages[i]` is what comes out after i transforms.
// A data set's name, and what it says of itself.
struct DescribedData {
  std::string dataset;
  DataDescription description;
};

struct DataPipeline {
  std::string name;
  InstancePtr dataset;
  std::vector<SplitRule> split_rules;  // in order
  std::vector<InstancePtr> transforms;
  std::vector<DataDescription>
      stages;            // transforms.size() + 1, from describe: sizes may be unknown (-1)
  DescribedData source;  // what `describe` said, before splits were chosen
  Span span;

  const DataDescription& result() const { return stages.back(); }
};

// A value that a loss or metric reads: an output of the model, or a data field.
struct TermInput {
  bool is_field = false;
  int index = 0;  // into Graph::outputs, or into the last stage's fields
  std::string name;
};

struct Term {  // a loss or a metric
  InstancePtr instance;
  InferredPlan plan;
  std::vector<TermInput> inputs;
  double weight = 1.0;  // of a loss among several
  std::string name;     // snake case, unique in its list: "cross_entropy"
  Span span;
};

enum class LastBatch { kKeep, kDrop, kMerge };
enum class Precision { kF32, kF64 };

// What the learning rate of the parameters that a pattern means is multiplied by, besides the
// schedule's factor.
struct RateScale {
  std::string pattern;
  double factor = 1;
};

// The settings of a `train` section. Defaults are written here alone; train_settings.cc documents
// and checks them.
struct TrainSettings {
  std::string name;          // of the section; may be empty
  std::vector<Term> losses;  // at least one
  std::vector<Term> metrics;
  InstancePtr optimizer;
  InstancePtr schedule;  // null: constant
  std::int64_t batch_size = 32;
  LastBatch last_batch = LastBatch::kKeep;
  std::optional<std::int64_t>
      epochs;  // one of epochs and steps is set (10 epochs where the file says neither)
  std::optional<std::int64_t> steps;
  std::int64_t seed = 42;
  Precision precision = Precision::kF32;
  bool shuffle = true;
  std::optional<double> clip_value;  // every element of a gradient is cut to ± this
  std::optional<double> clip_norm;   // the gradient of all weights is scaled to at most this length
  std::int64_t accumulate = 1;       // batches whose gradients make up one step
  // Patterns of names of parameters that weight decay never applies to: "*.bias".
  std::vector<std::string> no_decay;
  std::vector<std::string> frozen;  // patterns of parameters that training leaves as they are
  // Of several patterns that a parameter's name fits, the last one counts.
  std::vector<RateScale> lr_scale;
  std::optional<double> ema;  // weight of the old value in the weights' moving average
  std::string monitor;        // the figure that says which epoch is best; empty: the first metric
  std::optional<std::int64_t> patience;  // epochs without a better figure before training stops
  double min_delta = 0;                  // by how much a figure has to be better to count
  std::optional<std::int64_t> checkpoint_steps;  // besides those at the end of epochs
  std::optional<double> checkpoint_minutes;
  std::optional<std::int64_t> log_steps;   // every so many steps, figures of single ones
  std::optional<std::int64_t> statistics;  // every so many steps, those of each layer
  std::string log;                         // a log besides the run's own: "tensorboard"
  std::vector<std::string> allow;          // lints that are silenced
};

struct Program {
  Graph graph;
  DataPipeline data;
  TrainSettings train;
  bool has_train = false;  // `summary` and `graph` do without
  bool has_data = false;
  // For each of the graph's inputs, the field of data.result() that feeds it.
  std::vector<int> input_fields;
  std::vector<Study> studies;
  std::vector<const Entry*> fusions;  // that the executor may use, by name
  // The file with overrides applied, includes merged and every default spelled out; elaborating it
  // gives an equal program.
  std::string resolved;
};

struct ElaborateOptions {
  std::string model;  // which model, data, train where a file has several; empty: the only one
  std::vector<std::string> overrides;  // "train.batch_size=256", as on the command line
  bool strict = false;                 // lints are errors
  std::int64_t max_nodes = 1'000'000;  // expanded layers
  int max_include_depth = 16;
  std::int64_t max_work = 200'000'000;  // steps that all expressions may take together
  // For a text that is not trusted: an include or a path in it is an error, and no file is looked
  // at.
  bool allow_files = true;
  // A file without a model (blocks to include), or with several and none chosen, is fine: it is
  // checked, and nullopt comes back without an error.
  bool any_file = false;
  // What a trained model's data were: it stands in where that data set's own files are gone, so
  // that the model serves without them.
  std::optional<DescribedData> trained_on;
  // Whether values of studies are tried: the file is elaborated once more for each of them.
  bool try_studies = true;
};

// Reads `path`, its includes, applies overrides, checks everything and unrolls the graph. Mistakes
// go to `diagnostics`; nullopt where any of them is an error. A file that cannot be read is an
// Error.
Result<std::optional<Program>> load_program(const std::string& path, const Registry& registry,
                                            Sources& sources, Diagnostics& diagnostics,
                                            const ElaborateOptions& options = {});

// The same for a text (tests, a checkpoint's own model). `name` is what messages call it; includes
// are relative to its folder.
Result<std::optional<Program>> elaborate_text(std::string name, std::string text,
                                              const Registry& registry, Sources& sources,
                                              Diagnostics& diagnostics,
                                              const ElaborateOptions& options = {});

}  // namespace strata
