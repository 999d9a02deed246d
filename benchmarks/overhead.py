"""What the harness costs over bare Keras: an epoch, and a run beyond its epochs.

    python -m benchmarks.overhead [PAIRS]

Both train the same network on the same arrays on one thread, turn by turn, each in a process of its own whose
TensorFlow is imported already. An epoch is what lies between two epoch ends (through medcls with order, batches,
journal and checkpoint); the fixed cost is all the rest: process, building, tracing, predictions, scores. The fastest
of each is what is compared, as what else the machine does only ever adds.
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
    """Print the ratios of the fastest over so many pairs."""
    chosen = variant(base=8, epochs=EPOCHS)
    executor = LocalExecutor(1, 1)
    epochs: dict[str, list[float]] = {"medcls": [], "Keras": []}
    fixed: dict[str, list[float]] = {"medcls": [], "Keras": []}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        images, _ = decoded(work, chosen)
        executor.ask(bare, chosen.with_("learner.epochs", 1), images, 0)  # warm the disk and the forkserver
        for seed in range(pairs):
            each = job(work, chosen, seed, threads=1)
            _note(epochs["medcls"], fixed["medcls"], finish(executor, [each]), epoch_ends(each.folder))
            done = executor.ask(bare, chosen, images, seed)
            _note(epochs["Keras"], fixed["Keras"], done["seconds"], done["ends"])
    executor.stop()
    for what, taken in (("epoch", epochs), ("fixed cost of a run", fixed)):
        ours, theirs = min(taken["medcls"]), min(taken["Keras"])
        print(
            f"{what}: medcls {ours:.3f} s, bare Keras {theirs:.3f} s, ratio {ours / theirs:.3f}, {ours - theirs:+.3f} s"
        )


def _note(epochs: list[float], fixed: list[float], seconds: float, ends: list[float]) -> None:
    steady = [after - before for before, after in pairwise(ends)]
    epochs += steady
    fixed.append(seconds - median(steady) * len(ends))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
