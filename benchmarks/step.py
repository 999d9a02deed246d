"""Benchmark of a training step: medcls against bare Keras and, where it is installed, PyTorch, for each network.

    python -m pip install -e ".[benchmarks]"       # PyTorch; without it, its columns are left out
    python -m benchmarks.step [TURNS] [NETWORK...]

All train on one repeated batch on one thread, in one process, in turn, with Adam. The least processor time of all turns
counts, because other load on the machine only adds to it. GFLOP/s are those of the convolutions and dense layers,
forward and backward: six operations for each multiply-add of an image.
"""

import importlib.util
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from medcls import models
from medcls.tasks import MULTICLASS, SEGMENTATION, Task
from medcls.training import batch_norm
from medcls.training.network import network, operations
from medcls.utils.tensors import KerasModel

CLASSES = 4
STEPS = 40  # of a turn: so many that what Keras does once in each call of `fit` hardly counts
Steps = Callable[[int], Any]


@dataclass(frozen=True)
class Case:
    """A network and the shape of its batch: images, height, width, channels."""

    model: Callable[..., Any]
    shape: tuple[int, int, int, int]
    task: Task = MULTICLASS


CASES = MappingProxyType(
    {
        "ResNet-20, base 8": Case(partial(models.resnet, depth=20, base=8), (16, 32, 32, 3)),
        "ResNet-20, base 16": Case(partial(models.resnet, depth=20, base=16), (16, 32, 32, 3)),
        "AlexNet, base 8": Case(partial(models.alexnet, base=8, batch_norm=True), (8, 128, 128, 1)),
        "AlexNet, base 32": Case(partial(models.alexnet, base=32, batch_norm=True), (8, 128, 128, 1)),
        "VGG16, base 8": Case(partial(models.vgg, base=8, batch_norm=True), (8, 128, 128, 1)),
        "U-Net, base 8": Case(partial(models.unet, base=8, batch_norm=True), (8, 128, 128, 1), SEGMENTATION),
    }
)


def main(turns: int, names: list[str]) -> None:
    """Measure some networks, and print a table of milliseconds a step, with ratios and GFLOP/s."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    print("| network | bare Keras | medcls | of Keras | PyTorch | of PyTorch | compiled | of compiled | GFLOP/s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in names:
        case = CASES[name]
        times = fastest(contestants(case), turns)
        ours = times["medcls"]
        cells = [f"{times['Keras']:.1f} ms", f"{ours:.1f} ms", f"{ours / times['Keras']:.2f}"]
        for other in ("PyTorch", "compiled"):
            cells += [f"{times[other]:.1f} ms", f"{ours / times[other]:.2f}"] if other in times else ["", ""]
        work = 6 * case.shape[0] * operations(built(case)) / 1e6
        print("|", " | ".join([name, *cells, f"{work / ours:.1f}"]), "|", flush=True)


def contestants(case: Case) -> dict[str, Steps]:
    """Return who takes part, each as a function that makes some steps."""
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, case.shape).astype(np.float32)
    targets = np.eye(CLASSES, dtype=np.float32)[np.arange(case.shape[0]) % CLASSES]
    if case.task.pixels:
        targets = draw.integers(0, 2, (*case.shape[:3], 1)).astype(np.float32)
    fast, slow = built(case), built(case)
    batch_norm.speed_up(fast)
    found = {"Keras": keras_steps(slow, case, images, targets), "medcls": keras_steps(fast, case, images, targets)}
    if importlib.util.find_spec("torch"):
        found["PyTorch"] = torch_steps(slow, images, targets, compiled=False)
        found["compiled"] = torch_steps(slow, images, targets, compiled=True)
    return found


def built(case: Case) -> KerasModel:
    """Return a case's network."""
    return network(case.model, case.task, case.shape[1:], CLASSES)


def keras_steps(model: KerasModel, case: Case, images: NDArray[np.float32], targets: NDArray[np.float32]) -> Steps:
    """Return what makes some steps by Keras's `fit`.

    Args:
        model: a Keras network.
        case: it has the loss.
        images: a batch, of shape (images, height, width, channels).
        targets: of the images.
    """
    model.compile("adam", loss=case.task.loss, metrics=case.task.metrics(CLASSES), jit_compile=False)
    batch = tf.data.Dataset.from_tensors((images, targets))
    return lambda steps: model.fit(batch.repeat(steps), shuffle=False, verbose=0)


def torch_steps(
    model: KerasModel, images: NDArray[np.float32], targets: NDArray[np.float32], *, compiled: bool
) -> Steps:
    """Return what makes some steps by PyTorch.

    Args:
        model: the Keras network whose work is to be done.
        images: a batch, of shape (images, height, width, channels).
        targets: of the images: their classes as unit vectors, or masks.
        compiled: whether `torch.compile` is used.
    """
    import torch

    from benchmarks.torch_network import TorchNetwork

    torch.set_num_threads(1)
    learner = TorchNetwork(model).train()
    optimizer = torch.optim.Adam(learner.parameters())
    loss = torch.nn.BCEWithLogitsLoss() if targets.ndim == 4 else torch.nn.CrossEntropyLoss()
    inputs = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
    wanted = torch.from_numpy(targets.transpose(0, 3, 1, 2).copy() if targets.ndim == 4 else targets)
    forward = torch.compile(learner) if compiled else learner

    def make(steps: int) -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            loss(forward(inputs), wanted).backward()
            optimizer.step()

    return make


def fastest(takes_part: dict[str, Steps], turns: int) -> dict[str, float]:
    """Return the least processor time of a step of each contestant, in milliseconds.

    Args:
        takes_part: functions that make some steps.
        turns: how often each has its turn.
    """
    for make in takes_part.values():
        make(2)
    least = dict.fromkeys(takes_part, float("inf"))
    for _ in range(turns):
        for name, make in takes_part.items():
            started = time.process_time()
            make(STEPS)
            least[name] = min(least[name], (time.process_time() - started) / STEPS * 1000)
    return least


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10, sys.argv[2:] or list(CASES))
