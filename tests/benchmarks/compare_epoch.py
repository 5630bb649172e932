#!/usr/bin/python3
"""Compares the time of a training epoch with PyTorch's: same network, same MNIST files, same machine, turn and turn about.

  ./bazelw build //:trainer
  tests/benchmarks/compare_epoch.py --batch-sizes 64 1024 --rounds 5

Each round runs Strata's trainer once and PyTorch once in each thread setting (its own operations and its matrix products
on one thread or on all), and takes the second epoch of each run, so that starting up is in no figure. PyTorch's setting
with the lowest median counts. Needs what tests/benchmarks/pytorch_mnist.py needs; says so where it is missing.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
EPOCHS = 2


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[64])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="for both sides")
    parser.add_argument("--trainer", type=pathlib.Path, help="default: bazel-bin/trainer or bazel-bin/framework/app/trainer")
    parser.add_argument("--model", type=pathlib.Path, default=TOP / "models/mnist_mlp_bn.model")
    parser.add_argument("--json", action="store_true", help="one JSON line a batch size instead of the table")
    args = parser.parse_args()
    if args.trainer is None:
        places = [TOP / "bazel-bin/trainer", TOP / "bazel-bin/framework/app/trainer"]
        args.trainer = next((place for place in places if place.exists()), None)
        if args.trainer is None:
            parser.error(f"no trainer at {' or '.join(map(str, places))}: build it with ./bazelw build //:trainer")
    return args


def run(command, environment=None):
    """Runs a command and returns its standard output; on failure ends this program with the command's own words."""
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nfailed with exit code {done.returncode}:\n{done.stderr}{done.stdout}")
    return done.stdout


def last_epoch(lines):
    return [event for event in map(json.loads, lines) if event.get("event") == "epoch"][-1]


def strata(args, batch_size):
    with tempfile.TemporaryDirectory() as runs:
        run([args.trainer, "train", args.model, f"train.epochs={EPOCHS}", f"train.batch_size={batch_size}",
             "--threads", args.threads, "--runs", runs])
        metrics, = pathlib.Path(runs).glob("**/metrics.jsonl")
        return last_epoch(metrics.read_text().splitlines())


def pytorch(batch_size, threads, blas_threads):
    script = pathlib.Path(__file__).with_name("pytorch_mnist.py")
    output = run(["/usr/bin/python3", script, "--batch-size", batch_size, "--epochs", EPOCHS,
                  "--threads", threads, "--blas-threads", blas_threads])
    return last_epoch(output.splitlines())


def compare(args, batch_size):
    choices = sorted({1, args.threads})
    contestants = {"strata": lambda: strata(args, batch_size)}
    for own in choices:
        for blas in choices:
            contestants[f"pytorch, threads {own}, matrix products {blas}"] = (
                lambda own=own, blas=blas: pytorch(batch_size, own, blas))
    results = {name: [] for name in contestants}
    for number in range(args.rounds):
        for name, contestant in contestants.items():
            results[name].append(contestant())
            print(f"batch {batch_size}, round {number + 1} of {args.rounds}: {name}: {results[name][-1]['seconds']:.3f} s",
                  file=sys.stderr)
    seconds = {name: [epoch["seconds"] for epoch in epochs] for name, epochs in results.items()}
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    best = min((name for name in medians if name != "strata"), key=medians.get)
    if args.json:
        print(json.dumps({
            "batch_size": batch_size, "threads": args.threads, "seconds": seconds, "medians": medians,
            "best_pytorch": best, "ratio": medians[best] / medians["strata"],
        }), flush=True)
        return
    print(f"batch size {batch_size}, {args.threads} threads, {args.rounds} rounds: seconds of the second epoch")
    for name, values in seconds.items():
        print(f"  {name:<45} median {medians[name]:7.3f}   from {min(values):7.3f} to {max(values):7.3f}"
              f"   val.accuracy {results[name][-1]['val.accuracy']:.4f}")
    print(f"  strata is {medians[best] / medians['strata']:.2f} times as fast as {best}", flush=True)


def main():
    args = arguments()
    for batch_size in args.batch_sizes:
        compare(args, batch_size)


if __name__ == "__main__":
    main()
