#!/usr/bin/python3
"""Measures the engine against its goals: one table with every goal, what was measured, and whether it is met.

  ./bazelw build //:trainer //tests/benchmarks:inference //tests/benchmarks:machine
  tests/benchmarks/engine.py                      # about a quarter of an hour
  tests/benchmarks/engine.py --rounds 7 --json
  tests/benchmarks/engine.py --only inference     # epochs, inference, floor, start

Sides alternate in every round and medians are compared (best rounds with --best). Needs what compare_epoch.py (python3-torch,
MNIST) and compare_inference.py (npm) need. Heap allocations in a step are counted by a test, not here. Nothing else should
run meanwhile: PyTorch on two threads becomes many times slower where a third program wants a core.
"""

import argparse
import json
import statistics
import tempfile

import compare_epoch
import compare_inference
import measuring
from measuring import CORES, HERE, Ran, TOP, add_rounds, binary, figure, progress, spread, trainer

MODEL = TOP / "models/mnist_mlp_bn.model"
SAMPLES = 60000
EPOCH_GOALS = {64: 5, 1024: 2, 8: 5}
SCALING_GOALS = {64: 1.6, 1024: 1.8}


def operations_a_sample():
    """Multiplications and additions of the products in one sample's training step: forward, gradients of weights, gradients
    of inputs except for the first layer's, which nobody needs."""
    layers = Ran([trainer(), "summary", MODEL, "--json"]).json()["layers"]
    products = [layer["flops"] for layer in layers if layer["kind"] == "Dense"]
    return 3 * sum(products) - products[0]


def floor(rounds, threads=CORES):
    """How much of an epoch at batch 1024 the products alone would take at their kernel's best rate."""
    machine = binary("tests/benchmarks/machine", "//tests/benchmarks:machine")
    probes, epochs = [], []
    for number in range(rounds):
        probes.append({probe["threads"]: probe for probe in Ran([machine]).events()})
        epochs.append(compare_epoch.strata(1024, threads, MODEL, trainer())["seconds"])
        progress(f"floor, round {number + 1} of {rounds}: {probes[-1][threads]['gflops']:.0f} GFLOP/s, {epochs[-1]:.3f} s")
    gflops = {count: spread([probe[count]["gflops"] for probe in probes]) for count in probes[0]}
    work = operations_a_sample() * SAMPLES / 1e9
    least = work / figure(gflops[threads], True)
    return {
        "gflops": gflops,
        "memory_gigabytes_per_second": {
            count: statistics.median(probe[count]["memory_gigabytes_per_second"] for probe in probes) for count in probes[0]},
        "cache_gigabytes_per_second": {
            count: statistics.median(probe[count]["cache_gigabytes_per_second"] for probe in probes) for count in probes[0]},
        "gflop_an_epoch": work, "least_seconds": least, "seconds": spread(epochs),
        "share": least / figure(spread(epochs)),
    }


def start(rounds, threads=CORES):
    """Seconds from the start of the process to the end of the first step, data read."""
    ours, theirs, whole = [], [], []
    for number in range(rounds):
        ours.append(Ran([trainer(), "time", MODEL, "--steps", 1, "--threads", threads, "--json"]).json()["first_step_seconds"])
        with tempfile.TemporaryDirectory() as runs:
            whole.append(Ran([trainer(), "train", MODEL, "train.steps=1", "--threads", threads, "--runs", runs]).seconds)
        events = Ran(["/usr/bin/python3", HERE / "pytorch_mnist.py", "--epochs", 1, "--threads", threads, "--blas-threads", 1,
                      "--batch-size", 1024]).events()
        theirs += [event["seconds"] for event in events if event["event"] == "first_step"]
        progress(f"start, round {number + 1} of {rounds}: strata {ours[-1]:.2f} s, pytorch {theirs[-1]:.2f} s")
    return {"strata": spread(ours), "pytorch": spread(theirs), "run_of_one_step": spread(whole)}


def rows_of(results):
    """Measure, goal, measured value as text, whether the goal is met."""
    rows = []
    for batch_size, result in results.get("epochs", {}).items():
        ours, theirs = (figure(result["seconds"][name]) for name in ("strata", result["best_pytorch"]))
        goal = EPOCH_GOALS[batch_size]
        rows.append((f"epoch, batch {batch_size}", f"≥ {goal}× PyTorch",
                     f"{result['ratio']:.2f}× ({ours:.3f} s, {theirs:.3f} s)", result["ratio"] >= goal))
    if "inference" in results:
        inference = results["inference"]
        ours, theirs = (inference["sides"][side] for side in ("strata", "onnxruntime"))
        ratio = inference["throughput_ratio"]
        rows.append(("inference, batch 1024, 1 thread", "≥ 1.5× ONNX Runtime",
                     f"{ratio:.2f}× ({figure(ours['samples_per_second'], True):,.0f} samples/s, "
                     f"{figure(theirs['samples_per_second'], True):,.0f})", ratio >= 1.5))
        p50 = figure(ours["p50_microseconds"])
        rows.append(("inference, batch 1, p50", "≤ 15 µs",
                     f"{p50:.1f} µs (ONNX Runtime {figure(theirs['p50_microseconds']):.1f} µs)", p50 <= 15))
    for batch_size, goal in SCALING_GOALS.items():
        scaling = results.get("epochs", {}).get(batch_size, {}).get("thread_scaling")
        if scaling:
            rows.append((f"1 → {CORES} threads, batch {batch_size}", f"≥ {goal}×", f"{scaling:.2f}×", scaling >= goal))
    if "floor" in results:
        share, rate = results["floor"]["share"], figure(results["floor"]["gflops"][CORES], True)
        rows.append(("share of the arithmetic floor, batch 1024", "≥ 60 %",
                     f"{100 * share:.0f} % (floor {results['floor']['least_seconds']:.3f} s at {rate:.0f} GFLOP/s)", share >= 0.6))
    if results.get("epochs"):
        peaks = [result["peak_megabytes"] for result in results["epochs"].values()]
        ours = max(peak["strata"] for peak in peaks)
        theirs = max(value for peak in peaks for name, value in peak.items() if name.startswith("pytorch"))
        rows.append(("peak memory, training", "≤ 200 MB", f"{ours:.0f} MB (PyTorch {theirs:.0f} MB)", ours <= 200))
    if "start" in results:
        ours, theirs = (figure(results["start"][side]) for side in ("strata", "pytorch"))
        rows.append(("start to the first step, data read", "≤ 0.5 s", f"{ours:.2f} s (PyTorch {theirs:.2f} s)", ours <= 0.5))
    return rows


def show(results):
    for result in results.get("epochs", {}).values():
        compare_epoch.show(result)
    if "inference" in results:
        compare_inference.show(results["inference"])
    if "floor" in results:
        for count, rate in results["floor"]["gflops"].items():
            print(f"{count} thread{'s' if count > 1 else ''}: products {rate['median']:.0f} GFLOP/s ({rate['least']:.0f} to "
                  f"{rate['most']:.0f}), main memory {results['floor']['memory_gigabytes_per_second'][count]:.1f} GB/s, "
                  f"4 MB in use {results['floor']['cache_gigabytes_per_second'][count]:.1f} GB/s")
    if "start" in results:
        print(f"a run of one step, validation and checkpoint included: {results['start']['run_of_one_step']['median']:.2f} s")
    rows = [("measure", "goal", "measured", None), *rows_of(results)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    print()
    for row in rows:
        verdict = {None: "", True: "met", False: "missed"}[row[3]]
        print("  ".join(text.ljust(width) for text, width in zip(row, widths)) + "  " + verdict)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_rounds(parser)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=list(EPOCH_GOALS), choices=list(EPOCH_GOALS))
    parser.add_argument("--only", nargs="+", choices=["epochs", "inference", "floor", "start"])
    parser.add_argument("--json", action="store_true", help="everything measured, as one JSON object")
    args = parser.parse_args()
    measuring.best_rounds = args.best
    wanted = args.only or ["epochs", "inference", "floor", "start"]
    results = {}
    if "start" in wanted:
        results["start"] = start(args.rounds)
    if "inference" in wanted:
        results["inference"] = compare_inference.compare(args.rounds)
    if "floor" in wanted:
        results["floor"] = floor(args.rounds)
    if "epochs" in wanted:
        results["epochs"] = {size: compare_epoch.compare(size, args.rounds) for size in args.batch_sizes}
    if args.json:
        goals = [dict(zip(("measure", "goal", "measured", "met"), row)) for row in rows_of(results)]
        print(json.dumps({"goals": goals, **results}))
    else:
        show(results)


if __name__ == "__main__":
    main()
