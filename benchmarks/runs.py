"""What the driver costs a run that trains nothing, and what memory it grows by.

    python -m benchmarks.runs [local] [store] [ray] [RUNS...]

On this machine offline ("local"), with a store in a SQLite file, and on a Ray of this machine. The study has as many
seeds as runs, one at a time; its learner guesses and ends at once. Each number of runs is a command of its own, from
its first line to its last. A run's share is what each further run adds to the command's wall time; without a process's
start and the run's own work (both measured) it is what lies between: the driver's part, which its processor time tells,
the figures, which with a store the run's process draws, and the process's end.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

from benchmarks.guessing import guess
from medcls.cli.options import Parser, add_flags, options
from medcls.cli.study import run_and_report
from medcls.execution.executors.local import LocalExecutor
from medcls.execution.executors.ray import RayExecutor
from medcls.spec.variant import Variant
from studies import toy_boundaries

KINDS = ("local", "store", "ray")


def main(kinds: Sequence[str], counts: Sequence[int]) -> None:
    """Print what a run costs in each way, and by how much the driver's memory grew."""
    for kind in kinds:
        told = [(count, _carried(kind, count)) for count in counts]
        start = _start(kind)
        for (few, before), (many, after) in pairwise(told):
            each = (after["wall"] - before["wall"]) / (many - few) * 1000
            own = each - start - after["work"]
            grown = after["peak"] - told[0][1]["peak"]
            print(
                f"{kind}, {many} runs: {each:.0f} ms a run; without a process's start ({start:.0f}) and its work "
                f"({after['work']:.0f}) {own:.0f} ms; the driver's processor "
                f"{(after['cpu'] - before['cpu']) / (many - few) * 1000:.0f} ms; "
                f"its memory {grown:+.0f} MB beside {told[0][0]} runs",
                flush=True,
            )


def study(kind: str, count: int, home: str) -> None:
    """Carry out a study of so many runs and print what it took."""
    first = next(iter(toy_boundaries.STUDY.variants.values()))
    variant = Variant(first.data, partial(guess), first.task)
    seeds = tuple(range(count))
    made = replace(toy_boundaries.STUDY, name="runs", variants={"guess": variant}, seeds=seeds, answers=())
    parser = Parser(prog="runs")
    add_flags(parser, search=False)
    places = ["--work-dir", f"{home}/runs", "--executor", "ray" if kind == "ray" else "local"]
    places += ["--tracking-uri", f"sqlite:///{home}/mlflow.db"] if kind == "store" else ["--offline"]
    given = options(parser.parse_args([*places, "--workers", "1", "--quiet"]))
    started = time.perf_counter()
    code = run_and_report([made], lambda: given)
    wall, used = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    results = [json.loads(path.read_text()) for path in Path(home).glob("runs/*/result.json")]
    assert not code
    assert [each["status"] for each in results] == ["finished"] * count
    work = statistics.median(each["seconds"] for each in results) * 1000
    told = {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024, "work": work}
    (Path(home) / "told.json").write_text(json.dumps(told))


def _carried(kind: str, count: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as home:
        line = f"from benchmarks import runs; runs.study({kind!r}, {count}, {home!r})"
        subprocess.run([sys.executable, "-c", line], check=True, stdout=subprocess.DEVNULL)
        told: dict[str, float] = json.loads((Path(home) / "told.json").read_text())
        return told


def _start(kind: str) -> float:
    """Return how long a process that does nothing takes from being asked to its answer, in milliseconds."""
    executor = RayExecutor("ray", 1) if kind == "ray" else LocalExecutor(1, 1)
    taken = []
    for _ in range(12):
        started = time.perf_counter()
        executor.ask(int)
        taken.append((time.perf_counter() - started) * 1000)
    executor.stop()
    return statistics.median(taken[2:])


if __name__ == "__main__":
    kinds = [word for word in sys.argv[1:] if word in KINDS]
    main(kinds or KINDS, [int(word) for word in sys.argv[1:] if word.isdigit()] or [10, 100])
