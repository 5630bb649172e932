#!/usr/bin/python3
"""Compares inference with ONNX Runtime's: the batch-norm perceptron, f32, one thread, turn and turn about.

  ./bazelw build //:trainer //tests/benchmarks:inference
  tests/benchmarks/compare_inference.py --rounds 5

Both sides get the same weights and the same 1024 samples, and their logits are compared. Measured are single samples (median
and 99th percentile of the latency of a call) and batches of 1024 (samples a second).

Needs Node.js and npm. The first run fetches onnxruntime-node from the npm registry into the cache folder
(~/.cache/strata/benchmarks/onnxruntime, 290 MB); nothing is put into the repository.
"""

import argparse
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

import measuring
import onnx_model
from measuring import HERE, Ran, TOP, add_rounds, binary, figure, progress, spread, trainer

VERSION = "1.30.0"
SAMPLES, FEATURES = 1024, 784


def runtime_folder():
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    folder = cache / "strata/benchmarks/onnxruntime"
    if not (folder / "node_modules/onnxruntime-node").exists():
        folder.mkdir(parents=True, exist_ok=True)
        progress(f"fetching onnxruntime-node {VERSION} into {folder}")
        command = ["npm", "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund",
                   f"onnxruntime-node@{VERSION}"]
        if subprocess.run(command, stdout=sys.stderr).returncode != 0:
            sys.exit("npm could not install onnxruntime-node: " + " ".join(command))
    return folder


def check_logits(ours, theirs):
    worst = max(abs(a - b) for a, b in zip(ours, theirs))
    if worst > 1e-3 * max(1, max(map(abs, theirs))):
        sys.exit(f"the logits differ by {worst:g}: the two sides do not run the same network")


def compare(rounds):
    inference, runtime = binary("tests/benchmarks/inference", "//tests/benchmarks:inference"), runtime_folder()
    model = TOP / "models/mnist_mlp_bn.model"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        network, images = folder / "network.onnx", folder / "images.f32"
        Ran([trainer(), "train", model, "train.steps=200", "--run", folder / "run"])  # so that statistics are not 0 and 1
        weights = folder / "run/checkpoints/best.safetensors"
        network.write_bytes(onnx_model.model(onnx_model.read_safetensors(weights)))
        numbers = random.Random(1)
        pixels = [numbers.random() if numbers.random() < 0.2 else 0.0 for _ in range(SAMPLES * FEATURES)]
        images.write_bytes(struct.pack(f"<{len(pixels)}f", *pixels))
        commands = {
            "strata": [inference, model, weights, images],
            "onnxruntime": ["node", HERE / "onnxruntime_inference.js", runtime, network, images],
        }
        results = {side: [] for side in commands}
        for number in range(rounds):
            for side, command in commands.items():
                results[side].append(Ran(command).json())
                one = results[side][-1]
                progress(f"round {number + 1} of {rounds}: {side}: {one['single_microseconds']['p50']:.1f} µs, "
                         f"{one['samples_per_second']:.0f} samples/s")
    check_logits(results["strata"][0]["logits"], results["onnxruntime"][0]["logits"])
    sides = {}
    for side, ones in results.items():
        sides[side] = {
            "p50_microseconds": spread([one["single_microseconds"]["p50"] for one in ones]),
            "p99_microseconds": spread([one["single_microseconds"]["p99"] for one in ones]),
            "samples_per_second": spread([one["samples_per_second"] for one in ones]),
        }
    sides["onnxruntime"]["api_p50_microseconds"] = spread(
        [one["api_single_microseconds"]["p50"] for one in results["onnxruntime"]])
    return {
        "onnxruntime_version": results["onnxruntime"][0]["version"],
        "sides": sides,
        "throughput_ratio": figure(sides["strata"]["samples_per_second"], True) /
                            figure(sides["onnxruntime"]["samples_per_second"], True),
        "latency_ratio": figure(sides["onnxruntime"]["p50_microseconds"]) / figure(sides["strata"]["p50_microseconds"]),
    }


def show(result):
    print(f"inference on one thread, against ONNX Runtime {result['onnxruntime_version']}")
    for side, figures in result["sides"].items():
        rate, p50, p99 = figures["samples_per_second"], figures["p50_microseconds"], figures["p99_microseconds"]
        print(f"  {side:<12} batch 1024: {rate['median']:9,.0f} samples/s ({rate['least']:,.0f} to {rate['most']:,.0f})"
              f"   batch 1: p50 {p50['median']:6.1f} µs ({p50['least']:.1f} to {p50['most']:.1f}), p99 {p99['median']:.1f} µs")
    api = result["sides"]["onnxruntime"]["api_p50_microseconds"]["median"]
    print(f"  strata gives {result['throughput_ratio']:.2f} times the samples and answers {result['latency_ratio']:.2f} times "
          f"as fast (ONNX Runtime through its asynchronous interface: {api:.1f} µs)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_rounds(parser)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    measuring.best_rounds = args.best
    result = compare(args.rounds)
    print(json.dumps(result)) if args.json else show(result)


if __name__ == "__main__":
    main()
