#!/usr/bin/python3
"""PyTorch's side of the convolution benchmark: a net of convolution.py on random images, f32, SGD with momentum.

Prints one JSON line with the version, one a block of steps with samples a second, as the median of its steps. It is written to
be as fast as plain PyTorch gets: one batch that is used again and again, no data loader, activations in place.

  apt-get install --no-install-recommends python3-torch libopenblas0-openmp
  tests/benchmarks/pytorch_convolution.py resnet20 --threads 2 --layout channels_last
"""

import argparse
import json
import os
import statistics
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("net", choices=["small", "resnet20"])
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--layout", choices=["contiguous", "channels_last"], default="contiguous", help="of images in memory")
parser.add_argument("--batch-size", type=int, default=128)
parser.add_argument("--steps", type=int, default=20)
args = parser.parse_args()

# Read when the libraries load.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = str(args.threads)

import torch  # noqa: E402
from torch import nn  # noqa: E402


def small():
    def stage(inputs, channels):
        return [nn.Conv2d(inputs, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(inplace=True),
                nn.MaxPool2d(2)]
    return nn.Sequential(*stage(1, 32), *stage(32, 64), nn.Flatten(), nn.Linear(3136, 128, bias=False), nn.BatchNorm1d(128),
                         nn.ReLU(inplace=True), nn.Linear(128, 10))


class Residual(nn.Module):
    def __init__(self, inputs, channels, stride):
        super().__init__()
        self.main = nn.Sequential(nn.Conv2d(inputs, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels),
                                  nn.ReLU(inplace=True), nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
                                  nn.BatchNorm2d(channels))
        self.skip = nn.Sequential()
        if stride != 1 or inputs != channels:
            self.skip = nn.Sequential(nn.Conv2d(inputs, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        return torch.relu_(self.main(x).add_(self.skip(x)))


def resnet20():
    layers, inputs = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)], 16
    for stage, channels in enumerate([16, 32, 64]):
        for block in range(3):
            layers.append(Residual(inputs, channels, 2 if stage > 0 and block == 0 else 1))
            inputs = channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def main():
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    model, shape = (small(), (1, 28, 28)) if args.net == "small" else (resnet20(), (3, 32, 32))
    images, labels = torch.randn(args.batch_size, *shape), torch.randint(0, 10, (args.batch_size,))
    if args.layout == "channels_last":
        model, images = model.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
    print(json.dumps({"event": "start", "torch": torch.__version__}), flush=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    cross_entropy = nn.CrossEntropyLoss()
    seconds = []
    for _ in range(args.steps + 2):
        start = time.perf_counter()
        loss = cross_entropy(model(images), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        loss.item()
        seconds.append(time.perf_counter() - start)
    timed = seconds[2:]  # the first two choose kernels and make buffers
    print(json.dumps({"event": "steps", "steps": len(timed),
                      "samples_per_second": args.batch_size / statistics.median(timed),
                      "best_samples_per_second": args.batch_size / min(timed)}), flush=True)


if __name__ == "__main__":
    main()
