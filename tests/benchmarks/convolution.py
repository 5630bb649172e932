#!/usr/bin/python3
"""Compares the training of convolutional nets with PyTorch's, turn and turn about: a small one and ResNet-20, batch 128.

  ./bazelw build //:trainer //tests/benchmarks:inference
  tests/benchmarks/convolution.py --rounds 5
  tests/benchmarks/convolution.py --only inference      # with the fusions and folded normalization, and without

Each round runs Strata on all threads, and PyTorch with one thread and with all, with images in its own layout (contiguous) and
in channels_last. Samples a second are those of the median step of a run, input included on Strata's side; PyTorch's setting
with the best figure counts, and its best one with contiguous images is given beside. Memory is the most that a process held.

Needs: apt-get install --no-install-recommends python3-torch libopenblas0-openmp
"""

import argparse
import json
import pathlib
import random
import struct

import measuring
from measuring import CORES, HERE, Ran, add_rounds, binary, copies, figure, progress, spread, trainer

# The input is a flat value of a synthetic data set, so that both sides work on numbers alone.
MODEL = """format 1
{blocks}
model {name}(point: [{features}]) -> logits {{
  point -> Reshape([{shape}])
        -> {body}
}}
data numbers = Synthetic(kind = "blobs", features = {features}, classes = 10, samples = 1280, val_samples = 10)
train {{
  loss = CrossEntropy(logits, label)
  optimizer = SGD(lr = 0.01, momentum = 0.9)
  batch_size = 128
  epochs = 1
}}
"""
NETS = {
    "small": {
        "features": 784, "shape": "1, 28, 28", "goal": 2,
        "blocks": """block stage(x, channels) -> y {
  y = x -> Conv2D(channels, padding = "same", bias = false) -> BatchNorm -> ReLU -> MaxPool2D(2)
}""",
        "body": "stage(32) -> stage(64) -> Flatten -> Dense(128, bias = false) -> BatchNorm -> ReLU -> Dense(10) as logits",
    },
    "resnet20": {
        "features": 3072, "shape": "3, 32, 32", "goal": 1.3,
        "blocks": """block conv_bn(x, channels, kernel = 3, stride = 1) -> y {
  y = x -> Conv2D(channels, kernel = kernel, stride = stride, padding = kernel // 2, bias = false) -> BatchNorm
}
block residual(x, channels, stride = 1) -> y {
  main = x -> conv_bn(channels, stride = stride) -> ReLU -> conv_bn(channels)
  skip = x -> if stride != 1 or x.channels != channels { conv_bn(channels, kernel = 1, stride = stride) }
  y    = Add(main, skip) -> ReLU
}""",
        "body": """conv_bn(16) -> ReLU
        -> for i, channels in [16, 32, 64] {
             residual(channels, stride = if i == 0 then 1 else 2) -> repeat 2 { residual(channels) }
           }
        -> GlobalAveragePool -> Dense(10) as logits""",
    },
}


def model_file(name):
    net = {key: value for key, value in NETS[name].items() if key != "goal"}
    path = copies() / f"{name}.model"
    path.write_text(MODEL.format(name=name, **net))
    return path


def strata(name, threads, program):
    ran = Ran([program, "time", model_file(name), "--threads", threads, "--json"])
    timing = ran.json()
    return {"samples_per_second": timing["samples_per_second"], "peak_megabytes": ran.peak_megabytes}


def pytorch(name, threads, layout):
    ran = Ran(["/usr/bin/python3", HERE / "pytorch_convolution.py", name, "--threads", threads, "--layout", layout,
               "--steps", 60 if name == "small" else 12])
    return {**[event for event in ran.events() if event["event"] == "steps"][0], "peak_megabytes": ran.peak_megabytes}


def compare(name, rounds, threads, program):
    runs = {"strata": lambda: strata(name, threads, program)}
    for own in sorted({1, threads}):
        for layout in ("contiguous", "channels_last"):
            runs[f"pytorch, threads {own}, {layout}"] = lambda own=own, layout=layout: pytorch(name, own, layout)
    results = {contestant: [] for contestant in runs}
    for number in range(rounds):
        for contestant, run in runs.items():
            results[contestant].append(run())
            progress(f"{name}, round {number + 1} of {rounds}: {contestant}: "
                     f"{results[contestant][-1]['samples_per_second']:,.0f} samples/s")
    rates = {contestant: spread([run["samples_per_second"] for run in ones]) for contestant, ones in results.items()}

    def ratio(ending):
        best = max((one for one in runs if one.startswith("pytorch") and one.endswith(ending)),
                   key=lambda one: figure(rates[one], True))
        return {"pytorch": best, "ratio": figure(rates["strata"], True) / figure(rates[best], True)}

    return {"net": name, "threads": threads, "goal": NETS[name]["goal"], "samples_per_second": rates,
            "best": ratio(""), "contiguous": ratio("contiguous"),
            "peak_megabytes": {one: max(run["peak_megabytes"] for run in ones) for one, ones in results.items()}}


def show(result):
    print(f"{result['net']}: a training step of 128 samples, {result['threads']} threads for Strata")
    for name, rates in result["samples_per_second"].items():
        print(f"  {name:<34} median {rates['median']:8,.0f} samples/s   from {rates['least']:8,.0f} to {rates['most']:8,.0f}"
              f"   peak {result['peak_megabytes'][name]:4.0f} MB")
    for key in ("best", "contiguous"):
        one = result[key]
        print(f"  strata is {one['ratio']:.2f} times as fast as {one['pytorch']} (goal {result['goal']})")


def inference(name, rounds):
    """Prediction on one thread: with fusions and normalization folded into the weights, and without either."""
    program, features = binary("tests/benchmarks/inference", "//tests/benchmarks:inference"), NETS[name]["features"]
    folder, numbers = copies(), random.Random(1)
    images = folder / f"{name}.f32"
    images.write_bytes(struct.pack(f"<{1024 * features}f", *(numbers.gauss(0, 1) for _ in range(1024 * features))))
    run = folder / f"{name}-run"
    Ran([trainer(), "train", model_file(name), "--run", run])  # so that statistics are not 0 and 1
    weights = run / "checkpoints/best.safetensors"
    results = {"fused": [], "plain": []}
    for number in range(rounds):
        for plan, ones in results.items():
            ones.append(Ran([program, model_file(name), weights, images, 1, plan]).json())
            progress(f"{name}, round {number + 1} of {rounds}: {plan}: {ones[-1]['samples_per_second']:,.0f} samples/s")
    return {"net": name, "plans": {plan: {
        "p50_microseconds": spread([one["single_microseconds"]["p50"] for one in ones]),
        "samples_per_second": spread([one["samples_per_second"] for one in ones]),
    } for plan, ones in results.items()}}


def show_inference(result):
    print(f"{result['net']}: prediction on one thread")
    for plan, figures in result["plans"].items():
        print(f"  {plan:<6} batch 1024: {figure(figures['samples_per_second'], True):8,.0f} samples/s   "
              f"batch 1: p50 {figure(figures['p50_microseconds']):7.1f} µs")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", nargs="+", default=list(NETS), choices=list(NETS))
    add_rounds(parser)
    parser.add_argument("--threads", type=int, default=CORES, help="for both sides")
    parser.add_argument("--trainer", type=pathlib.Path, help="default: bazel-bin/framework/app/trainer")
    parser.add_argument("--only", nargs="+", choices=["training", "inference"], default=["training"])
    parser.add_argument("--json", action="store_true", help="one JSON line a net instead of the table")
    args = parser.parse_args()
    measuring.best_rounds = args.best
    for name in args.nets:
        if "training" in args.only:
            result = compare(name, args.rounds, args.threads, args.trainer or trainer())
            print(json.dumps(result), flush=True) if args.json else show(result)
        if "inference" in args.only:
            result = inference(name, args.rounds)
            print(json.dumps(result), flush=True) if args.json else show_inference(result)


if __name__ == "__main__":
    main()
