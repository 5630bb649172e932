#!/usr/bin/env python3
"""Exports of write_cases.cc, read by the programs that they are for.

    compare.py WRITE_CASES RUN_ONNX_JS MODELS [onnx|onnxruntime|opencv|pytorch …]

The cases are those of cases.h, which use every layer between them, and the files of the folder MODELS. ONNX files pass
onnx' checker and give in ONNX Runtime and OpenCV what Strata computes, within 1e-5; weights give in PyTorch, and in
Keras' layouts (channels last, computed here with PyTorch's functions), what Strata computes, within 1e-6, and the other
way round. A program that is not installed is skipped and named. Ends with code 1 where something differs. CASES=1 in the
environment prints the difference of each case.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

WRITE_CASES, RUN_ONNX, MODELS, *ONLY = sys.argv[1:]
CHECKS = {}
# OpenCV 4.6 cannot read LayerNormalization and some Reshapes, and leaves padding out of means that it should count in.
OPENCV_CASES = ["perceptron", "network", "convolutions", "pools", "activations"]


class Skipped(Exception):
    """The program that is compared with is not here."""


def check(function):
    CHECKS[function.__name__] = function
    return function


def floats(path, shape):
    return np.fromfile(path, dtype=np.float32).reshape(shape)


def same(found, wanted, tolerance, what):
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.shape == wanted.shape, f"{what}: {found.shape}, not {wanted.shape}"
    scale = max(1.0, float(np.abs(wanted).max()))
    worst = float(np.abs(found - wanted).max()) / scale
    if os.environ.get("CASES"):
        print(f"  {what}: {worst:.2g}")
    assert worst <= tolerance, f"{what}: differs by {worst:.2g}"
    return worst


class Case:
    def __init__(self, folder, facts):
        self.folder, self.name, self.batch = folder, facts["name"], facts["batch"]
        self.inputs = floats(self.file("in"), [self.batch, *facts["in"]])
        self.wanted = floats(self.file("out"), [self.batch, *facts["out"]])

    def file(self, suffix):
        return str(self.folder / f"{self.name}.{suffix}")


@check
def onnx(cases):
    try:
        import onnx as package
    except ImportError:
        raise Skipped("apt-get install python3-onnx")
    for case in cases:
        model = package.load(case.file("onnx"))
        package.checker.check_model(model, full_check=True)
        assert [o.version for o in model.opset_import] == [17]
    return f"{len(cases)} files pass the checker of onnx {package.__version__}"


@check
def onnxruntime(cases):
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    packages = cache / "strata/benchmarks/onnxruntime"
    if not (packages / "node_modules/onnxruntime-node").exists():
        raise Skipped(f"npm install --prefix {packages} --ignore-scripts onnxruntime-node@1.30.0")
    subprocess.run(["node", RUN_ONNX, packages, cases[0].folder], check=True)
    worst = 0
    for case in cases:
        both = np.concatenate([case.wanted, case.wanted[:1]])
        worst = max(worst, same(floats(case.file("ort"), both.shape), both, 1e-5, case.name))
    return f"{len(cases)} models within {worst:.1g}"


def as_blob(array):
    """Python's OpenCV takes the last axis of three for the colours of an image: an axis of one keeps it from that."""
    return array[:, None] if array.ndim == 3 else array


@check
def opencv(cases):
    try:
        import cv2
    except ImportError:
        raise Skipped("apt-get install python3-opencv")
    worst, count = 0, 0
    for case in cases:
        if case.name not in OPENCV_CASES and not case.name.endswith(".model"):
            continue
        network = cv2.dnn.readNetFromONNX(case.file("onnx"))
        for batch in (case.batch, 1):
            network.setInput(as_blob(case.inputs[:batch]))
            worst = max(worst, same(network.forward(), case.wanted[:batch], 1e-5, case.name))
        count += 1
    return f"{count} models within {worst:.1g} in OpenCV {cv2.__version__}"


def read_safetensors(path):
    data = Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    types = {"F32": np.float32, "F64": np.float64, "I64": np.int64}
    tensors = {}
    for name, facts in header.items():
        if name != "__metadata__":
            begin, end = (8 + size + at for at in facts["data_offsets"])
            tensors[name] = np.frombuffer(data[begin:end], types[facts["dtype"]]).reshape(facts["shape"])
    return tensors


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, tensor in sorted(tensors.items()):
        tensor = np.ascontiguousarray(tensor)
        code = {"float32": "F32", "float16": "F16", "int64": "I64"}[str(tensor.dtype)]
        header[name] = {"dtype": code, "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + tensor.nbytes]}
        data += tensor.tobytes()
    text = json.dumps(header).encode()
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def torch_networks(nn):
    from collections import OrderedDict
    perceptron = nn.Sequential(OrderedDict(
        flatten=nn.Flatten(), fc1=nn.Linear(36, 16, bias=False), bn1=nn.BatchNorm1d(16), relu=nn.ReLU(),
        fc2=nn.Linear(16, 5), softmax=nn.Softmax(1)))
    network = nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(3, 8, 3, padding=1, bias=False), bn1=nn.BatchNorm2d(8), relu=nn.ReLU(),
        pool=nn.MaxPool2d(2), conv2=nn.Conv2d(8, 12, 3, stride=2, padding=1), leaky=nn.LeakyReLU(0.2),
        flatten=nn.Flatten(), bn2=nn.BatchNorm1d(108), fc1=nn.Linear(108, 7), tanh=nn.Tanh(),
        fc2=nn.Linear(7, 4)))
    # bn2 has a shift and no scale, which PyTorch cannot leave out.
    return {"perceptron": perceptron, "network": network}


def keras_forward(name, w, x, torch):
    """The two networks as Keras computes them: [batch, height, width, channels] between layers."""
    F = torch.nn.functional
    w = {key: torch.tensor(value) for key, value in w.items()}

    def conv(x, layer, **options):
        kernel = w[layer + "/kernel"].permute(3, 2, 0, 1)
        y = F.conv2d(x.permute(0, 3, 1, 2), kernel, w.get(layer + "/bias"), **options)
        return y.permute(0, 2, 3, 1)

    def norm(x, layer):
        y = (x - w[layer + "/moving_mean"]) / torch.sqrt(w[layer + "/moving_variance"] + 1e-5)
        return y * w.get(layer + "/gamma", torch.tensor(1.0)) + w[layer + "/beta"]

    def dense(x, layer):
        return x @ w[layer + "/kernel"] + w.get(layer + "/bias", torch.tensor(0.0))

    x = torch.tensor(x).permute(0, 2, 3, 1)
    if name == "perceptron":
        return torch.softmax(dense(F.relu(norm(dense(x.flatten(1), "fc1"), "bn1")), "fc2"), 1)
    x = F.relu(norm(conv(x, "conv1", padding=1), "bn1"))
    x = F.max_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
    x = F.leaky_relu(conv(x, "conv2", stride=2, padding=1), 0.2)
    return dense(torch.tanh(dense(norm(x.flatten(1), "bn2"), "fc1")), "fc2")


@check
def pytorch(cases):
    try:
        import torch
    except ImportError:
        raise Skipped("apt-get install python3-torch")
    torch.manual_seed(3)
    torch.set_num_threads(1)
    networks = torch_networks(torch.nn)
    cases = [case for case in cases if case.name in networks]
    worst, theirs = 0, {}
    with torch.no_grad():
        for case in cases:
            network, x = networks[case.name].eval(), torch.tensor(case.inputs)
            tensors = {k: torch.tensor(v) for k, v in read_safetensors(case.file("torch")).items()}
            if case.name == "network":
                tensors["bn2.weight"] = torch.ones(108)
            network.load_state_dict(tensors, strict=True)
            assert all(tensors[key].dtype == value.dtype for key, value in network.state_dict().items())
            worst = max(worst, same(network(x), case.wanted, 1e-6, f"{case.name} in PyTorch"))
            keras = read_safetensors(case.file("keras"))
            worst = max(worst, same(keras_forward(case.name, keras, case.inputs, torch), case.wanted, 1e-6,
                                    f"{case.name} in Keras' layout"))
            # The other way round, with other weights.
            state = network.state_dict()
            for key, value in state.items():
                if value.is_floating_point() and key != "bn2.weight":
                    state[key] = value * (1 + 0.2 * torch.rand_like(value))
            network.load_state_dict(state)
            theirs[case.name, "torch"] = network(x)
            exported = {k: v.numpy() for k, v in state.items()
                        if not (case.name == "network" and k == "bn2.weight")}
            write_safetensors(case.file("from_torch"), exported)
            keras = {k: (v * np.float32(1.1) if "variance" not in k else v) for k, v in keras.items()}
            theirs[case.name, "keras"] = keras_forward(case.name, keras, case.inputs, torch)
            write_safetensors(case.file("from_keras"), {k + ":0": v for k, v in keras.items()})
    subprocess.run([WRITE_CASES, "read", cases[0].folder], check=True)
    for case in cases:
        for kind in ("torch", "keras"):
            found = floats(case.file(f"from_{kind}.out"), case.wanted.shape)
            worst = max(worst, same(found, theirs[case.name, kind], 1e-6, f"{case.name} from {kind}"))
    return f"{len(cases)} models within {worst:.1g} of PyTorch {torch.__version__}, and of Keras' layout"


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([WRITE_CASES, "write", folder, MODELS], check=True)
        cases = [Case(folder, facts) for facts in json.loads((folder / "cases.json").read_text())]
        for what, function in CHECKS.items():
            if ONLY and what not in ONLY:
                continue
            try:
                print(f"{what}: {function(cases)}")
            except Skipped as missing:
                print(f"{what}: skipped, it is not on this machine: {missing}")
            except Exception as error:  # of whatever program it is
                failed = 1
                print(f"{what}: FAILED: {error}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
