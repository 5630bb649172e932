#!/usr/bin/python3
"""PyTorch's side of the epoch benchmark: the batch-norm perceptron of models/mnist_mlp_bn.model on MNIST, in f32.

Prints one JSON line with the versions, one when the first step is done with the seconds since the process started, then one
an epoch, as Strata's metrics.jsonl does: seconds of training (without validation), mean training loss, validation accuracy.
It is written to be as fast as plain PyTorch gets: all data in one tensor, a shuffle an epoch, one gather a batch,
Adam in its multi-tensor form, no data loader.

The matrix library matters: OpenBLAS on OpenMP shares PyTorch's threads, the pthread one fights them for the cores.

  apt-get install --no-install-recommends python3-torch libopenblas0-openmp
  apt-get remove libopenblas0-pthread        # or choose by: update-alternatives --config libblas.so.3-*
  tests/benchmarks/pytorch_mnist.py --batch-size 64 --epochs 2 --threads 2
"""

import argparse
import gzip
import json
import os
import pathlib
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--threads", type=int, default=2, help="threads of PyTorch's own operations")
parser.add_argument("--blas-threads", type=int, help="threads of the matrix products (default: as --threads)")
parser.add_argument("--for-each", type=int, default=1, help="0: Adam one parameter at a time")
parser.add_argument("--seed", type=int, default=42)
args = parser.parse_args()

# Read when the libraries load.
os.environ["OPENBLAS_NUM_THREADS"] = str(args.blas_threads or args.threads)
os.environ["OMP_NUM_THREADS"] = str(args.threads)

import numpy as np  # noqa: E402
import torch  # noqa: E402


def read_idx(name):
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "strata/datasets/mnist"
    folders = [pathlib.Path(os.environ["STRATA_DATA"]) / "mnist"] if os.environ.get("STRATA_DATA") else []
    for path in [folder / f"{name}{end}" for folder in [*folders, cache] for end in ("", ".gz")]:
        if path.exists():
            data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            rank = data[3]
            shape = np.frombuffer(data, dtype=">u4", count=rank, offset=4)
            return torch.from_numpy(np.frombuffer(data, dtype=np.uint8, offset=4 + 4 * rank).reshape(shape).copy())
    raise SystemExit(f"{name} is not in {cache}: run ./bazelw once to fetch MNIST")


def split(prefix):
    images = read_idx(f"{prefix}-images-idx3-ubyte").reshape(-1, 784).float()
    return (images / 255 - 0.1307) / 0.3081, read_idx(f"{prefix}-labels-idx1-ubyte").long()


def process_age():
    """Returns the seconds since this process started, to a hundredth: field 22 of proc(5)'s stat is ticks after boot."""
    ticks = int(pathlib.Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def matrix_library():
    """Returns the file of the BLAS that this process runs on."""
    with open("/proc/self/maps") as maps:
        files = {line.split()[-1] for line in maps if "blas" in line}
    return min(files, key=lambda path: ("libopenblas" not in path, path), default="unknown")


def main():
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(args.seed)
    images, labels = split("train")
    test_images, test_labels = split("t10k")
    nn = torch.nn
    model = nn.Sequential(
        nn.Linear(784, 256), nn.BatchNorm1d(256), nn.ReLU(),
        nn.Linear(256, 128), nn.BatchNorm1d(128), nn.ReLU(),
        nn.Linear(128, 10),
    )
    print(json.dumps({"event": "start", "torch": torch.__version__, "blas": matrix_library()}), flush=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, foreach=bool(args.for_each))
    cross_entropy = nn.CrossEntropyLoss()
    first = True
    for epoch in range(1, args.epochs + 1):
        model.train()
        start = time.perf_counter()
        total = torch.zeros(())
        for samples in torch.randperm(len(images)).split(args.batch_size):
            loss = cross_entropy(model(images[samples]), labels[samples])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(samples)
            if first:
                print(json.dumps({"event": "first_step", "seconds": round(process_age(), 3)}), flush=True)
                first = False
        seconds = time.perf_counter() - start
        model.eval()
        with torch.no_grad():
            right = (model(test_images).argmax(1) == test_labels).sum().item()
        print(json.dumps({
            "event": "epoch", "epoch": epoch, "seconds": round(seconds, 4),
            "samples_per_second": round(len(images) / seconds),
            "train.loss": total.item() / len(images), "val.accuracy": right / len(test_labels),
        }), flush=True)


if __name__ == "__main__":
    main()
