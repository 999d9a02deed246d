"""The laboratory of tasks 1a to 2b: through medcls against a plain script, as its students write it.

    python -m benchmarks.lab [SHARE]

Both train the same networks for the same epochs, SHARE (0.1) of the laboratory's, on the skin phantom, decoded
beforehand, with one seed. The script trains one model after another in one process: Keras `fit` on arrays with
TensorFlow's own threads, in medcls's order of images, so that the final accuracies can be compared. They differ by
what another number of threads does to the last bits: how much that is shows the same script, then run on one thread
(not timed). Sharing is what the epochs took in the script that medcls did
not train; all else (runs side by side or on all threads, processes, journals, figures, the store) is the rest.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks.workload import decoded
from medcls.cli.options import Parser, add_flags, options
from medcls.cli.study import run_and_report
from medcls.data.loading.batches import shuffled, steps_of
from medcls.data.loading.decoded_cache import open_decoded
from medcls.data.split import split
from medcls.execution.executors.worker import set_threads
from medcls.spec.study import Study
from medcls.spec.variant import Variant
from medcls.training.network import network
from studies import task1a_dropout, task1b_batch_norm, task1c_low_learning_rate, task1d_longer_training
from studies import task2a_spatial_dropout as task2a
from studies import task2b_spatial_dropout_longer as task2b

LAB = (task1a_dropout, task1b_batch_norm, task1c_low_learning_rate, task1d_longer_training, task2a, task2b)
SEED = 0
MEASURES = ("accuracy", "val_accuracy")


def main(share: float) -> None:
    """Run both, each in a process of its own, and print the ratio of their wall times."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        decoded(work, next(iter(task1a_dropout.STUDY.variants.values())))
        walls = {name: _timed(name, share, work) for name in ("plain", "medcls")}
        _timed("single", share, work)
        script, single = (json.loads((work / f"{name}.json").read_text()) for name in ("plain", "single"))
        summaries = json.loads((work / "medcls.json").read_text())["studies"]
    runs = {(each["study"], run["variant"]): run for each in summaries for run in each["runs"]}
    spared = sum(_spared(run) * script[" | ".join(name)]["epoch"] for name, run in runs.items())
    ratio = walls["medcls"] / walls["plain"]
    rest = walls["plain"] - spared - walls["medcls"]
    print(f"plain script {walls['plain']:.0f} s, medcls {walls['medcls']:.0f} s, ratio {ratio:.3f}")
    print(
        f"sharing spared {spared:.0f} s ({spared / walls['plain']:.1%}); all else {rest:.0f} s "
        f"({rest / walls['plain']:.1%})"
    )
    _compare(runs, script, single)


def _compare(runs: Mapping[tuple[str, str], Any], script: Mapping[str, Any], single: Mapping[str, Any]) -> None:
    """Print the final accuracies of both, and how far they are apart beside what a change of threads does."""
    apart: dict[str, list[float]] = {"medcls": [], "script on one thread": []}
    for name, run in runs.items():
        label = " | ".join(name)
        ours = {measure: run["history"][measure][-1] for measure in MEASURES}
        theirs = {"medcls": ours, "script": script[label], "script on one thread": single[label]}
        shown = [f"{who} {each[MEASURES[0]]:.3f} / {each[MEASURES[1]]:.3f}" for who, each in theirs.items()]
        print(f"{label}: {run['epochs']} epochs, {run['threads']} threads; {' / '.join(MEASURES)}: {', '.join(shown)}")
        for who, differences in apart.items():
            differences.extend(abs(theirs[who][measure] - script[label][measure]) for measure in MEASURES)
    for who, differences in apart.items():
        print(f"{who} and the script differ by {np.mean(differences):.4f} on average, {max(differences):.4f} at most")


def _spared(run: Mapping[str, Any]) -> int:
    """Return how many of a run's epochs medcls did not train for it."""
    return int(run["epochs"] if run["reused"] else run["shared_epochs"])


def _timed(name: str, share: float, work: Path) -> float:
    started = time.perf_counter()
    with (work / f"{name}.txt").open("w") as output:
        command = [sys.executable, "-m", "benchmarks.lab", str(share), name, str(work)]
        done = subprocess.run(command, stdout=output, stderr=output, check=False)
    if done.returncode:
        sys.exit(f"{name} ended with {done.returncode}:\n{(work / f'{name}.txt').read_text()[-2000:]}")
    return time.perf_counter() - started


def lab(share: float) -> Iterator[Study]:
    """Yield the studies with a share of their epochs."""
    for module in LAB:
        study = module.STUDY
        scaled = {
            name: variant.with_("learner.epochs", max(1, round(share * variant.get("learner.epochs"))))
            for name, variant in study.variants.items()
        }
        yield replace(study, variants=scaled)


def through_medcls(share: float, work: Path) -> int:
    """Carry the studies out together, as `medcls run` does, with a store."""
    parser = Parser()
    add_flags(parser, search=False)
    places = ["--work-dir", str(work), "--tracking-uri", f"sqlite:///{work / 'mlflow.db'}"]
    given = parser.parse_args([*places, "--seeds", str(SEED), "--json", str(work / "medcls.json")])
    return run_and_report(list(lab(share)), lambda: options(given))


def plainly(share: float, work: Path, name: str) -> None:
    """Train one model after another; what task 1a has trained, task 1b does not train again."""
    if name == "single":
        set_threads(1)
    found: dict[str, Any] = {}
    trained: dict[Variant, dict[str, float]] = {}
    for study in lab(share):
        for label, variant in study.variants.items():
            if variant not in trained:
                trained[variant] = _fitted(variant, work)
            found[f"{study.name} | {label}"] = trained[variant]
    (work / f"{name}.json").write_text(json.dumps(found))


class Ordered(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of arrays in medcls's order."""

    def __init__(self, images: Any, targets: Any, batch_size: int) -> None:
        super().__init__()
        self.images, self.targets, self.batch_size, self.epoch = images, targets, batch_size, 0
        self.order = shuffled(targets[:, 0], SEED)
        self.rows = self.order(0)

    def __len__(self) -> int:
        return steps_of(len(self.targets), self.batch_size)

    def __getitem__(self, step: int) -> tuple[Any, Any]:
        rows = self.rows[step * self.batch_size : (step + 1) * self.batch_size]
        return self.images[rows], self.targets[rows]

    def on_epoch_end(self) -> None:
        """Draw the next epoch's order."""
        self.epoch += 1
        self.rows = self.order(self.epoch)


def _fitted(variant: Variant, work: Path) -> dict[str, float]:
    data, task = open_decoded(decoded(work, variant)[0]), variant.task
    rows = split(data.labels, data.parts, data.patients, fold=None, folds=None, seed=0)
    pixels, targets = np.asarray(data.images, np.float32), task.target(data, np.arange(len(data.labels)))
    keras.utils.set_random_seed(SEED)
    net = network(variant.get("learner.model"), task, pixels.shape[1:], len(data.classes))
    metrics = task.metrics(len(data.classes))
    net.compile(variant.get("learner.optimizer")(), loss=task.loss, metrics=metrics, jit_compile=False)
    epochs, started = variant.get("learner.epochs"), time.perf_counter()
    history = net.fit(
        Ordered(pixels[rows.train], targets[rows.train], variant.get("learner.batch_size")),
        epochs=epochs,
        shuffle=False,
        validation_data=(pixels[rows.validation], targets[rows.validation]),
        validation_batch_size=64,
        verbose=0,
    ).history
    seconds = (time.perf_counter() - started) / epochs
    return {"epoch": seconds, **{name: values[-1] for name, values in history.items()}}


if __name__ == "__main__":
    chosen = float(sys.argv[1]) if len(sys.argv) > 1 else 0.1
    if len(sys.argv) < 4:
        main(chosen)
    elif sys.argv[2] == "medcls":
        sys.exit(through_medcls(chosen, Path(sys.argv[3])))
    else:
        plainly(chosen, Path(sys.argv[3]), sys.argv[2])
