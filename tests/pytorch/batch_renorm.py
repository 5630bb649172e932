"""Batch renormalization as the paper has it (Ioffe, 2017, arXiv:1702.03275, algorithm 1), for tests/fixtures/library.json.

Written from the formulas, apart from Strata's code; gradients are PyTorch's, with r and d detached. As in Strata, what is
averaged is the variance ("unbiased" or "biased") and not its root.
"""

import torch

NN = torch.nn


def ramp(begin, end, batches):
    return min(1.0, max(0.0, (batches - begin) / (end - begin))) if end > begin else float(batches >= end)


class BatchRenorm(NN.Module):
    def __init__(self, channels, eps=1e-5, decay=0.9, running_variance="unbiased", scale=True, shift=True, r_max=3.0,
                 d_max=5.0, r_ramp=(5000, 40000), d_ramp=(5000, 25000)):
        super().__init__()
        self.eps, self.decay, self.unbiased = eps, decay, running_variance == "unbiased"
        self.r_max, self.d_max, self.r_ramp, self.d_ramp = r_max, d_max, r_ramp, d_ramp
        self.weight = NN.Parameter(torch.ones(channels)) if scale else None
        self.bias = NN.Parameter(torch.zeros(channels)) if shift else None
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.register_buffer("num_batches_tracked", torch.zeros(1))

    def affine(self, x, shape):
        x = x if self.weight is None else x * self.weight.reshape(shape)
        return x if self.bias is None else x + self.bias.reshape(shape)

    def forward(self, x):
        shape = (1, -1) + (1,) * (x.dim() - 2)
        axes = [axis for axis in range(x.dim()) if axis != 1]
        sigma_running = (self.running_var + self.eps).sqrt()
        if not self.training:
            return self.affine((x - self.running_mean.reshape(shape)) / sigma_running.reshape(shape), shape)
        mean = x.mean(axes)
        sigma = (((x - mean.reshape(shape)) ** 2).mean(axes) + self.eps).sqrt()
        batches = self.num_batches_tracked.item()
        r_max = 1 + (self.r_max - 1) * ramp(*self.r_ramp, batches)
        d_max = self.d_max * ramp(*self.d_ramp, batches)
        r = (sigma / sigma_running).clamp(1 / r_max, r_max).detach()
        d = ((mean - self.running_mean) / sigma_running).clamp(-d_max, d_max).detach()
        self.clipped = [((r == 1 / r_max) | (r == r_max)).tolist(), (d.abs() == d_max).tolist()]
        with torch.no_grad():
            self.running_mean = self.decay * self.running_mean + (1 - self.decay) * mean
            variance = x.var(axes, unbiased=self.unbiased)
            self.running_var = self.decay * self.running_var + (1 - self.decay) * variance
            self.num_batches_tracked = self.num_batches_tracked + 1
        return self.affine((x - mean.reshape(shape)) / sigma.reshape(shape) * r.reshape(shape) + d.reshape(shape), shape)


def batch_renorm_cases(numbers, tensor):
    """Training from some state, then inference with what it left. `tensor` writes an array down."""

    def case(name, options, x, mean, deviation, batches, clipped):
        module = numbers.with_parameters(BatchRenorm(x.shape[1], **options))
        module.running_mean, module.running_var = mean, deviation**2
        module.num_batches_tracked = torch.tensor([float(batches)])
        start = {key: tensor(value) for key, value in module.named_buffers()}
        x = x.clone().requires_grad_()
        y = module(x)
        # So that each case tests what it is named for.
        assert module.clipped == clipped, (name, module.clipped)
        dy = numbers.normal(*y.shape)
        y.backward(dy)
        parameters = dict(module.named_parameters())
        state = {key: tensor(value) for key, value in module.named_buffers()}
        return {
            "name": name, "layer": "BatchRenorm",
            "options": {key: list(value) if isinstance(value, tuple) else value for key, value in options.items()},
            "start_state": start, "input": tensor(x),
            "parameters": {key: tensor(value) for key, value in parameters.items()},
            "output": tensor(y), "d_output": tensor(dy), "d_input": tensor(x.grad),
            "d_parameters": {key: tensor(value.grad) for key, value in parameters.items()},
            "state": state, "inference_output": tensor(module.eval()(x)),
        }

    at_once = {"r_ramp": (0, 0), "d_ramp": (0, 0)}
    x = numbers.normal(6, 4)
    mean, deviation = x.mean(0), x.std(0)
    # Channels: near the batch; r too large and d too large; r too small; d too small.
    shift = torch.tensor([0.1, -30.0, 0.2, 30.0]) * deviation
    factor = torch.tensor([1.1, 0.1, 20.0, 1.2])
    both = [[False, True, True, False], [False, True, False, True]]
    images = numbers.normal(3, 2, 4, 5) * 3 + 1
    near, far = (images.mean((0, 2, 3)) + 0.5, images.std((0, 2, 3)) * 1.3), (torch.ones(2) * 0.8, torch.ones(2) * 0.5)
    return [
        case("batch renorm", at_once, x, mean + shift, deviation * factor, 0, both),
        case("batch renorm with other conventions",
             {**at_once, "running_variance": "biased", "decay": 0.99, "eps": 1e-3, "scale": False, "r_max": 2.0,
              "d_max": 2.5}, x, mean + shift, deviation * factor, 7, both),
        case("batch renorm without scale and shift", {**at_once, "scale": False, "shift": False}, x, mean + shift,
             deviation * factor, 1, both),
        case("batch renorm before its ramps", {}, x, mean + shift, deviation * factor, 5000, [[True] * 4, [True] * 4]),
        case("batch renorm of images", at_once, images, *near, 12, [[False] * 2, [False] * 2]),
        case("batch renorm of images on its ramps", {}, images, *far, 13000, [[True] * 2, [False] * 2]),
        case("batch renorm of sequences", {"r_ramp": (2, 5), "d_ramp": (0, 8), "d_max": 0.25}, images.reshape(3, 2, 20),
             *far, 3, [[True] * 2, [False, True]]),
        case("batch renorm of two samples", at_once, x[:2], mean, deviation, 3, [[False] * 4, [False] * 4]),
    ]
