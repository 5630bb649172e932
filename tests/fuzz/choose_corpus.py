#!/usr/bin/env python3
"""Chooses the committed corpus: few small files that together cover nearly all that the fuzzer has found.

    choose_corpus.py CONTROL FOLDER [FILES [BYTES]]

CONTROL is what `-merge=1 -merge_control_file=CONTROL` wrote: the features of each input. The input that adds the most
features for its size goes first, until FILES or BYTES are used up; the chosen ones are copied to FOLDER by their hash.
"""

import hashlib
import heapq
import os
import sys

FILES, BYTES = 280, 400_000
BYTES_PER_FILE = 1024  # what a file costs besides its bytes: short ones are not free


def read_control(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as control:
        names = [control.readline() for _ in range(2)]
        names = [control.readline().rstrip("\n") for _ in range(int(names[0]))]
        features = {}
        for line in control:
            kind, *numbers = line.split()
            if kind == "FT":
                features[names[int(numbers[0])]] = frozenset(map(int, numbers[1:]))
    return features


def choose(features, most_files, most_bytes):
    size = {name: os.path.getsize(name) for name in features}
    covered, chosen, used = set(), [], 0

    def gain(name):
        return len(features[name] - covered) / (size[name] + BYTES_PER_FILE)

    heap = [(-gain(name), name) for name in features]
    heapq.heapify(heap)
    while heap and len(chosen) < most_files:
        _, name = heapq.heappop(heap)
        now = gain(name)
        if now == 0 or used + size[name] > most_bytes:
            continue
        if heap and now < -heap[0][0]:  # others cover some of it by now
            heapq.heappush(heap, (-now, name))
            continue
        chosen.append(name)
        used += size[name]
        covered |= features[name]
    return chosen, used, len(covered)


def main():
    control, folder = sys.argv[1:3]
    most_files = int(sys.argv[3]) if len(sys.argv) > 3 else FILES
    most_bytes = int(sys.argv[4]) if len(sys.argv) > 4 else BYTES
    features = read_control(control)
    chosen, used, covered = choose(features, most_files, most_bytes)
    for name in chosen:
        with open(name, "rb") as file:
            data = file.read()
        with open(os.path.join(folder, hashlib.sha1(data).hexdigest()), "wb") as file:
            file.write(data)
    everything = len(frozenset().union(*features.values()))
    print(f"{len(chosen)} of {len(features)} inputs, {used} bytes, {covered} of {everything} features")


if __name__ == "__main__":
    main()
