// What Keras, PyTorch and Caffe call things. Included by suggest.cc alone.
#pragma once

#include <string_view>

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
    {"reshape", "Flatten"},
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

// Things of theirs that may be missing here. A name that is only spelt like one (`ReLU` for `GELU`)
// is not what was meant.
constexpr std::string_view kTheirs[] = {
    "gelu",      "elu",       "selu",       "celu",      "leakyrelu",   "prelu",
    "relu6",     "silu",      "swish",      "mish",      "tanh",        "sigmoid",
    "softplus",  "hardswish", "logsoftmax", "lstm",      "gru",         "rnn",
    "simplernn", "embedding", "attention",  "layernorm", "groupnorm",   "instancenorm",
    "conv1d",    "conv3d",    "maxpool",    "avgpool",   "averagepool", "upsampling2d",
    "identity",  "multiply",  "lambda",     "rmsprop",   "adagrad",     "adadelta",
    "adamax",    "nadam",     "adamw",      "lars",      "steplr",      "step"};

struct Advice {
  std::string_view theirs;
  std::string_view instead;
};

constexpr Advice kAdvice[] = {
    {"totensor",
     "leave it out: samples are arrays already, and `Normalize` scales bytes by itself"},
    {"sequential", "layers are joined with arrows: `x -> Dense(128) -> ReLU`"},
    {"compose", "transforms are joined with arrows: `data d = MNIST -> Rescale(1 / 255)`"},
    {"input", "inputs stand in the model's header: `model m(image: [28, 28]) -> logits { … }`"},
    {"inputlayer",
     "inputs stand in the model's header: `model m(image: [28, 28]) -> logits { … }`"},
    {"dataloader", "batches are settings: `batch_size = 64` and `shuffle = true` in `train`"},
    {"parameters", "leave it out: an optimizer works on all weights of the model"},
    {"modulelist", "a list of layers is a loop: `-> for n in [64, 32] { Dense(n) -> ReLU }`"},
    {"activation", "an activation is a layer of its own: `-> ReLU`"},
};

constexpr std::string_view kModules[] = {
    "nn",  "torch", "F",     "tf",     "keras",      "layers",     "np",          "jax",
    "jnp", "flax",  "optim", "losses", "optimizers", "transforms", "torchvision", "metrics"};

}  // namespace
}  // namespace strata::graph
