"""Benchmark of the laboratory, tasks 1a to 2b: medcls against a plain script as its students write it.

    python -m benchmarks.lab [SHARE]

Both train equal networks for equally many epochs, SHARE (0.1) of the laboratory's, on the decoded skin phantom with one
seed. The script trains one model after another in one process: Keras `fit` on arrays with TensorFlow's own threads, in
medcls's order of images, so that the final accuracies can be compared. They differ because another number of threads
changes the last bits; running the script again on one thread, untimed, shows how much that is. The time saved by
sharing is the time that the script spent on epochs that medcls did not train. The rest of the difference comes from
parallel runs or all threads, processes, journals, figures and the store.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import keras
import numpy as np
from numpy.typing import NDArray

from benchmarks.workload import decoded
from medcls.cli.options import Parser, add_flags, options
from medcls.cli.study import run_and_report
from medcls.data.loading.batches import shuffled, steps_of
from medcls.data.loading.decoded_cache import open_decoded
from medcls.data.split import split
from medcls.execution.worker import set_threads
from medcls.spec.study import Study
from medcls.spec.variant import Variant
from medcls.training.network import network
from studies import task1a_dropout, task1b_batch_norm, task1c_low_learning_rate, task1d_longer_training
from studies import task2a_spatial_dropout as task2a
from studies import task2b_spatial_dropout_longer as task2b

LAB = (task1a_dropout, task1b_batch_norm, task1c_low_learning_rate, task1d_longer_training, task2a, task2b)
SEED = 0
METRICS = ("accuracy", "val_accuracy")

Scores: TypeAlias = Mapping[str, float]


def main(share: float) -> None:
    """Run both, each in a process of its own, and print the ratio of their wall times."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        decoded(work, next(iter(task1a_dropout.STUDY.variants.values())))
        walls = {name: _timed(name, share, work) for name in ("plain", "medcls")}
        _timed("single", share, work)
        script = json.loads((work / "plain.json").read_text())
        single = json.loads((work / "single.json").read_text())
        summaries = json.loads((work / "medcls.json").read_text())["studies"]
    runs = {}
    for summary in summaries:
        for run in summary["runs"]:
            runs[f"{summary['study']} | {run['variant']}"] = run
    saved = sum(_epochs_saved(run) * script[label]["epoch"] for label, run in runs.items())
    ratio = walls["medcls"] / walls["plain"]
    rest = walls["plain"] - saved - walls["medcls"]
    print(f"plain script {walls['plain']:.0f} s, medcls {walls['medcls']:.0f} s, ratio {ratio:.3f}")
    print(
        f"sharing saved {saved:.0f} s ({saved / walls['plain']:.1%}); everything else {rest:.0f} s "
        f"({rest / walls['plain']:.1%})"
    )
    _compare(runs, script, single)


def _compare(runs: Mapping[str, Any], script: Mapping[str, Scores], single: Mapping[str, Scores]) -> None:
    """Print the final accuracies, and how much medcls and the script on one thread differ from the script.

    Args:
        runs: label -> the run of medcls.
        script: label -> the final scores of the script.
        single: label -> the final scores of the script on one thread.
    """
    all_differences: dict[str, list[float]] = {"medcls": [], "script on one thread": []}
    for label, run in runs.items():
        ours = {metric: run["history"][metric][-1] for metric in METRICS}
        scores = {"medcls": ours, "script": script[label], "script on one thread": single[label]}
        texts = []
        for name, values in scores.items():
            texts.append(f"{name} {values['accuracy']:.3f} / {values['val_accuracy']:.3f}")
        print(f"{label}: {run['epochs']} epochs, {run['threads']} threads; {' / '.join(METRICS)}: {', '.join(texts)}")
        for name, differences in all_differences.items():
            for metric in METRICS:
                differences.append(abs(scores[name][metric] - script[label][metric]))
    for name, differences in all_differences.items():
        print(f"{name} and the script differ by {np.mean(differences):.4f} on average, {max(differences):.4f} at most")


def _epochs_saved(run: Mapping[str, Any]) -> int:
    """Return how many epochs of a run medcls did not train."""
    return int(run["epochs"] if run["reused"] else run["shared_epochs"])


def _timed(name: str, share: float, work: Path) -> float:
    """Run one of both in a process of its own and return its wall time in seconds.

    Args:
        name: "plain", "medcls" or "single" (the script on one thread).
        share: of the laboratory's epochs.
        work: the work directory.
    """
    started = time.perf_counter()
    with (work / f"{name}.txt").open("w") as output:
        command = [sys.executable, "-m", "benchmarks.lab", str(share), name, str(work)]
        process = subprocess.run(command, stdout=output, stderr=output, check=False)
    if process.returncode:
        sys.exit(f"{name} ended with {process.returncode}:\n{(work / f'{name}.txt').read_text()[-2000:]}")
    return time.perf_counter() - started


def lab(share: float) -> Iterator[Study]:
    """Yield the studies with a share of their epochs."""
    for module in LAB:
        study = module.STUDY
        variants = {}
        for name, variant in study.variants.items():
            epochs = max(1, round(share * variant.get("learner.epochs")))
            variants[name] = variant.with_("learner.epochs", epochs)
        yield replace(study, variants=variants)


def through_medcls(share: float, work: Path) -> int:
    """Carry out the studies together, as `medcls run` does, with a store."""
    parser = Parser()
    add_flags(parser, search=False)
    arguments = ["--work-dir", str(work), "--tracking-uri", f"sqlite:///{work / 'mlflow.db'}"]
    flags = parser.parse_args([*arguments, "--seeds", str(SEED), "--json", str(work / "medcls.json")])
    return run_and_report(list(lab(share)), lambda: options(flags))


def plainly(share: float, work: Path, name: str) -> None:
    """Train one model after another, each variant once, and write the final scores to a file.

    Args:
        share: of the laboratory's epochs.
        work: the work directory.
        name: "plain", or "single" for one thread.
    """
    if name == "single":
        set_threads(1)
    scores: dict[str, dict[str, float]] = {}
    trained: dict[Variant, dict[str, float]] = {}
    for study in lab(share):
        for label, variant in study.variants.items():
            if variant not in trained:
                trained[variant] = _fitted(variant, work)
            scores[f"{study.name} | {label}"] = trained[variant]
    (work / f"{name}.json").write_text(json.dumps(scores))


class Ordered(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of arrays in medcls's order.

    Args:
        images: of shape (n, height, width, channels), float32.
        targets: of shape (n, 1).
        batch_size: images per batch.
    """

    def __init__(self, images: NDArray[np.float32], targets: NDArray[Any], batch_size: int) -> None:
        super().__init__()
        self.images, self.targets, self.batch_size, self.epoch = images, targets, batch_size, 0
        self.order = shuffled(targets[:, 0], SEED)
        self.rows = self.order(0)

    def __len__(self) -> int:
        return steps_of(len(self.targets), self.batch_size)

    def __getitem__(self, step: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        rows = self.rows[step * self.batch_size : (step + 1) * self.batch_size]
        return self.images[rows], self.targets[rows]

    def on_epoch_end(self) -> None:
        """Draw the next epoch's order."""
        self.epoch += 1
        self.rows = self.order(self.epoch)


def _fitted(variant: Variant, work: Path) -> dict[str, float]:
    """Train a variant in Keras; return the seconds per epoch as "epoch", and the final scores."""
    data, task = open_decoded(decoded(work, variant)[0]), variant.task
    rows = split(data.labels, data.parts, data.patients, fold=None, folds=None, seed=0)
    pixels, targets = np.asarray(data.images, np.float32), task.target(data, np.arange(len(data.labels)))
    keras.utils.set_random_seed(SEED)
    model = network(variant.get("learner.model"), task, pixels.shape[1:], len(data.classes))
    metrics = task.metrics(len(data.classes))
    model.compile(variant.get("learner.optimizer")(), loss=task.loss, metrics=metrics, jit_compile=False)
    epochs, started = variant.get("learner.epochs"), time.perf_counter()
    history = model.fit(
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
    share_of_epochs = float(sys.argv[1]) if len(sys.argv) > 1 else 0.1
    if len(sys.argv) < 4:
        main(share_of_epochs)
    elif sys.argv[2] == "medcls":
        sys.exit(through_medcls(share_of_epochs, Path(sys.argv[3])))
    else:
        plainly(share_of_epochs, Path(sys.argv[3]), sys.argv[2])
