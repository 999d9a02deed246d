"""Benchmark of medcls's overhead over bare Keras: per epoch, and per run outside of its epochs.

    python -m benchmarks.overhead [PAIRS]

Both train one network on the same arrays on one thread, alternately, each in a process of its own that has already
imported TensorFlow. An epoch is the time between two epoch ends; with medcls it includes order, batches, journal and
checkpoint. The fixed cost is all other time: process, building, tracing, predictions, scores. The fastest of each is
compared, because other load on the machine only adds time.
"""

import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median

from benchmarks.workload import bare, decoded, epoch_ends, finish, job, variant
from medcls.execution.executors.local import LocalExecutor

EPOCHS = 6


def main(pairs: int) -> None:
    """Measure pairs of runs, and print the ratios of the fastest."""
    chosen = variant(base=8, epochs=EPOCHS)
    executor = LocalExecutor(1, 1)
    epochs: dict[str, list[float]] = {"medcls": [], "Keras": []}
    fixed: dict[str, list[float]] = {"medcls": [], "Keras": []}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        images, _ = decoded(work, chosen)
        executor.ask(bare, chosen.with_("learner.epochs", 1), images, 0)  # warm the disk and the forkserver
        for seed in range(pairs):
            next_job = job(work, chosen, seed, threads=1)
            _add_times(epochs["medcls"], fixed["medcls"], finish(executor, [next_job]), epoch_ends(next_job.folder))
            result = executor.ask(bare, chosen, images, seed)
            _add_times(epochs["Keras"], fixed["Keras"], result["seconds"], result["ends"])
    executor.stop()
    for title, seconds in (("epoch", epochs), ("fixed cost of a run", fixed)):
        ours, theirs = min(seconds["medcls"]), min(seconds["Keras"])
        print(
            f"{title}: medcls {ours:.3f} s, bare Keras {theirs:.3f} s, "
            f"ratio {ours / theirs:.3f}, {ours - theirs:+.3f} s"
        )


def _add_times(epochs: list[float], fixed: list[float], seconds: float, ends: list[float]) -> None:
    """Add the times of one run to the lists.

    Args:
        epochs: the seconds of each epoch, to which those of this run are added.
        fixed: the fixed cost of each run in seconds, to which that of this run is added.
        seconds: of the whole run.
        ends: when each epoch ended, in seconds.
    """
    steady = [after - before for before, after in pairwise(ends)]
    epochs += steady
    fixed.append(seconds - median(steady) * len(ends))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
