// Names of other frameworks, and the nearest of ours.
#include "framework/graph/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "framework/base/diagnostic.h"
#include "framework/graph/train_settings.h"
#include "framework/plugin/options.h"

namespace strata::graph {
namespace {

struct Alias {
  std::string_view theirs;  // folded: small letters, no underscores
  std::string_view ours;
};

// Several of ours for one of theirs: the first that is registered under a wanted kind.
constexpr Alias kPlugins[] = {
    {"linear", "Dense"},
    {"fullyconnected", "Dense"},
    {"innerproduct", "Dense"},
    {"fc", "Dense"},
    {"affine", "Dense"},
    {"conv2d", "Conv2D"},
    {"convolution", "Conv2D"},
    {"convolution2d", "Conv2D"},
    {"conv", "Conv2D"},
    {"batchnormalization", "BatchNorm"},
    {"batchnorm1d", "BatchNorm"},
    {"batchnorm2d", "BatchNorm"},
    {"batchnorm3d", "BatchNorm"},
    {"bn", "BatchNorm"},
    {"norm", "BatchNorm"},
    {"layernormalization", "LayerNorm"},
    {"groupnormalization", "GroupNorm"},
    {"maxpooling2d", "MaxPool"},
    {"maxpool2d", "MaxPool"},
    {"averagepooling2d", "AveragePool"},
    {"avgpool2d", "AveragePool"},
    {"globalaveragepooling2d", "GlobalAveragePool"},
    {"adaptiveavgpool2d", "GlobalAveragePool"},
    {"concatenate", "Concat"},
    {"cat", "Concat"},
    {"merge", "Concat"},
    {"spatialdropout2d", "Dropout"},
    {"dropout2d", "Dropout"},
    {"view", "Flatten"},
    {"rectifiedlinear", "ReLU"},
    {"rectifier", "ReLU"},
    {"swish", "SiLU"},
    {"logistic", "Sigmoid"},
    {"crossentropyloss", "CrossEntropy"},
    {"softmaxcrossentropy", "CrossEntropy"},
    {"softmaxwithloss", "CrossEntropy"},
    {"sparsecategoricalcrossentropy", "CrossEntropy"},
    {"categoricalcrossentropy", "CrossEntropy"},
    {"nllloss", "CrossEntropy"},
    {"nll", "CrossEntropy"},
    {"softmaxcrossentropywithlogits", "CrossEntropy"},
    {"logloss", "CrossEntropy"},
    {"mseloss", "MeanSquaredError"},
    {"mse", "MeanSquaredError"},
    {"euclideanloss", "MeanSquaredError"},
    {"l2loss", "MeanSquaredError"},
    {"l1loss", "MeanAbsoluteError"},
    {"mae", "MeanAbsoluteError"},
    {"bcewithlogitsloss", "BinaryCrossEntropy"},
    {"bceloss", "BinaryCrossEntropy"},
    {"acc", "Accuracy"},
    {"sparsecategoricalaccuracy", "Accuracy"},
    {"categoricalaccuracy", "Accuracy"},
    {"topkcategoricalaccuracy", "TopK"},
    {"top5", "TopK"},
    {"stochasticgradientdescent", "SGD"},
    {"gradientdescent", "SGD"},
    {"momentum", "SGD"},
    {"cosineannealing", "Cosine"},
    {"cosineannealinglr", "Cosine"},
    {"cosinedecay", "Cosine"},
    {"constantlr", "Constant"},
    {"fixed", "Constant"},
    {"xavieruniform", "GlorotUniform"},
    {"xaviernormal", "GlorotNormal"},
    {"xavier", "GlorotUniform"},
    {"glorot", "GlorotUniform"},
    {"kaimingnormal", "HeNormal"},
    {"kaiming", "HeNormal"},
    {"he", "HeNormal"},
    {"msra", "HeNormal"},
    {"zero", "Zeros"},
    {"one", "Ones"},
    {"normalinit", "Normal"},
    {"rescaling", "Rescale"},
    {"totensor", "Rescale"},
    {"normalization", "Normalize"},
    {"standardize", "Normalize"},
    {"randomhorizontalflip", "RandomFlip"},
    {"fashion", "FashionMNIST"},
};

constexpr Alias kOptions[] = {
    {"outfeatures", "units"},
    {"filters", "channels"},
    {"numoutput", "units"},
    {"numoutput", "channels"},
    {"outputdim", "units"},
    {"outchannels", "channels"},
    {"hidden", "units"},
    {"size", "units"},
    {"nodes", "units"},
    {"width", "units"},
    {"neurons", "units"},
    {"usebias", "bias"},
    {"biasterm", "bias"},
    {"kernelinitializer", "weight_init"},
    {"weightfiller", "weight_init"},
    {"init", "weight_init"},
    {"initializer", "weight_init"},
    {"weightinitializer", "weight_init"},
    {"kernelinit", "weight_init"},
    {"biasinitializer", "bias_init"},
    {"biasfiller", "bias_init"},
    {"kernelsize", "kernel"},
    {"strides", "stride"},
    {"pad", "padding"},
    {"epsilon", "eps"},
    {"learningrate", "lr"},
    {"baselr", "lr"},
    {"alpha", "lr"},
    {"rate", "lr"},
    {"l2", "weight_decay"},
    {"decay", "weight_decay"},
    {"center", "shift"},
    {"beta", "shift"},
    {"gamma", "scale"},
    {"affine", "scale"},
    {"beta1", "beta1"},
    {"rho", "beta2"},
    {"rate", "rate"},
    {"p", "rate"},
    {"prob", "rate"},
    {"dropout", "rate"},
    {"ratio", "rate"},
    {"root", "path"},
    {"dir", "path"},
    {"folder", "path"},
    {"std", "std"},
    {"stddev", "std"},
    {"variance", "std"},
    {"factor", "scale"},
    {"warmupsteps", "warmup"},
    {"topk", "k"},
    {"fromlogits", "from_logits"},
};

std::string folded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c != '_' && c != '-') out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

std::string activation_of(std::string_view value_text) {
  std::string word;
  for (const char c : value_text) {
    if (std::isalnum(static_cast<unsigned char>(c))) word += c;
  }
  static constexpr Alias kActivations[] = {
      {"relu", "ReLU"},           {"softmax", "Softmax"}, {"sigmoid", "Sigmoid"},
      {"tanh", "Tanh"},           {"gelu", "GELU"},       {"elu", "ELU"},
      {"leakyrelu", "LeakyReLU"}, {"silu", "SiLU"},       {"swish", "SiLU"}};
  for (const Alias& alias : kActivations) {
    if (folded(word) == alias.theirs) return std::string(alias.ours);
  }
  return {};
}

}  // namespace

std::string suggest_plugin(std::string_view name, const std::vector<Kind>& kinds,
                           const Registry& registry, const std::vector<std::string>& others) {
  std::vector<std::string> candidates = others;
  for (const Kind kind : kinds) {
    for (std::string& known : registry.names(kind)) candidates.push_back(std::move(known));
  }
  const std::string wanted = folded(name);
  for (const std::string& candidate : candidates) {
    if (folded(candidate) == wanted) return candidate;
  }
  for (const Alias& alias : kPlugins) {
    if (alias.theirs != wanted) continue;
    if (std::find(candidates.begin(), candidates.end(), alias.ours) != candidates.end())
      return std::string(alias.ours);
  }
  return nearest_name(name, candidates);
}

std::string did_you_mean(std::string_view name) {
  return name.empty() ? std::string{} : fmt::format("did you mean `{}`?", name);
}

std::string suggest_option(const Entry& entry, std::string_view option,
                           std::string_view value_text) {
  if (std::string hint = entry.hint_for(option); !hint.empty()) return hint;
  const std::string wanted = folded(option);
  if (entry.kind() == STRATA_LAYER) {
    if (wanted == "activation") {
      const std::string layer = activation_of(value_text);
      return fmt::format("an activation is a layer of its own: write `-> {}` behind it",
                         layer.empty() ? "ReLU" : layer);
    }
    if (wanted == "inputshape" || wanted == "inputdim" || wanted == "infeatures" ||
        wanted == "inchannels" || wanted == "numfeatures" || wanted == "batchinputshape" ||
        wanted == "normalizedshape") {
      return "leave it out: shapes of inputs are inferred from the model's own";
    }
    if (wanted == "name") return "write `as …` behind it: that names the layer and its value";
    if (wanted == "trainable" || wanted == "training")
      return "leave it out: the trainer knows when it trains";
  }
  for (const Alias& alias : kOptions) {
    if (alias.theirs == wanted && alias.ours != option && entry.find_option(alias.ours) >= 0) {
      return did_you_mean(alias.ours);
    }
  }
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < entry.schema().option_count; ++i)
    names.emplace_back(entry.schema().options[i].name);
  return did_you_mean(nearest_name(option, names));
}

std::string suggest_setting(std::string_view key) {
  static const std::map<std::string, std::string, std::less<>> kForeign{
      {"learning_rate", "optimizer"},
      {"lr", "optimizer"},
      {"base_lr", "optimizer"},
      {"max_iter", "steps"},
      {"iterations", "steps"},
      {"max_steps", "steps"},
      {"num_epochs", "epochs"},
      {"n_epochs", "epochs"},
      {"max_epochs", "epochs"},
      {"criterion", "loss"},
      {"objective", "loss"},
      {"solver", "optimizer"},
      {"lr_policy", "schedule"},
      {"scheduler", "schedule"},
      {"lr_scheduler", "schedule"},
      {"drop_last", "last_batch"},
      {"random_seed", "seed"},
      {"dtype", "precision"},
      {"dataset", "data"},
      {"net", "model"},
      {"network", "model"}};
  const auto at = kForeign.find(key);
  if (at == kForeign.end()) return did_you_mean(nearest_name(key, train_setting_names()));
  if (at->first == "lr" || at->first == "learning_rate" || at->first == "base_lr") {
    return "the learning rate is the optimizer's: `optimizer = Adam(lr = 1e-3)`";
  }
  return did_you_mean(at->second);
}

std::string describe_options(const Entry& entry) {
  const strata_schema& schema = entry.schema();
  if (schema.option_count == 0) return fmt::format("`{}` has no options", entry.name());
  std::string out = fmt::format("options of `{}`: ", entry.name());
  for (std::int64_t i = 0; i < schema.option_count; ++i) {
    if (i > 0) out += "; ";
    out += fmt::format("{} ({})", schema.options[i].name, describe_type(schema.options[i]));
  }
  return out;
}

std::string a_kind(Kind kind) {
  const std::string name(kind_name(kind));
  return (name.find_first_of("aeiou") == 0 ? "an " : "a ") + name;
}

std::string plural(Kind kind) {
  return std::string(kind_name(kind)) + (kind == STRATA_LOSS ? "es" : "s");
}

std::string list_names(const std::vector<std::string>& names, std::size_t most,
                       std::string_view last) {
  std::string out;
  const std::size_t shown = names.size() > most ? most : names.size();
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) out += i + 1 == names.size() ? fmt::format(" {} ", last) : ", ";
    out += "`" + names[i] + "`";
  }
  if (shown < names.size()) out += fmt::format(" {} {} more", last, names.size() - shown);
  return out;
}

std::string counted(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace strata::graph
