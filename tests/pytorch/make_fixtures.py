#!/usr/bin/python3
"""Makes the reference numbers in tests/fixtures/ from sources independent of Strata: PyTorch in f64, and numpy.

  apt-get install --no-install-recommends python3-torch libopenblas0-openmp
  tests/pytorch/make_fixtures.py             # writes tests/fixtures/*.json, in half a minute

The formats stand in tests/fixtures/README.md. The numbers are the same in every run on one machine; on another one the
last digits of some may differ, because the linear algebra library picks its kernels by processor.
"""

import argparse
import gzip
import json
import math
import os
import pathlib

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # noqa: E402 (the number of threads is read when the libraries load)
import torch  # noqa: E402

import library_fixtures  # noqa: E402

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures"
SEED = 1234


# --- files ------------------------------------------------------------------------------------------------------------


def read_idx(folder, name):
    """Returns the bytes of an IDX file, raw or gzipped, as an array of the shape that its header states."""
    path = folder / name
    data = path.read_bytes() if path.exists() else gzip.open(f"{path}.gz").read()
    rank = data[3]
    shape = np.frombuffer(data, dtype=">u4", count=rank, offset=4)
    return np.frombuffer(data, dtype=np.uint8, offset=4 + 4 * rank).reshape(shape)


def mnist_folder():
    """Returns the folder of the four MNIST files, where ./bazelw puts them or under STRATA_DATA."""
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    candidates = [pathlib.Path(cache) / "strata/datasets/mnist"]
    if os.environ.get("STRATA_DATA"):
        candidates.insert(0, pathlib.Path(os.environ["STRATA_DATA"]) / "mnist")
    for folder in candidates:
        if list(folder.glob("train-images-idx3-ubyte*")):
            return folder
    raise SystemExit(f"MNIST is in none of {', '.join(map(str, candidates))}: run ./bazelw once to fetch it")


def to_json(value, indent=0):
    """JSON with one key a line and arrays of numbers on one line; floats print so that they read back exactly."""
    pad = "  " * (indent + 1)
    if isinstance(value, dict):
        items = [f"{pad}{json.dumps(key)}: {to_json(item, indent + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + "\n" + "  " * indent + "}"
    if isinstance(value, list) and value and isinstance(value[0], (dict, list)):
        return "[\n" + ",\n".join(pad + to_json(item, indent + 1) for item in value) + "\n" + "  " * indent + "]"
    return json.dumps(value, allow_nan=False)


def write(name, value):
    path = FIXTURES / name
    path.write_text(to_json(value) + "\n")
    print(f"{path.relative_to(FIXTURES.parent.parent)}: {path.stat().st_size} bytes")


def tensor(array):
    """An array as its shape and its values in row-major order."""
    array = np.asarray(array.detach() if isinstance(array, torch.Tensor) else array)
    return {"shape": list(array.shape), "values": array.reshape(-1).tolist()}


# --- starting values --------------------------------------------------------------------------------------------------


def uniform(first, count, seed=SEED):
    """Elements first, first + 1, … of the stream of `seed`: splitmix64 of seed + element, its top 53 bits over 2^53."""
    with np.errstate(over="ignore"):
        z = np.arange(first, first + count, dtype=np.uint64) + np.uint64(seed) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def set_starting_weights(model):
    """Dense parameters from the formula, in the order of the network; batch norms keep scale 1 and shift 0."""
    first = 0
    for layer in model:
        if isinstance(layer, torch.nn.Linear):
            bound = 1.0 / math.sqrt(layer.in_features)
            for parameter in (layer.weight, layer.bias):
                values = (2.0 * uniform(first, parameter.numel()) - 1.0) * bound
                first += parameter.numel()
                with torch.no_grad():
                    parameter.copy_(torch.from_numpy(values).reshape(parameter.shape))


# --- a real run -------------------------------------------------------------------------------------------------------

PERCEPTRON_NAMES = {"0": "dense1", "1": "norm1", "3": "dense2", "4": "norm2", "6": "dense3"}


def perceptron(dtype):
    """The batch-norm perceptron of models/mnist_mlp_bn.model, with PyTorch's conventions (eps 1e-5, momentum 0.1)."""
    nn = torch.nn
    model = nn.Sequential(
        nn.Linear(784, 256), nn.BatchNorm1d(256), nn.ReLU(),
        nn.Linear(256, 128), nn.BatchNorm1d(128), nn.ReLU(),
        nn.Linear(128, 10),
    ).to(dtype)
    set_starting_weights(model)
    return model


def parameter_name(name):
    module, kind = name.split(".")
    return f"{PERCEPTRON_NAMES[module]}.{kind}"


def digest(values):
    """What is kept of a parameter: sums, and up to 64 entries spread over rows and columns."""
    flat = values.detach().reshape(-1).double()
    indices = [(400 + 7919 * k) % flat.numel() for k in range(min(64, flat.numel()))]
    return {
        "shape": list(values.shape),
        "sum": math.fsum(flat.tolist()),
        "sum_of_squares": math.fsum((flat * flat).tolist()),
        "indices": indices,
        "values": flat[indices].tolist(),
    }


def digests(model):
    return {parameter_name(name): digest(parameter) for name, parameter in model.named_parameters()}


def train_perceptron(dtype, images, labels, steps, batch, eps=1e-8):
    """Trains on the samples in order. Returns the model and the loss of each step, before its update."""
    model = perceptron(dtype)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=eps)
    losses = []
    for step in range(steps):
        samples = slice(step * batch, (step + 1) * batch)
        loss = torch.nn.functional.cross_entropy(model(images[samples].to(dtype)), labels[samples])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


def f32_deviation(images, labels, steps, batch, expected, runs=6):
    """How far PyTorch's own f32 runs stray from `expected`, the f64 losses, when each batch's samples change places.

    That changes nothing but the rounding of sums, so it tells what may be asked of any f32 implementation.
    """
    deviations = []
    for k in range(runs):
        generator = torch.Generator().manual_seed(k)
        order = torch.cat([step * batch + torch.randperm(batch, generator=generator) for step in range(steps)])
        _, losses = train_perceptron(torch.float32, images[order], labels[order], steps, batch)
        deviations.append(np.abs(np.array(losses) / np.array(expected) - 1))
    return {
        "runs": runs,
        "max_of_first_10_steps": max(float(run[:10].max()) for run in deviations),
        "max": max(float(run.max()) for run in deviations),
        "root_mean_square": max(float(np.sqrt((run**2).mean())) for run in deviations),
    }



def mnist_run(steps=200, batch=64, validation=1000):
    folder = mnist_folder()

    def split(prefix, count):
        images = read_idx(folder, f"{prefix}-images-idx3-ubyte")[:count].reshape(count, 784)
        labels = read_idx(folder, f"{prefix}-labels-idx1-ubyte")[:count]
        pixels = (images.astype(np.float64) / 255 - 0.1307) / 0.3081
        return torch.from_numpy(pixels), torch.from_numpy(labels.astype(np.int64))

    images, labels = split("train", steps * batch)
    model, losses = train_perceptron(torch.float64, images, labels, steps, batch)
    model32, losses32 = train_perceptron(torch.float32, images, labels, steps, batch)

    def losses_with_eps(dtype, eps):
        return train_perceptron(dtype, images, labels, steps, batch, eps)[1]

    test_images, test_labels = split("t10k", validation)

    def evaluate(net, dtype):
        net.eval()
        with torch.no_grad():
            logits = net(test_images.to(dtype))
        return {
            "loss": torch.nn.functional.cross_entropy(logits, test_labels).item(),
            "correct": int((logits.argmax(1) == test_labels).sum()),
        }

    write("mnist_mlp_bn_adam_200.json", {
        "source": f"PyTorch {torch.__version__}",
        "batch_size": batch,
        "steps": steps,
        "seed": SEED,
        "eps": 1e-8,
        "losses_f64": losses,
        "losses_f32": losses32,
        "f32_deviation": f32_deviation(images, labels, steps, batch, losses),
        "stable": {
            "eps": 1e-5,
            "losses_f64": losses_with_eps(torch.float64, 1e-5),
            "losses_f32": losses_with_eps(torch.float32, 1e-5),
        },
        "start": digests(perceptron(torch.float64)),
        "end": digests(model),
        "running": {
            parameter_name(name): buffer.tolist()
            for name, buffer in model.named_buffers() if "num_batches" not in name
        },
        "validation_samples": validation,
        "validation_f64": evaluate(model, torch.float64),
        "validation_f32": evaluate(model32, torch.float32),
    })


# --- Keras' batch norm ------------------------------------------------------------------------------------------------


def keras_batch_norm(decay=0.99, eps=1e-3, batches=4, rows=8, features=5):
    """The formula of keras.layers.BatchNormalization (Ioffe & Szegedy, 2015, arXiv:1502.03167), in numpy."""
    random = np.random.default_rng(SEED)
    gamma = random.uniform(0.5, 1.5, features)
    beta = random.uniform(-1, 1, features)
    mean, var = np.zeros(features), np.ones(features)
    steps = []
    for k in range(batches):
        # Offsets and spreads differ by feature and batch, so that the running figures have something to follow.
        x = random.normal(size=(rows, features)) * (1 + np.arange(features)) + 3 * k - np.arange(features)
        dy = random.normal(size=(rows, features))
        batch_mean = x.mean(0)
        batch_var = ((x - batch_mean) ** 2).mean(0)  # biased: over rows, not rows - 1
        inverse = 1 / np.sqrt(batch_var + eps)
        normal = (x - batch_mean) * inverse
        d_normal = dy * gamma
        dx = inverse / rows * (rows * d_normal - d_normal.sum(0) - normal * (d_normal * normal).sum(0))
        mean = decay * mean + (1 - decay) * batch_mean
        var = decay * var + (1 - decay) * batch_var
        steps.append({
            "input": tensor(x),
            "output": tensor(gamma * normal + beta),
            "d_output": tensor(dy),
            "d_input": tensor(dx),
            "d_weight": tensor((dy * normal).sum(0)),
            "d_bias": tensor(dy.sum(0)),
            "running_mean": tensor(mean),
            "running_var": tensor(var),
        })
    x = random.normal(size=(3, features)) * 4
    write("batchnorm_keras.json", {
        "source": "numpy, from the formula",
        "decay": decay,
        "eps": eps,
        "running_variance": "biased",
        "weight": tensor(gamma),
        "bias": tensor(beta),
        "steps": steps,
        "inference": {"input": tensor(x), "output": tensor(gamma * (x - mean) / np.sqrt(var + eps) + beta)},
    })


# --- layers, losses, optimizers ---------------------------------------------------------------------------------------


def layer_case(name, layer, options, module, x, d_output):
    """One layer in training: outputs, gradients, state after it; for a layer with state, inference after that too."""
    x = x.clone().requires_grad_()
    case = {"name": name, "layer": layer, "options": options, "input": tensor(x)}
    case["parameters"] = {key: tensor(value) for key, value in module.named_parameters()}
    output = module(x)
    output.backward(d_output)
    case["output"] = tensor(output)
    case["d_output"] = tensor(d_output)
    case["d_input"] = tensor(x.grad)
    case["d_parameters"] = {key: tensor(value.grad) for key, value in module.named_parameters()}
    case["state"] = {key: tensor(value) for key, value in module.named_buffers() if value.dim() > 0}
    if case["state"]:
        module.eval()
        case["inference_output"] = tensor(module(x))
    return case


def layer_cases(generator):
    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    def with_parameters(module):
        module = module.double()
        for parameter in module.parameters():
            parameter.data = normal(*parameter.shape)
        return module

    nn = torch.nn
    linear = {"units": 3}
    norm = {"eps": 1e-5, "decay": 0.9, "running_variance": "unbiased"}
    return [
        layer_case("dense", "Dense", linear, with_parameters(nn.Linear(4, 3)), normal(5, 4), normal(5, 3)),
        layer_case("dense without bias", "Dense", {**linear, "bias": False},
                   with_parameters(nn.Linear(4, 3, bias=False)), normal(5, 4), normal(5, 3)),
        layer_case("batch norm", "BatchNorm", norm, with_parameters(nn.BatchNorm1d(4)), normal(6, 4), normal(6, 4)),
        layer_case("batch norm of two samples", "BatchNorm", norm, with_parameters(nn.BatchNorm1d(3)), normal(2, 3),
                   normal(2, 3)),
        # A mean of 1000 beside a deviation of 1 shows a variance that is computed as E[x²] − E[x]².
        layer_case("batch norm far from zero", "BatchNorm", norm, with_parameters(nn.BatchNorm1d(4)),
                   normal(6, 4) + 1000, normal(6, 4)),
        layer_case("batch norm without scale and shift", "BatchNorm", {**norm, "scale": False, "shift": False},
                   with_parameters(nn.BatchNorm1d(4, affine=False)), normal(6, 4), normal(6, 4)),
        layer_case("relu", "ReLU", {}, nn.ReLU(), normal(5, 4), normal(5, 4)),
        layer_case("softmax", "Softmax", {}, nn.Softmax(dim=1), normal(5, 4) * 3, normal(5, 4)),
        layer_case("softmax of large values", "Softmax", {}, nn.Softmax(dim=1), normal(5, 4) * 300, normal(5, 4)),
    ]


def loss_case(name, loss, module, prediction, target):
    prediction = prediction.clone().requires_grad_()
    value = module(prediction, target)
    value.backward()
    return {
        "name": name,
        "loss": loss,
        "prediction": tensor(prediction),
        "target": tensor(target),
        "value": value.item(),
        "d_prediction": tensor(prediction.grad),
    }


def loss_cases(generator):
    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    nn = torch.nn
    labels = torch.tensor([0, 3, 1, 2, 3])
    return [
        loss_case("cross entropy", "CrossEntropy", nn.CrossEntropyLoss(), normal(5, 4), labels),
        loss_case("cross entropy of large logits", "CrossEntropy", nn.CrossEntropyLoss(), normal(5, 4) * 500, labels),
        loss_case("mean squared error", "MeanSquaredError", nn.MSELoss(), normal(5, 4), normal(5, 4)),
    ]


def optimizer_cases(generator, steps=20, rows=8, size=6):
    """Trajectories on f(w) = |A w - b|² / (2 rows), whose gradient is Aᵀ (A w - b) / rows."""
    a = torch.randn(rows, size, generator=generator, dtype=torch.float64)
    b = torch.randn(rows, generator=generator, dtype=torch.float64)
    start = torch.randn(size, generator=generator, dtype=torch.float64)

    def trajectory(name, optimizer, options, make):
        w = start.clone().requires_grad_()
        update = make([w])
        points = []
        for _ in range(steps):
            w.grad = a.T @ (a @ w.detach() - b) / rows
            update.step()
            points.append(w.tolist())
        return {"name": name, "optimizer": optimizer, "options": options, "trajectory": points}

    def sgd(name, **options):
        return trajectory(name, "SGD", options, lambda w: torch.optim.SGD(w, **options))

    def adam(name, lr, beta1=0.9, beta2=0.999, eps=1e-8):
        options = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps}
        return trajectory(name, "Adam", options, lambda w: torch.optim.Adam(w, lr=lr, betas=(beta1, beta2), eps=eps))

    return {
        "a": tensor(a),
        "b": tensor(b),
        "start": tensor(start),
        "cases": [
            sgd("plain", lr=0.1),
            sgd("momentum", lr=0.1, momentum=0.9),
            sgd("nesterov", lr=0.1, momentum=0.9, nesterov=True),
            sgd("weight decay", lr=0.1, weight_decay=0.05),
            sgd("momentum and weight decay", lr=0.1, momentum=0.9, weight_decay=0.05),
            sgd("nesterov and weight decay", lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.05),
            adam("adam", lr=0.05),
            adam("adam with other constants", lr=0.05, beta1=0.8, beta2=0.95, eps=1e-3),
        ],
    }


def layers():
    generator = torch.Generator().manual_seed(SEED)
    write("layers.json", {
        "source": f"PyTorch {torch.__version__}",
        "layers": layer_cases(generator),
        "losses": loss_cases(generator),
        "optimizers": optimizer_cases(generator),
    })


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    torch.set_num_threads(1)  # sums do not depend on the number of cores
    FIXTURES.mkdir(exist_ok=True)
    write("library.json", library_fixtures.library(SEED))
    layers()
    keras_batch_norm()
    mnist_run()


if __name__ == "__main__":
    main()
