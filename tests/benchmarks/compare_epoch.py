#!/usr/bin/python3
"""Compares the training of the MNIST perceptron with PyTorch's: same network, same files, same machine, turn and turn about.

  ./bazelw build //:trainer
  tests/benchmarks/compare_epoch.py --batch-sizes 64 1024 8 --rounds 5

Each round runs Strata on all threads and on one, and PyTorch with torch.set_num_threads(1) and with (all), its matrix
products on one thread (OPENBLAS_NUM_THREADS=1); --all-settings adds their products on all threads. The second epoch of each
run counts, so that starting up is in no figure. PyTorch's setting with the lowest median counts.

Needs MNIST (./bazelw fetches it) and: apt-get install --no-install-recommends python3-torch libopenblas0-openmp
"""

import argparse
import json
import pathlib
import statistics
import tempfile

import measuring
from measuring import CORES, HERE, Ran, TOP, add_rounds, figure, progress, spread, trainer

EPOCHS = 2


def epoch_of(events):
    return [event for event in events if event.get("event") == "epoch"][-1]


def strata(batch_size, threads, model, program):
    with tempfile.TemporaryDirectory() as runs:
        ran = Ran([program, "train", model, f"train.epochs={EPOCHS}", f"train.batch_size={batch_size}",
                   "--threads", threads, "--runs", runs])
        metrics, = pathlib.Path(runs).glob("**/metrics.jsonl")
        epoch = epoch_of(map(json.loads, metrics.read_text().splitlines()))
    return {**epoch, "peak_megabytes": ran.peak_megabytes}


def pytorch(batch_size, threads, blas_threads=1):
    ran = Ran(["/usr/bin/python3", HERE / "pytorch_mnist.py", "--batch-size", batch_size, "--epochs", EPOCHS,
               "--threads", threads, "--blas-threads", blas_threads])
    return {**epoch_of(ran.events()), "peak_megabytes": ran.peak_megabytes}


def contestants(batch_size, threads, model, program, all_settings):
    """Name and function of each; Strata's first, PyTorch's names begin with its own."""
    runs = {"strata": lambda: strata(batch_size, threads, model, program)}
    if threads > 1:
        runs["strata, 1 thread"] = lambda: strata(batch_size, 1, model, program)
    for own in sorted({1, threads}):
        for blas in sorted({1, threads}) if all_settings else [1]:
            name = f"pytorch, threads {own}" + (f", products {blas}" if all_settings else "")
            runs[name] = lambda own=own, blas=blas: pytorch(batch_size, own, blas)
    return runs


def compare(batch_size, rounds, threads=CORES, model=TOP / "models/mnist_mlp_bn.model", program=None, all_settings=False):
    """Seconds of an epoch, peak memory and ratios at one batch size."""
    runs = contestants(batch_size, threads, model, program or trainer(), all_settings)
    results = {name: [] for name in runs}
    for number in range(rounds):
        for name, run in runs.items():
            results[name].append(run())
            progress(f"batch {batch_size}, round {number + 1} of {rounds}: {name}: {results[name][-1]['seconds']:.3f} s")
    seconds = {name: spread([epoch["seconds"] for epoch in epochs]) for name, epochs in results.items()}
    best = min((name for name in runs if name.startswith("pytorch")), key=lambda name: figure(seconds[name]))
    pairs = [theirs / ours for ours, theirs in zip(seconds["strata"]["values"], seconds[best]["values"])]
    result = {
        "batch_size": batch_size, "threads": threads, "seconds": seconds, "best_pytorch": best,
        "ratio": figure(seconds[best]) / figure(seconds["strata"]), "ratio_of_rounds": spread(pairs),
        "peak_megabytes": {name: max(epoch["peak_megabytes"] for epoch in epochs) for name, epochs in results.items()},
        "val_accuracy": {name: statistics.median(epoch["val.accuracy"] for epoch in epochs)
                         for name, epochs in results.items()},
    }
    if threads > 1:
        result["thread_scaling"] = figure(seconds["strata, 1 thread"]) / figure(seconds["strata"])
    return result


def show(result):
    print(f"batch size {result['batch_size']}, {result['threads']} threads: seconds of the second epoch")
    for name, seconds in result["seconds"].items():
        print(f"  {name:<32} median {seconds['median']:7.3f}   from {seconds['least']:7.3f} to {seconds['most']:7.3f}"
              f"   peak {result['peak_megabytes'][name]:4.0f} MB   val.accuracy {result['val_accuracy'][name]:.4f}")
    rounds = result["ratio_of_rounds"]
    print(f"  strata is {result['ratio']:.2f} times as fast as {result['best_pytorch']}"
          f" (in single rounds {rounds['least']:.2f} to {rounds['most']:.2f})")
    if "thread_scaling" in result:
        print(f"  strata on {result['threads']} threads is {result['thread_scaling']:.2f} times as fast as on one")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[64])
    add_rounds(parser)
    parser.add_argument("--threads", type=int, default=CORES, help="for both sides")
    parser.add_argument("--trainer", type=pathlib.Path, help="default: bazel-bin/framework/app/trainer")
    parser.add_argument("--model", type=pathlib.Path, default=TOP / "models/mnist_mlp_bn.model")
    parser.add_argument("--all-settings", action="store_true", help="PyTorch's matrix products on all threads too")
    parser.add_argument("--json", action="store_true", help="one JSON line a batch size instead of the table")
    args = parser.parse_args()
    measuring.best_rounds = args.best
    for batch_size in args.batch_sizes:
        result = compare(batch_size, args.rounds, args.threads, args.model, args.trainer, args.all_settings)
        print(json.dumps(result), flush=True) if args.json else show(result)


if __name__ == "__main__":
    main()
