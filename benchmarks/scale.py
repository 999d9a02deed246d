"""Benchmark of many runs: planning a large study, and logging metrics to a store.

    python -m benchmarks.scale [RUNS]

The plan is that of a toy study with RUNS seeds (10,000), printed and discarded, in a process of its own: its wall time,
and the ratio to the command for 10 runs. The store is a fresh SQLite file, to which runs of 500 epochs with twelve
metrics are mirrored as a driver does it, compared with MLflow's own client that logs one epoch at a time.
"""

import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from medcls.cli.options import Parser, add_flags, options
from medcls.cli.study import run_and_report
from medcls.tracking.entries import Ending, Entry, EntryStatus
from medcls.tracking.mlflow_client import Point, Store
from medcls.tracking.mlflow_sync import Mirror
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import CheckpointState, EpochRow
from studies import toy_boundaries

EPOCHS, RUNS = 500, 10
METRICS = [f"metric_{number}" for number in range(12)]


def main(runs: int) -> None:
    """Measure and print both."""
    few, many = _planned(10), _planned(runs)
    print(f"plan: {runs} runs in {many:.1f} s, 10 runs in {few:.1f} s, ratio {many / few:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = _mirrored(Path(folder) / "ours"), _logged(Path(folder) / "theirs")
    print(f"store: {ours:,.0f} metrics per second, epoch by epoch {theirs:,.0f}, ratio {ours / theirs:.1f}")


def plan(runs: int, folder: str) -> None:
    """Plan a study of `runs` runs and exit."""
    name, first = next(iter(toy_boundaries.STUDY.variants.items()))
    study = replace(toy_boundaries.STUDY, variants={name: first}, seeds=tuple(range(runs)))
    parser = Parser(prog="scale")
    add_flags(parser, search=False)
    flags = options(parser.parse_args(["--plan", "--work-dir", folder, "--offline"]))
    sys.exit(run_and_report([study], lambda: flags))


def _planned(runs: int) -> float:
    """Return how many seconds it takes to plan a study of `runs` runs."""
    with tempfile.TemporaryDirectory() as folder:
        line = f"from benchmarks import scale; scale.plan({runs}, {folder!r})"
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", line], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - started


def _row(epoch: int) -> EpochRow:
    """Return the journal's row of an epoch."""
    values = dict.fromkeys(METRICS, 1 / (1 + epoch))
    return EpochRow(epoch, values, time=1_700_000_000_000 + epoch, seconds=1.0)


def _mirrored(home: Path) -> float:
    """Return how many metrics per second a driver mirrors from run directories to a store."""
    home.mkdir()
    store = Store(f"sqlite:///{home / 'mlflow.db'}", "scale", "", home)
    folders = []
    for number in range(RUNS):
        folder = RunDir(home / f"run{number}")
        folder.path.mkdir()
        folder.mark_started()
        folder.copy_checkpoint([_row(epoch) for epoch in range(EPOCHS)], EPOCHS, CheckpointState(), {})
        folders.append(folder)
    mirror = Mirror(store)
    mirror.settle()
    started = time.perf_counter()
    for folder in folders:
        name = folder.path.name
        mirror.open(Entry(name, name, None, 1_700_000_000_000, folder=folder))
        mirror.close(name, Ending(EntryStatus.FINISHED, 1_700_000_001_000))
    assert mirror.settle(), mirror.lost
    return RUNS * EPOCHS * (len(METRICS) + 1) / (time.perf_counter() - started)


def _logged(home: Path) -> float:
    """Return how many metrics per second MLflow's own client logs, epoch by epoch."""
    home.mkdir()
    store = Store(f"sqlite:///{home / 'mlflow.db'}", "scale", "", home)
    store.create(Entry("plain", "plain", None), 1_700_000_000_000)
    started = time.perf_counter()
    for epoch in range(EPOCHS // 10):
        store.log("plain", _points(_row(epoch)))
    return (EPOCHS // 10) * len(METRICS) / (time.perf_counter() - started)


def _points(row: EpochRow) -> list[Point]:
    """Return the metrics of an epoch as MLflow takes them."""
    return [(name, value, row.time, row.epoch) for name, value in row.metrics.items()]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
