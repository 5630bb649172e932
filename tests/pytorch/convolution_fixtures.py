"""Convolutions and pooling of images and sequences against PyTorch, for tests/fixtures/library.json: odd sizes, strides,
paddings, dilations and groups."""

import torch

NN = torch.nn
F = torch.nn.functional


class Padded(NN.Module):
    """A convolution behind zeros on its input, (left, right, top, bottom …) as F.pad has them."""

    def __init__(self, padding, module):
        super().__init__()
        self.padding, self.module = padding, module

    def forward(self, x):
        return self.module(F.pad(x, self.padding))

    def named_parameters(self, *arguments, **more):
        return self.module.named_parameters(*arguments, **more)


class SameTranspose(NN.Module):
    """Keras' padding "same": the gradient of a convolution with SAME_UPPER padding of an image stride times as large."""

    def __init__(self, inputs, channels, kernel, stride):
        super().__init__()
        self.weight = NN.Parameter(torch.zeros(inputs, channels, kernel, kernel))
        self.bias = NN.Parameter(torch.zeros(channels))
        self.stride = stride

    def forward(self, x):
        whole = F.conv_transpose2d(x, self.weight, self.bias, self.stride)
        height, width = (self.stride * size for size in x.shape[2:])
        cut = max(0, self.weight.shape[-1] - self.stride) // 2
        missing = max(0, self.stride - self.weight.shape[-1])
        whole = F.pad(whole, (0, missing, 0, missing))
        whole = whole[:, :, cut:cut + height, cut:cut + width].clone()
        if missing:  # what no patch reaches has the bias alone
            whole[:, :, height - missing:] = self.bias.reshape(1, -1, 1, 1)
            whole[:, :, :, width - missing:] = self.bias.reshape(1, -1, 1, 1)
        return whole


def convolution_cases(numbers, layer_case):
    normal = numbers.normal

    def case(name, layer, options, module, x):
        return layer_case(numbers, name, layer, options, module, x)

    def conv2d(name, x, channels, kernel=3, bias=True, **more):
        options = {"channels": channels, "kernel": kernel, "bias": bias, **more}
        module = NN.Conv2d(x.shape[1], channels, kernel, bias=bias, **more)
        return case(name, "Conv2D", options, module, x)

    def conv1d(name, x, channels, kernel=3, bias=True, **more):
        options = {"channels": channels, "kernel": kernel, "bias": bias, **more}
        return case(name, "Conv1D", options, NN.Conv1d(x.shape[1], channels, kernel, bias=bias, **more), x)

    def transpose(name, x, channels, kernel=3, bias=True, **more):
        options = {"channels": channels, "kernel": kernel, "bias": bias, **more}
        return case(name, "ConvTranspose2D", options, NN.ConvTranspose2d(x.shape[1], channels, kernel, bias=bias, **more),
                    x)

    image, wide, sequence = normal(2, 4, 7, 5), normal(3, 6, 5, 9), normal(3, 4, 11)
    long = normal(1, 24, 161)  # whose columns are gathered in several stretches
    return [
        conv2d("convolution", image, 3),
        conv2d("convolution with stride and padding", image, 5, [3, 2], stride=[2, 3], padding=[1, 0]),
        conv2d("convolution with wide padding", image, 2, 2, padding=3),
        conv2d("dilated convolution", wide, 2, 3, dilation=[1, 2], padding=[2, 1]),
        conv2d("dilated convolution with stride", wide, 2, 2, dilation=3, stride=2, padding=1),
        conv2d("grouped convolution", wide, 9, groups=3, bias=False),
        conv2d("grouped convolution with stride", wide, 4, groups=2, stride=2, padding=1),
        conv2d("depthwise convolution", wide, 6, groups=6, padding=1),
        conv2d("depthwise convolution with two filters a channel", image, 8, groups=4, stride=[1, 2]),
        conv2d("pointwise convolution", image, 7, 1),
        conv2d("pointwise convolution with stride", image, 7, 1, stride=2),
        case("same convolution", "Conv2D", {"channels": 3, "kernel": 4, "padding": "same"},
             Padded((1, 2, 1, 2), NN.Conv2d(4, 3, 4)), image),
        case("same convolution with stride", "Conv2D", {"channels": 3, "kernel": 4, "stride": 2, "padding": "same"},
             Padded((1, 2, 1, 2), NN.Conv2d(4, 3, 4, 2)), image),
        case("same depthwise convolution with dilation", "Conv2D",
             {"channels": 4, "kernel": 3, "dilation": 2, "groups": 4, "padding": "same"},
             Padded((2, 2, 2, 2), NN.Conv2d(4, 4, 3, dilation=2, groups=4)), image),
        conv1d("convolution of sequences", sequence, 5),
        conv1d("convolution of sequences with stride and padding", sequence, 5, 4, stride=3, padding=2),
        conv1d("dilated convolution of sequences", sequence, 2, 3, dilation=4, padding=3, bias=False),
        conv1d("grouped convolution of sequences", sequence, 6, 2, groups=2, stride=2),
        conv1d("depthwise convolution of sequences", sequence, 8, groups=4, padding=5),
        conv1d("convolution of long sequences", long, 2, 40, padding=2),
        case("same convolution of sequences", "Conv1D", {"channels": 3, "kernel": 4, "stride": 2, "padding": "same"},
             Padded((1, 2), NN.Conv1d(4, 3, 4, 2)), sequence),
        case("causal convolution of sequences", "Conv1D",
             {"channels": 3, "kernel": 3, "dilation": 2, "padding": "causal"},
             Padded((4, 0), NN.Conv1d(4, 3, 3, dilation=2)), sequence),
        transpose("transposed convolution", image, 3),
        transpose("transposed convolution with stride", image, 3, 2, stride=2),
        transpose("transposed convolution with everything", image, 6, [3, 4], stride=[3, 2], padding=[1, 2],
                  output_padding=[2, 1], dilation=[2, 1], groups=2),
        transpose("depthwise transposed convolution", image, 4, 3, stride=2, padding=1, output_padding=1, groups=4,
                  bias=False),
        transpose("transposed convolution with gaps", image, 2, 1, stride=3, output_padding=2),
        case("same transposed convolution", "ConvTranspose2D",
             {"channels": 3, "kernel": 4, "stride": 2, "padding": "same"}, SameTranspose(4, 3, 4, 2), image),
        case("same transposed convolution of uneven filters", "ConvTranspose2D",
             {"channels": 2, "kernel": 3, "stride": 2, "padding": "same"}, SameTranspose(4, 2, 3, 2), image),
        case("same transposed convolution with gaps", "ConvTranspose2D",
             {"channels": 2, "kernel": 2, "stride": 3, "padding": "same"}, SameTranspose(4, 2, 2, 3), image),
        case("max pool of sequences", "MaxPool1D", {}, NN.MaxPool1d(2), sequence),
        case("max pool of sequences with overlap", "MaxPool1D", {"size": 4, "stride": 3, "padding": 2},
             NN.MaxPool1d(4, 3, 2), sequence),
        case("same max pool of sequences", "MaxPool1D", {"padding": "same"}, NN.MaxPool1d(2, ceil_mode=True), sequence),
        case("average pool of sequences", "AveragePool1D", {"size": 3}, NN.AvgPool1d(3), sequence),
        case("average pool of sequences with padding", "AveragePool1D", {"size": 4, "stride": 2, "padding": 1},
             NN.AvgPool1d(4, 2, 1, count_include_pad=False), sequence),
        case("average pool of sequences that counts padding", "AveragePool1D",
             {"size": 4, "stride": 2, "padding": 1, "count_padding": True}, NN.AvgPool1d(4, 2, 1), sequence),
        case("global average pool of sequences", "GlobalAveragePool", {}, Mean(), sequence),
        case("global max pool of sequences", "GlobalMaxPool", {}, Largest(), sequence),
        case("flatten of sequences", "Flatten", {}, NN.Flatten(), sequence),
    ]


class Mean(NN.Module):
    def forward(self, x):
        return x.mean(-1)


class Largest(NN.Module):
    def forward(self, x):
        return x.amax(-1)
