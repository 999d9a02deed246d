"""The compiled network that a process keeps, so that its next run of the same program is trained without a new trace.

TensorFlow traces and optimises a training step before the first one is made; for a small network that takes longer than
several epochs. Runs of one program differ in what does not enter the trace: the data, the seed, and what lies in
variables, such as the first weights and the learning rate. The next run gets the kept network with the values of a
freshly built one, so its bits are those of a process of its own.

A network is kept only if all of its layers, and the optimizer, metrics and callbacks of its training, are Keras's or
medcls's own: only of these is it known that they keep everything that changes in variables.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.spec.parameters import arguments_of, function_of, is_node
from medcls.utils.lazy import keras
from medcls.utils.tensors import Callback, KerasModel, Metric, Optimizer, Tensor

OURS = ("keras", "medcls")


@dataclass(frozen=True)
class _Compiled:
    """How a network is compiled.

    Attributes:
        network: the network.
        training: a description of the optimizer, the loss and the metrics.
        optimizer: the values of the optimizer's variables before the first step.
    """

    network: KerasModel
    training: str
    optimizer: list[NDArray[Any]]


@dataclass
class _Kept:
    """A network that is kept.

    Attributes:
        network: the network.
        layers: a description of its layers.
        parts: networks of some of its layers, in an order of their maker's.
        compiled: those of these networks that were compiled.
    """

    network: KerasModel
    layers: str
    parts: tuple[KerasModel, ...] = ()
    compiled: list[_Compiled] = field(default_factory=list)


@dataclass
class _Process:
    """What this process keeps.

    Attributes:
        program: of the run at work, "" if no network is to be kept.
        last: the program of the network that is kept.
        kept: the network, None for none.
    """

    program: str = ""
    last: str = ""
    kept: _Kept | None = None


_process = _Process()


@contextmanager
def of_program(program: str) -> Iterator[None]:
    """Let a learner use the network that this process keeps of a program, and keep the one that it compiles.

    Args:
        program: its name; equal names mean equal functions with equal parameters, for images of one shape.
    """
    if program != _process.last:
        forget()
    _process.program = _process.last = program
    try:
        yield
    except BaseException:
        forget()
        raise
    finally:
        _process.program = ""


def forget() -> None:
    """Keep no network of this process."""
    _process.kept = None


def is_kept() -> bool:
    """Tell whether this process keeps a network that was compiled."""
    return _process.kept is not None and _process.kept.compiled != []


def initial_network(build: Callable[[], KerasModel], seed: int, functions: Sequence[Callable[..., Any]]) -> KerasModel:
    """Return a network with the first weights of a seed: a fresh one, or the one that is kept.

    Args:
        build: returns a fresh network.
        seed: of its weights, of dropout and of whatever else a function draws.
        functions: all functions of the training, or partials of them.
    """
    kept = _process.kept if _process.program else None
    if kept is None or not are_ours(functions):
        keras.utils.set_random_seed(seed)
    else:  # Keras and medcls draw from no random state of TensorFlow, which to seed would undo the compilation
        random.seed(seed)
        np.random.seed(seed)
    fresh = build()
    if not _process.program:
        return fresh
    layers = _description(fresh)
    if kept is None:
        _process.kept = _Kept(fresh, layers) if _has_state_in_variables(fresh) else None
        return fresh
    if layers != kept.layers:
        forget()
        return initial_network(build, seed, functions)
    for variable, first in zip(kept.network.variables, fresh.variables, strict=True):
        variable.assign(first)
    return kept.network


def parts_of(network: KerasModel, divide: Callable[[], tuple[KerasModel, ...]]) -> tuple[KerasModel, ...]:
    """Return the parts of a network, which may be trained too; those of a network that is kept are kept with it.

    Args:
        network: the network.
        divide: makes the parts.
    """
    kept = _process.kept
    if kept is None or kept.network is not network:
        return divide()
    kept.parts = kept.parts or divide()
    return kept.parts


def compile_network(
    network: KerasModel,
    optimizer: Optimizer,
    loss: Callable[..., Tensor],
    metrics: list[Metric],
    callbacks: Sequence[Callback],
    steps: int,
) -> None:
    """Compile a network and create its optimizer's variables; one that is kept and compiled so already is only reset.

    Args:
        network: the network.
        optimizer: a fresh one.
        loss: (targets, predictions) -> one value an image.
        metrics: of the training.
        callbacks: of the training.
        steps: how many steps are made in a call.
    """
    kept = _process.kept
    if kept is None or not any(network is other for other in (kept.network, *kept.parts)):
        _compile(network, optimizer, loss, metrics, steps)
        return
    training = _training_description(optimizer, loss, metrics, steps)
    for compiled in kept.compiled:
        if compiled.network is network and compiled.training == training:
            for variable, value in zip(network.optimizer.variables, compiled.optimizer, strict=True):
                variable.assign(value)
            network.optimizer.learning_rate = optimizer.learning_rate.numpy()
            break
    else:
        _compile(network, optimizer, loss, metrics, steps)
        kept.compiled = [compiled for compiled in kept.compiled if compiled.network is not network]
        first = [variable.numpy() for variable in optimizer.variables]
        kept.compiled.append(_Compiled(network, training, first))
    if not all(_is_ours(item) for item in (optimizer, *metrics, *callbacks)):
        forget()


def _compile(
    network: KerasModel, optimizer: Optimizer, loss: Callable[..., Tensor], metrics: list[Metric], steps: int
) -> None:
    # jit_compile="auto" may choose XLA, which is slower on a CPU.
    network.compile(optimizer, loss=loss, metrics=metrics, jit_compile=False, steps_per_execution=steps)
    optimizer.build(network.trainable_variables)  # before a checkpoint can be loaded into its variables


def _is_ours(item: object) -> bool:
    return type(item).__module__.split(".")[0] in OURS


def are_ours(functions: Sequence[Callable[..., Any]]) -> bool:
    """Tell whether functions, and those that they are given as arguments, are Keras's or medcls's own."""
    for function in functions:
        if function_of(function).__module__.split(".")[0] not in OURS:
            return False
        if not are_ours([value for value in arguments_of(function).values() if is_node(value)]):
            return False
    return True


def _has_state_in_variables(network: KerasModel) -> bool:
    for layer in network._flatten_layers():
        if not _is_ours(layer) or isinstance(layer, keras.layers.Lambda):
            return False
    return True


def _description(network: KerasModel) -> str:
    """Return the configuration of a network as JSON, in which layers are numbered instead of named.

    Keras numbers the names of layers through the whole process.
    """
    configuration = json.loads(network.to_json())
    numbers = {layer.name: f"layer {number}" for number, layer in enumerate(network._flatten_layers())}

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {numbers.get(key, key): renamed(item) for key, item in value.items()}
        if isinstance(value, list):
            return [renamed(item) for item in value]
        return numbers.get(value, value) if isinstance(value, str) else value

    return json.dumps(renamed(configuration))


def _training_description(optimizer: Optimizer, loss: Callable[..., Tensor], metrics: list[Metric], steps: int) -> str:
    """Return a description of all that enters the trace of a training step beside the network.

    Args:
        optimizer: its learning rate does not enter: it is a variable.
        loss: (targets, predictions) -> one value an image.
        metrics: of the training.
        steps: how many steps are made in a call.
    """
    configuration = {
        name: value for name, value in optimizer.get_config().items() if name not in ("name", "learning_rate")
    }
    parts = [type(optimizer).__qualname__, configuration, _loss_description(loss), steps]
    parts += [[type(metric).__qualname__, metric.get_config()] for metric in metrics]
    return json.dumps(parts, default=repr)


def _loss_description(loss: Callable[..., Tensor]) -> list[Any]:
    """Return a description of a loss; one that holds values of its own is described as no other is."""
    function = function_of(loss)
    described: list[Any] = [function.__module__, function.__qualname__]
    if isinstance(loss, partial):
        described += [loss.args, loss.keywords]
    if getattr(function, "__closure__", None) is not None or not hasattr(function, "__qualname__"):
        described.append(id(function))
    return described
