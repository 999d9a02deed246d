"""Benchmark of the driver: what it costs a run that trains nothing, and how its memory grows.

    python -m benchmarks.runs [local] [store] [ray] [RUNS...]

Runs are carried out on this machine offline ("local"), with a store in a SQLite file ("store"), and on a local Ray
("ray"). The study has as many seeds as runs, one at a time, and its learner guesses. Each number of runs is a command
of its own, timed from its first line to its last. The cost of a run is what each additional run adds to the wall time
of the command. Without the start of a process and the run's own work, which are both measured, the rest consists of
the driver's part (its CPU time), the figures (with a store, drawn by the run's process) and the end of the process.
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
    """Measure each kind with each number of runs, and print what a run costs and how the driver's memory grows."""
    for kind in kinds:
        measured = {count: _measured(kind, count) for count in counts}
        start = _start(kind)
        for few, many in pairwise(counts):
            before, after = measured[few], measured[many]
            wall = (after["wall"] - before["wall"]) / (many - few) * 1000
            cpu = (after["cpu"] - before["cpu"]) / (many - few) * 1000
            rest = wall - start - after["work"]
            growth = after["peak"] - measured[counts[0]]["peak"]
            print(
                f"{kind}, {many} runs: {wall:.0f} ms per run; {rest:.0f} ms without the start of its process "
                f"({start:.0f}) and its work ({after['work']:.0f}); CPU time of the driver {cpu:.0f} ms; "
                f"memory of the driver {growth:+.0f} MB compared with {counts[0]} runs",
                flush=True,
            )


def study(kind: str, count: int, home: str) -> None:
    """Carry out a study and write its times and memory to a file.

    Args:
        kind: "local", "store" or "ray".
        count: the number of runs.
        home: the directory for everything.
    """
    first = next(iter(toy_boundaries.STUDY.variants.values()))
    variant = Variant(first.data, partial(guess), first.task)
    seeds = tuple(range(count))
    guessing = replace(toy_boundaries.STUDY, name="runs", variants={"guess": variant}, seeds=seeds, answers=())
    parser = Parser(prog="runs")
    add_flags(parser, search=False)
    arguments = ["--work-dir", f"{home}/runs", "--executor", "ray" if kind == "ray" else "local"]
    arguments += ["--tracking-uri", f"sqlite:///{home}/mlflow.db"] if kind == "store" else ["--offline"]
    flags = options(parser.parse_args([*arguments, "--workers", "1", "--quiet"]))
    started = time.perf_counter()
    code = run_and_report([guessing], lambda: flags)
    wall, used = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    results = [json.loads(path.read_text()) for path in Path(home).glob("runs/*/result.json")]
    assert not code
    assert [result["status"] for result in results] == ["finished"] * count
    work = statistics.median(result["seconds"] for result in results) * 1000
    measured = {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024, "work": work}
    (Path(home) / "measured.json").write_text(json.dumps(measured))


def _measured(kind: str, count: int) -> dict[str, float]:
    """Carry out a study in a process of its own, and return its times and memory."""
    with tempfile.TemporaryDirectory() as home:
        line = f"from benchmarks import runs; runs.study({kind!r}, {count}, {home!r})"
        subprocess.run([sys.executable, "-c", line], check=True, stdout=subprocess.DEVNULL)
        measured: dict[str, float] = json.loads((Path(home) / "measured.json").read_text())
        return measured


def _start(kind: str) -> float:
    """Return how many milliseconds a process that does nothing takes from request to reply."""
    executor = RayExecutor("ray", 1) if kind == "ray" else LocalExecutor(1, 1)
    durations = []
    for _ in range(12):
        started = time.perf_counter()
        executor.ask(int)
        durations.append((time.perf_counter() - started) * 1000)
    executor.stop()
    return statistics.median(durations[2:])


if __name__ == "__main__":
    kinds = [word for word in sys.argv[1:] if word in KINDS]
    main(kinds or KINDS, [int(word) for word in sys.argv[1:] if word.isdigit()] or [10, 100])
