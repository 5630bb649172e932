"""What the benchmarks of this folder share: running a contestant, and what is said of its figures."""

import json
import os
import pathlib
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


def binary(place, target):
    """A program that Bazel built; ends this one where it is missing."""
    path = TOP / "bazel-bin" / place
    if not path.exists():
        sys.exit(f"{path} is missing: build it with ./bazelw build {target}")
    return path


def trainer():
    return binary("framework/app/trainer", "//:trainer")


def spread(values):
    """Median and range of a contestant's rounds."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values), "values": values}


def progress(text):
    print(text, file=sys.stderr, flush=True)
