"""What the benchmarks of this folder share: running a contestant, and what is said of its figures."""

import atexit
import functools
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = pathlib.Path(__file__).resolve().parent
CORES = len(os.sched_getaffinity(0))


class Ran:
    """A finished process: its standard output, how long it took, and the most memory that it held at once, in MB."""

    def __init__(self, command, environment=None):
        command = list(map(str, command))
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            begin = time.perf_counter()
            try:
                process = subprocess.Popen(command, env=environment, stdout=out, stderr=err)
            except OSError as error:
                sys.exit(f"{command[0]}: {error.strerror}")
            _, status, usage = os.wait4(process.pid, 0)
            self.seconds = time.perf_counter() - begin
            self.peak_megabytes = usage.ru_maxrss * 1024 / 1e6  # getrusage(2) counts in KiB
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            self.output = out.read()
            if process.returncode != 0:
                sys.exit(f"{' '.join(command)}\nfailed with exit code {process.returncode}:\n{err.read()}{self.output}")

    def events(self):
        """The lines of the output that are JSON objects."""
        return [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]

    def json(self):
        return json.loads(self.output)


@functools.lru_cache(maxsize=None)
def copies():
    """A folder that is gone with this process."""
    folder = tempfile.TemporaryDirectory(prefix="strata-benchmark-")
    atexit.register(folder.cleanup)
    return pathlib.Path(folder.name)


@functools.lru_cache(maxsize=None)
def binary(place, target):
    """A copy of a program that Bazel built, so that a build meanwhile changes nothing; ends this one where it is missing."""
    path = TOP / "bazel-bin" / place
    if not path.exists():
        sys.exit(f"{path} is missing: build it with ./bazelw build {target}")
    return pathlib.Path(shutil.copy(path, copies()))


def trainer():
    return binary("framework/app/trainer", "//:trainer")


def spread(values):
    """Median and range of a contestant's rounds."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values), "values": values}


# Whether the best round counts instead of the median: where other programs take the cores now and then, medians tell of them.
best_rounds = False


def add_rounds(parser):
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--best", action="store_true", help="compare best rounds instead of medians: for a machine that is busy")


def figure(spread_of_rounds, more_is_better=False):
    """The figure of a contestant that is compared."""
    if not best_rounds:
        return spread_of_rounds["median"]
    return spread_of_rounds["most" if more_is_better else "least"]


def progress(text):
    print(text, file=sys.stderr, flush=True)
