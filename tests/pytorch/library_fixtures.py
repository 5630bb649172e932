"""Cases for tests/fixtures/library.json: layers, losses, metrics, optimizers and schedules against PyTorch in f64.

What PyTorch 1.13 lacks (RMSNorm, Lion, metrics) is written down here from its formula, apart from Strata's code.
"""

import numpy as np
import torch

import batch_renorm
import convolution_fixtures

NN = torch.nn
F = torch.nn.functional


def tensor(array):
    array = np.asarray(array.detach() if isinstance(array, torch.Tensor) else array)
    return {"shape": list(array.shape), "values": array.reshape(-1).tolist()}


class Function(NN.Module):
    """A function of tensors as a module without parameters."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *x):
        return self.function(*x)


class RMSNorm(NN.Module):
    def __init__(self, features, eps):
        super().__init__()
        self.weight = NN.Parameter(torch.ones(features))
        self.eps = eps

    def forward(self, x):
        return x / torch.sqrt((x * x).mean(-1, keepdim=True) + self.eps) * self.weight


class Numbers:
    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)

    def normal(self, *shape):
        return torch.randn(*shape, generator=self.generator, dtype=torch.float64)

    def with_parameters(self, module):
        module = module.double()
        for parameter in module.parameters():
            parameter.data = self.normal(*parameter.shape)
        return module


def layer_case(numbers, name, layer, options, module, *inputs):
    """One training pass over several inputs and outputs."""
    module = numbers.with_parameters(module)
    inputs = [x.clone().requires_grad_() for x in inputs]
    outputs = module(*inputs)
    outputs = list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]
    d_outputs = [numbers.normal(*y.shape) for y in outputs]
    sum((y * dy).sum() for y, dy in zip(outputs, d_outputs)).backward()
    gradients = [torch.zeros_like(x) if x.grad is None else x.grad for x in inputs]
    return {
        "name": name, "layer": layer, "options": options,
        "inputs": [tensor(x) for x in inputs],
        "parameters": {key: tensor(value) for key, value in module.named_parameters()},
        "outputs": [tensor(y) for y in outputs],
        "d_outputs": [tensor(dy) for dy in d_outputs],
        "d_inputs": [tensor(dx) for dx in gradients],
        "d_parameters": {key: tensor(value.grad) for key, value in module.named_parameters()},
        "state": {},
    }


def layer_cases(numbers):
    normal = numbers.normal

    def case(name, layer, options, module, *inputs):
        return layer_case(numbers, name, layer, options, module, *inputs)

    def activation(layer, module, **options):
        return case(layer.lower(), layer, options, module, normal(5, 7) * 3)

    image = (2, 3, 4, 5)
    return [
        activation("LeakyReLU", NN.LeakyReLU()),
        activation("LeakyReLU", NN.LeakyReLU(0.3), negative_slope=0.3),
        activation("PReLU", NN.PReLU(7)),
        case("prelu of images", "PReLU", {}, NN.PReLU(3), normal(*image)),
        case("shared prelu", "PReLU", {"shared": True}, NN.PReLU(), normal(*image)),
        activation("ELU", NN.ELU()),
        activation("ELU", NN.ELU(0.5), alpha=0.5),
        activation("SELU", NN.SELU()),
        activation("GELU", NN.GELU()),
        activation("GELU", NN.GELU(approximate="tanh"), approximate="tanh"),
        activation("SiLU", NN.SiLU()),
        activation("Sigmoid", NN.Sigmoid()),
        activation("Tanh", NN.Tanh()),
        activation("Softplus", NN.Softplus()),
        activation("Softplus", NN.Softplus(beta=2.5), beta=2.5),
        activation("HardSwish", NN.Hardswish()),
        activation("LogSoftmax", NN.LogSoftmax(dim=-1)),
        case("layer norm", "LayerNorm", {}, NN.LayerNorm(7), normal(5, 7)),
        case("layer norm far from zero", "LayerNorm", {}, NN.LayerNorm(70), normal(2, 3, 70) + 1000),
        case("layer norm of images", "LayerNorm", {"axes": 3, "eps": 1e-3}, NN.LayerNorm([3, 4, 5], eps=1e-3),
             normal(*image)),
        case("layer norm without parameters", "LayerNorm", {"scale": False, "shift": False},
             NN.LayerNorm(7, elementwise_affine=False), normal(5, 7)),
        case("group norm", "GroupNorm", {"groups": 3}, NN.GroupNorm(3, 6), normal(2, 6, 5, 3)),
        case("group norm of one group", "GroupNorm", {}, NN.GroupNorm(1, 6), normal(4, 6)),
        case("instance norm", "InstanceNorm", {}, NN.InstanceNorm2d(3), normal(*image)),
        case("instance norm with parameters", "InstanceNorm", {"scale": True, "shift": True},
             NN.InstanceNorm2d(3, affine=True), normal(*image)),
        case("rms norm", "RMSNorm", {"eps": 1e-5}, RMSNorm(7, 1e-5), normal(5, 2, 7)),
        case("reshape", "Reshape", {"shape": [5, -1, 3]}, Function(lambda x: x.reshape(2, 5, 4, 3)), normal(*image)),
        case("permute", "Permute", {"axes": [2, 0, 1]}, Function(lambda x: x.permute(0, 3, 1, 2).contiguous()),
             normal(*image)),
        case("permute by default", "Permute", {}, Function(lambda x: x.permute(0, 3, 2, 1).contiguous()),
             normal(*image)),
        case("multiply", "Multiply", {}, Function(lambda a, b, c: a * b * c), normal(4, 5), normal(4, 5),
             normal(4, 5)),
        case("concat", "Concat", {}, Function(lambda a, b: torch.cat([a, b], 1)), normal(2, 3, 4, 5),
             normal(2, 2, 4, 5)),
        case("concat along the last axis", "Concat", {"axis": -1}, Function(lambda a, b: torch.cat([a, b], -1)),
             normal(2, 3, 4), normal(2, 3, 5)),
        case("split", "Split", {"parts": 3}, Function(lambda x: torch.chunk(x, 3, 1)), normal(2, 6, 4, 5)),
        case("split into sizes", "Split", {"sizes": [1, 2, 1], "axis": 1},
             Function(lambda x: torch.split(x, [1, 2, 1], 2)), normal(*image)),
        case("max pool", "MaxPool2D", {}, NN.MaxPool2d(2), normal(*image)),
        case("max pool with overlap", "MaxPool2D", {"size": 3, "stride": 2, "padding": 1}, NN.MaxPool2d(3, 2, 1),
             normal(*image)),
        case("uneven max pool", "MaxPool2D", {"size": [3, 2], "stride": [1, 3], "padding": [1, 0]},
             NN.MaxPool2d((3, 2), (1, 3), (1, 0)), normal(*image)),
        case("same max pool", "MaxPool2D", {"padding": "same"}, NN.MaxPool2d(2, ceil_mode=True), normal(*image)),
        case("average pool", "AveragePool2D", {}, NN.AvgPool2d(2), normal(*image)),
        case("average pool with padding", "AveragePool2D", {"size": 3, "stride": 2, "padding": 1},
             NN.AvgPool2d(3, 2, 1, count_include_pad=False), normal(*image)),
        case("average pool that counts padding", "AveragePool2D",
             {"size": [3, 2], "stride": 1, "padding": [1, 1], "count_padding": True},
             NN.AvgPool2d((3, 2), 1, (1, 1)), normal(*image)),
        case("global max pool", "GlobalMaxPool", {}, Function(lambda x: x.amax((2, 3))), normal(*image)),
        case("zero pad", "ZeroPad2D", {"padding": [1, 2, 3, 0]}, NN.ZeroPad2d((3, 0, 1, 2)), normal(*image)),
        case("upsample", "Upsample2D", {"scale": [2, 3]}, NN.Upsample(scale_factor=(2, 3)), normal(*image)),
        case("bilinear upsample", "Upsample2D", {"scale": [2, 3], "mode": "bilinear"},
             NN.Upsample(scale_factor=(2, 3), mode="bilinear"), normal(*image)),
        embedding_case(numbers),
    ]


def embedding_case(numbers):
    """Rows that are asked for twice get the sum of both gradients."""
    indices = torch.tensor([[0, 4, 2], [4, 4, 1]])
    d_output = numbers.normal(2, 3, 3)
    module = numbers.with_parameters(NN.Embedding(5, 3))
    output = module(indices)
    output.backward(d_output)
    return {
        "name": "embedding", "layer": "Embedding", "options": {"rows": 5, "units": 3},
        "input": tensor(indices.double()), "parameters": {"weight": tensor(module.weight)}, "output": tensor(output),
        "d_output": tensor(d_output), "d_input": tensor(torch.zeros(2, 3)),
        "d_parameters": {"weight": tensor(module.weight.grad)}, "state": {},
    }


def loss_cases(numbers):
    normal = numbers.normal

    def case(name, loss, options, function, prediction, target):
        """`function` gives a loss per sample; the value is its mean."""
        prediction = prediction.clone().requires_grad_()
        value = function(prediction, target).mean()
        value.backward()
        return {"name": name, "loss": loss, "options": options, "prediction": tensor(prediction),
                "target": tensor(target), "value": value.item(), "d_prediction": tensor(prediction.grad)}

    labels = torch.tensor([0, 3, 1, 2, 3])
    weights = [0.5, 2.0, 0.0, 1.25]
    class_weights = torch.tensor(weights, dtype=torch.float64)
    signs = torch.tensor([1.0, -1.0, -1.0, 1.0, 1.0, -1.0, 1.0, 1.0], dtype=torch.float64).reshape(4, 2)
    chances = torch.rand(4, 3, generator=numbers.generator, dtype=torch.float64)
    shares = torch.softmax(normal(4, 3), -1)
    shares[1] = torch.tensor([0.0, 0.25, 0.75])

    def per_sample(function, **options):
        return lambda x, t: function(x, t, reduction="none", **options)

    def mean_of_rows(function, **options):
        return lambda x, t: function(x, t, reduction="none", **options).flatten(1).mean(1)

    return [
        case("label smoothing", "CrossEntropy", {"label_smoothing": 0.1},
             per_sample(F.cross_entropy, label_smoothing=0.1), normal(5, 4), labels),
        case("class weights", "CrossEntropy", {"class_weights": weights},
             per_sample(F.cross_entropy, weight=class_weights), normal(5, 4), labels),
        case("smoothing, weights and large logits", "CrossEntropy", {"label_smoothing": 0.2, "class_weights": weights},
             per_sample(F.cross_entropy, weight=class_weights, label_smoothing=0.2), normal(5, 4) * 100, labels),
        case("negative log likelihood", "NegativeLogLikelihood", {}, per_sample(F.nll_loss), normal(5, 4), labels),
        case("weighted negative log likelihood", "NegativeLogLikelihood", {"class_weights": weights},
             per_sample(F.nll_loss, weight=class_weights), normal(5, 4), labels),
        case("binary cross entropy", "BinaryCrossEntropy", {}, mean_of_rows(F.binary_cross_entropy_with_logits),
             normal(4, 3) * 5, chances),
        case("binary cross entropy with a weight", "BinaryCrossEntropy", {"positive_weight": 3.5},
             mean_of_rows(F.binary_cross_entropy_with_logits, pos_weight=torch.tensor(3.5).double()),
             normal(4, 3) * 5, chances),
        case("binary cross entropy of large logits", "BinaryCrossEntropy", {},
             mean_of_rows(F.binary_cross_entropy_with_logits), normal(4, 3) * 500, (chances > 0.5).double()),
        case("mean absolute error", "MeanAbsoluteError", {}, mean_of_rows(F.l1_loss), normal(4, 3), normal(4, 3)),
        case("huber", "Huber", {}, mean_of_rows(F.huber_loss), normal(4, 3) * 2, normal(4, 3)),
        case("huber with delta", "Huber", {"delta": 0.3}, mean_of_rows(F.huber_loss, delta=0.3), normal(4, 3),
             normal(4, 3)),
        case("kl divergence from log-probabilities", "KLDivergence", {"from": "log_probabilities"},
             lambda x, t: F.kl_div(x, t, reduction="none").sum(1), normal(4, 3), shares),
        case("kl divergence from logits", "KLDivergence", {},
             lambda x, t: F.kl_div(F.log_softmax(x, -1), t, reduction="none").sum(1), normal(4, 3) * 3, shares),
        case("kl divergence from probabilities", "KLDivergence", {"from": "probabilities"},
             lambda x, t: F.kl_div(x.log(), t, reduction="none").sum(1), torch.softmax(normal(4, 3), -1), shares),
        case("hinge", "Hinge", {}, lambda x, t: torch.clamp(1 - t * x, min=0).mean(1), normal(4, 2), signs),
        case("hinge of classes", "Hinge", {}, per_sample(F.multi_margin_loss), normal(5, 4), labels),
        case("squared hinge of classes", "Hinge", {"squared": True, "margin": 1.5},
             per_sample(F.multi_margin_loss, p=2, margin=1.5), normal(5, 4), labels),
    ]


# --- metrics, from their definitions ----------------------------------------------------------------------------------


def metric_cases(numbers):
    scores = numbers.normal(60, 4).numpy()
    labels = (np.arange(60) * 7 // 3) % 3  # class 3 never occurs
    predicted = scores.argmax(1)
    confusion = np.zeros((4, 4))
    for label, guess in zip(labels, predicted):
        confusion[label, guess] += 1
    both = np.diag(confusion)
    precision = [both[c] / max(1, confusion[:, c].sum()) for c in range(4)]
    recall = [both[c] / max(1, confusion[c].sum()) for c in range(4)]
    f1 = [2 * both[c] / max(1, confusion[:, c].sum() + confusion[c].sum()) for c in range(4)]
    order = np.argsort(-scores, axis=1)
    logit = numbers.normal(50, 1).numpy()
    side = (numbers.normal(50).numpy() + logit[:, 0] > 0.3).astype(int)
    pairs = [(p > n) + 0.5 * (p == n) for p in logit[side == 1, 0] for n in logit[side == 0, 0]]
    x, t = numbers.normal(20, 3).numpy(), numbers.normal(20, 3).numpy()
    r2 = 1 - ((x - t) ** 2).sum(0) / ((t - t.mean(0)) ** 2).sum(0)

    def case(metric, options, scores, target, results):
        return {"metric": metric, "options": options, "prediction": tensor(scores), "target": tensor(target),
                "results": [float(value) for value in np.asarray(results).reshape(-1)]}

    cases = [case("TopK", {"k": k}, scores, labels, np.mean([l in o[:k] for l, o in zip(labels, order)]))
             for k in (1, 2, 4)]
    for name, values in (("Precision", precision), ("Recall", recall), ("F1", f1)):
        cases += [
            case(name, {"average": "macro"}, scores, labels, np.mean(values)),
            case(name, {"average": "micro"}, scores, labels, both.sum() / 60),
            case(name, {"average": "per_class"}, scores, labels, values),
            case(name, {"of_class": 1}, scores, labels, values[1]),
        ]
    return cases + [
        case("ConfusionMatrix", {}, scores, labels, confusion),
        case("ConfusionMatrix", {"normalize": True}, scores, labels,
             confusion / np.maximum(1, confusion.sum(1, keepdims=True))),
        case("AUC", {"bins": 1000000}, logit, side, np.mean(pairs)),
        case("MeanSquaredError", {}, x, t, ((x - t) ** 2).mean()),
        case("MeanAbsoluteError", {}, x, t, np.abs(x - t).mean()),
        case("R2", {}, x, t, r2.mean()),
    ]


# --- optimizers and schedules -----------------------------------------------------------------------------------------


class Lion:
    """Algorithm 2 of arXiv:2302.06675."""

    def __init__(self, parameters, lr, beta1, beta2, weight_decay):
        self.w, = parameters
        self.m = torch.zeros_like(self.w)
        self.lr, self.beta1, self.beta2, self.weight_decay = lr, beta1, beta2, weight_decay

    @torch.no_grad()
    def step(self):
        c = self.beta1 * self.m + (1 - self.beta1) * self.w.grad
        self.w -= self.lr * (torch.sign(c) + self.weight_decay * self.w)
        self.m = self.beta2 * self.m + (1 - self.beta2) * self.w.grad


class LAMB:
    """Algorithm 2 of arXiv:1904.00962, with the identity for phi; one parameter is one layer."""

    def __init__(self, parameters, lr, beta1, beta2, eps, weight_decay):
        self.w, = parameters
        self.m, self.v, self.steps = torch.zeros_like(self.w), torch.zeros_like(self.w), 0
        self.lr, self.beta1, self.beta2, self.eps, self.weight_decay = lr, beta1, beta2, eps, weight_decay

    @torch.no_grad()
    def step(self):
        self.steps += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * self.w.grad
        self.v = self.beta2 * self.v + (1 - self.beta2) * self.w.grad ** 2
        m = self.m / (1 - self.beta1 ** self.steps)
        v = self.v / (1 - self.beta2 ** self.steps)
        r = m / (v.sqrt() + self.eps) + self.weight_decay * self.w
        self.w -= self.lr * self.w.norm() / r.norm() * r


def optimizer_cases(numbers, steps=20, rows=8, size=6):
    a, b, start = numbers.normal(rows, size), numbers.normal(rows), numbers.normal(size)

    def case(name, optimizer, options, make):
        w = start.clone().requires_grad_()
        update = make([w])
        points = []
        for _ in range(steps):
            w.grad = a.T @ (a @ w.detach() - b) / rows
            update.step()
            points.append(w.tolist())
        return {"name": name, "optimizer": optimizer, "options": options, "trajectory": points}

    def adam_like(optimizer, make, lr, beta1=0.9, beta2=0.999, eps=1e-8, **more):
        options = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, **more}
        return case(optimizer.lower(), optimizer, options,
                    lambda w: make(w, lr=lr, betas=(beta1, beta2), eps=eps, **more))

    def nadam(w, **options):
        # Its product of momenta is a tensor of the default type; the single-tensor path of 1.13 squares a factor of it.
        return torch.optim.NAdam(w, foreach=True, **options)

    def rmsprop(**options):
        names = {**options}
        names["alpha"] = names.pop("rho")
        return case("rmsprop", "RMSprop", options, lambda w: torch.optim.RMSprop(w, **names))

    def adagrad(initial=0.0, **options):
        return case("adagrad", "Adagrad", {"initial_accumulator": initial, **options},
                    lambda w: torch.optim.Adagrad(w, initial_accumulator_value=initial, **options))

    def lion(**options):
        return case("lion", "Lion", options, lambda w: Lion(w, **options))

    def lamb(**options):
        return case("lamb", "LAMB", options, lambda w: LAMB(w, **options))

    return {
        "a": tensor(a), "b": tensor(b), "start": tensor(start),
        "cases": [
            adam_like("AdamW", torch.optim.AdamW, 0.05, weight_decay=0.01),
            adam_like("AdamW", torch.optim.AdamW, 0.05, 0.8, 0.95, 1e-3, weight_decay=0.2),
            adam_like("NAdam", nadam, 0.05, momentum_decay=4e-3),
            adam_like("NAdam", nadam, 0.05, 0.8, 0.95, 1e-3, momentum_decay=0.05, weight_decay=0.1),
            rmsprop(lr=0.01, rho=0.99),
            rmsprop(lr=0.01, rho=0.9, momentum=0.9, weight_decay=0.05, eps=1e-6),
            rmsprop(lr=0.01, rho=0.95, momentum=0.5, centered=True),
            adagrad(lr=0.1),
            adagrad(lr=0.1, initial=0.1, weight_decay=0.05, eps=1e-6),
            case("adadelta", "Adadelta", {"lr": 1.0}, lambda w: torch.optim.Adadelta(w, lr=1.0)),
            case("adadelta", "Adadelta", {"lr": 0.5, "rho": 0.95, "eps": 1e-3, "weight_decay": 0.1},
                 lambda w: torch.optim.Adadelta(w, lr=0.5, rho=0.95, eps=1e-3, weight_decay=0.1)),
            lion(lr=0.01, beta1=0.9, beta2=0.99, weight_decay=0.1),
            lamb(lr=0.05, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.0),
            lamb(lr=0.02, beta1=0.8, beta2=0.95, eps=1e-3, weight_decay=0.1),
        ],
    }


def schedule_cases(total=60, per_epoch=6):
    """Factors of a learning rate of 1 at each step; PyTorch's scheduler is stepped every `every` of them."""
    schedulers = torch.optim.lr_scheduler

    def case(schedule, options, make, every=1):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        scheduler = make(optimizer)
        factors = []
        for step in range(total):
            factors.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if (step + 1) % every == 0 and step + 1 < total:
                scheduler.step()
        return {"schedule": schedule, "options": options, "total": total, "per_epoch": per_epoch, "factors": factors}

    return [
        case("Step", {"every": 3, "gamma": 0.5}, lambda o: schedulers.StepLR(o, 3, 0.5), per_epoch),
        case("Step", {"every": 7, "gamma": 0.9, "unit": "steps"}, lambda o: schedulers.StepLR(o, 7, 0.9)),
        case("MultiStep", {"milestones": [2, 3, 8], "gamma": 0.2}, lambda o: schedulers.MultiStepLR(o, [2, 3, 8], 0.2),
             per_epoch),
        case("Exponential", {"gamma": 0.8}, lambda o: schedulers.ExponentialLR(o, 0.8), per_epoch),
        case("Exponential", {"gamma": 0.97, "unit": "steps"}, lambda o: schedulers.ExponentialLR(o, 0.97)),
        case("Polynomial", {}, lambda o: schedulers.PolynomialLR(o, total, 1.0)),
        case("Polynomial", {"power": 2.5}, lambda o: schedulers.PolynomialLR(o, total, 2.5)),
        case("OneCycle", {}, lambda o: schedulers.OneCycleLR(o, 1.0, total_steps=total, cycle_momentum=False)),
        case("OneCycle", {"rise": 0.45, "start_divisor": 10, "final_divisor": 100, "shape": "linear"},
             lambda o: schedulers.OneCycleLR(o, 1.0, total_steps=total, pct_start=0.45, div_factor=10,
                                             final_div_factor=100, anneal_strategy="linear", cycle_momentum=False)),
    ]


def plateau_cases(total=60, per_epoch=3):
    """As schedule_cases, with a figure after every epoch for ReduceLROnPlateau to follow."""
    falling = [5, 4, 3, 3.00005, 3, 2.9999, 2.9998, 3, 3.1, 3.2, 2, 2, 2, 2, 2, 2, 1.5, 1.6, 1.7, 1.8]
    rising = [0.1, 0.3, 0.2, 0.3, 0.31, 0.3, 0.2, 0.5, 0.5, 0.5, 0.5, 0.50001, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.1, 0.9]

    def case(mode, figures, options, **theirs):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode=mode, eps=0.0, **theirs)
        factors = []
        for step in range(total):
            factors.append(optimizer.param_groups[0]["lr"])
            if (step + 1) % per_epoch == 0:
                scheduler.step(figures[step // per_epoch])
        return {"schedule": "ReduceOnPlateau", "options": options, "total": total, "per_epoch": per_epoch,
                "higher_is_better": mode == "max", "figures": figures, "factors": factors}

    return [
        case("min", falling, {"patience": 1}, patience=1),
        case("min", falling, {"gamma": 0.5, "patience": 2, "threshold": 0.01}, factor=0.5, patience=2, threshold=0.01),
        case("min", falling, {"gamma": 0.3, "patience": 0, "threshold": 0.2, "relative": False, "cooldown": 2},
             factor=0.3, patience=0, threshold=0.2, threshold_mode="abs", cooldown=2),
        case("max", rising, {"gamma": 0.5, "patience": 1, "least": 0.2}, factor=0.5, patience=1, min_lr=0.2),
        case("max", rising, {"gamma": 0.5, "patience": 1, "threshold": 0.05, "relative": False, "cooldown": 1},
             factor=0.5, patience=1, threshold=0.05, threshold_mode="abs", cooldown=1),
    ]


def soft_label_cases(numbers):
    """CrossEntropy with a share for each class."""
    weights = [0.5, 2.0, 0.0, 1.25]

    def case(name, options, **theirs):
        prediction = numbers.normal(5, 4).requires_grad_()
        shares = torch.softmax(numbers.normal(5, 4) * 2, -1)
        shares[1] = torch.tensor([0.0, 0.25, 0.75, 0.0])
        value = F.cross_entropy(prediction, shares, **theirs)
        value.backward()
        return {"name": name, "loss": "CrossEntropy", "options": options, "prediction": tensor(prediction),
                "target": tensor(shares), "value": value.item(), "d_prediction": tensor(prediction.grad)}

    return [
        case("shares", {}),
        case("shares, smoothing and weights", {"label_smoothing": 0.2, "class_weights": weights}, label_smoothing=0.2,
             weight=torch.tensor(weights)),
    ]


def library(seed):
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        numbers = Numbers(seed)
        return {
            "source": f"PyTorch {torch.__version__}",
            "layers": layer_cases(numbers) + batch_renorm.batch_renorm_cases(Numbers(seed + 1), tensor)
            + convolution_fixtures.convolution_cases(Numbers(seed + 2), layer_case),
            "losses": loss_cases(numbers) + soft_label_cases(Numbers(seed + 1)),
            "metrics": metric_cases(numbers),
            "optimizers": optimizer_cases(numbers),
            "schedules": schedule_cases() + plateau_cases(),
        }
    finally:
        torch.set_default_dtype(default)
