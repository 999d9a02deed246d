"""Benchmark of a search: bonus_resnet through medcls against a plain script of Keras and Optuna as its users write it.

    python -m benchmarks.search [TRIALS]

Both train equal networks of the same trials (8), on as many folds, for the same numbers of epochs, and refit the best.
The script trains one network after the other in one process, with TensorFlow's own threads, Keras's preprocessing
layers for the augmentation, class weights, and a callback for the learning rate. medcls has its store, its journals,
its figures and its report besides. What medcls pruned or stopped early, the script does not train either.
"""

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import optuna
import tensorflow as tf
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.class_weight import compute_class_weight

from benchmarks.workload import decoded
from medcls.cli.options import Parser, add_flags, options
from medcls.cli.study import run_and_report
from medcls.data.dataset import TEST
from medcls.data.loading.decoded_cache import open_decoded
from medcls.models import resnet
from studies.bonus_resnet import BASE, STUDY

FOLDS = 3


def main(trials: int) -> None:
    """Run both, each in a process of its own, and print the ratio of their wall times."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        decoded(work, BASE)
        walls = {name: _timed(name, trials, work) for name in ("medcls", "plain")}
        runs = json.loads((work / "medcls.json").read_text())["runs"]
        script = json.loads((work / "plain.json").read_text())
    epochs = sum(run["epochs"] for run in runs)
    print(f"{trials} trials, {len(runs)} runs, {epochs} epochs")
    print(f"plain script {walls['plain']:.0f} s, medcls {walls['medcls']:.0f} s")
    print(f"ratio {walls['medcls'] / walls['plain']:.3f}")
    ours = np.mean([run["metrics"]["balanced_accuracy"] for run in runs if not run["refit"]])
    print(f"mean balanced accuracy over the folds: medcls {ours:.3f}, script {np.mean(script):.3f}")


def _timed(name: str, trials: int, work: Path) -> float:
    """Run one of both in a process of its own and return its wall time in seconds.

    Args:
        name: "plain" or "medcls".
        trials: of the search.
        work: the work directory.
    """
    started = time.perf_counter()
    with (work / f"{name}.txt").open("w") as output:
        command = [sys.executable, "-m", "benchmarks.search", str(trials), name, str(work)]
        process = subprocess.run(command, stdout=output, stderr=output, check=False)
    if process.returncode:
        sys.exit(f"{name} ended with {process.returncode}:\n{(work / f'{name}.txt').read_text()[-2000:]}")
    return time.perf_counter() - started


def through_medcls(trials: int, work: Path) -> int:
    """Carry out the study as its own command does, with a store."""
    parser = Parser()
    add_flags(parser, search=True)
    arguments = ["--work-dir", str(work), "--tracking-uri", f"sqlite:///{work / 'mlflow.db'}"]
    flags = parser.parse_args([*arguments, "--trials", str(trials), "--json", str(work / "medcls.json")])
    return run_and_report([STUDY], lambda: options(flags))


def plainly(work: Path) -> None:
    """Search with Optuna over the trials that medcls proposed, and refit the best; write the scores to a file."""
    summary = json.loads((work / "medcls.json").read_text())
    data = open_decoded(decoded(work, BASE)[0])
    images, labels = np.asarray(data.images, np.float32), data.labels
    training = np.flatnonzero(data.parts != TEST)
    runs = summary["runs"]
    by_trial: dict[str, list[Mapping[str, Any]]] = {}
    for run in runs:
        if not run["refit"]:
            by_trial.setdefault(run["variant"], []).append(run)
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(training, labels[training]))
    names = list(by_trial)
    scores: list[float] = []

    def objective(trial: optuna.Trial) -> float:
        name = names[trial.suggest_int("trial", 0, len(names) - 1)]
        values = []
        for run in by_trial[name]:
            train, validation = (training[rows] for rows in folds[run["fold"]])
            values.append(fitted(run, images, labels, train, validation))
        scores.extend(values)
        return float(np.mean(values))

    search = optuna.create_study(direction="maximize")
    for number in range(len(names)):
        search.enqueue_trial({"trial": number})
    search.optimize(objective, n_trials=len(names))
    for run in runs:
        if run["refit"]:
            fitted(run, images, labels, training, np.flatnonzero(data.parts == TEST))
    (work / "plain.json").write_text(json.dumps(scores))


def fitted(
    run: Mapping[str, Any],
    images: NDArray[np.float32],
    labels: NDArray[np.int64],
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
) -> float:
    """Train the network of a run as a notebook does, and return its balanced accuracy.

    Args:
        run: of medcls's summary: its parameters and for how many epochs it was trained.
        images: of shape (n, height, width, channels), 0 to 255.
        labels: of shape (n,).
        train: the rows to train on.
        validation: the rows to score.
    """
    chosen, classes = run["params"], int(labels.max()) + 1
    keras.utils.set_random_seed(0)
    strength = chosen["learner.augment.strength"]
    inputs = keras.Input(images.shape[1:])
    x = keras.layers.RandomRotation(strength * 15 / 360, fill_mode="nearest")(inputs)
    x = keras.layers.RandomTranslation(strength * 0.1, strength * 0.1, fill_mode="nearest")(x)
    x = keras.layers.RandomZoom(strength * 0.1, fill_mode="nearest")(x)
    x = keras.layers.RandomContrast(min(1.0, strength * 0.1))(x)
    x = keras.layers.Rescaling(1 / 255)(x)
    sizes = {name: chosen[f"learner.model.{name}"] for name in ("depth", "base", "dropout")}
    outputs = keras.layers.Dense(classes, activation="softmax")(resnet(x, **sizes))
    model = keras.Model(inputs, outputs)
    rate = chosen["learner.optimizer.learning_rate"]
    optimizer = keras.optimizers.AdamW(rate, weight_decay=chosen["learner.optimizer.weight_decay"])
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    weights = compute_class_weight("balanced", classes=np.arange(classes), y=labels[train])
    model.fit(
        images[train],
        labels[train],
        batch_size=chosen["learner.batch_size"],
        epochs=run["epochs"],
        validation_data=(images[validation], labels[validation]),
        class_weight=dict(enumerate(weights)),
        callbacks=[_schedule(chosen["learner.schedule"].split(".")[-1], rate, run["epochs"])],
        verbose=0,
    )
    predicted = model.predict(images[validation], verbose=0).argmax(axis=1)
    recalls = [(predicted[labels[validation] == label] == label).mean() for label in np.unique(labels[validation])]
    return float(np.mean(recalls))


def _schedule(name: str, rate: float, epochs: int) -> keras.callbacks.Callback:
    """Return the callback of a learning-rate schedule.

    Args:
        name: "plateau", "cosine" or "step".
        rate: the first learning rate.
        epochs: how long the training is.
    """
    shapes: Mapping[str, Callable[[int], float]] = {
        "cosine": lambda epoch: rate * (1 + math.cos(math.pi * epoch / epochs)) / 2,
        "step": lambda epoch: rate * 0.5 ** (epoch // 4),
    }
    if name in shapes:
        return keras.callbacks.LearningRateScheduler(shapes[name])
    return keras.callbacks.ReduceLROnPlateau(patience=2)


def _run(arguments: Sequence[str]) -> int:
    trials = int(arguments[0]) if arguments else 8
    if len(arguments) < 3:
        main(trials)
        return 0
    if arguments[1] == "medcls":
        return through_medcls(trials, Path(arguments[2]))
    tf.get_logger().setLevel("ERROR")
    plainly(Path(arguments[2]))
    return 0


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1:]))
