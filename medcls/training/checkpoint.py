"""Checkpoints: all state of a training, so that one killed at any epoch continues to the bits of one that was not."""

import math
import time

import numpy as np

from medcls.tracking.checkpoint_files import Arrays
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import CheckpointState, EpochRow
from medcls.utils.errors import TrainingError
from medcls.utils.lazy import keras, psutil
from medcls.utils.records import DamagedError
from medcls.utils.tensors import Callback, KerasModel

CALLBACK_STATE = ("wait", "stopped_epoch", "best", "best_epoch", "cooldown_counter")


def recorder(run_dir: RunDir, callbacks: list[Callback], began: int = 0) -> Callback:
    """Return the Keras callback that restores the checkpoint, then journals and saves every epoch.

    It must be the last callback. While training, it raises TrainingError if a metric is no longer a finite number.

    Args:
        run_dir: where the journal and the checkpoint are written.
        callbacks: the training's other callbacks, whose state is part of the checkpoint.
        began: the number of epochs at which this stage of the training began; a checkpoint of an earlier stage has
            the variables of another network, so it is not restored.
    """

    class Recorder(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_begin(self, logs: object = None) -> None:  # noqa: ARG002
            restore(run_dir, self.model, callbacks, began)  # after the others' on_train_begin, which wipes their state

        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002
            self.rate = float(self.model.optimizer.learning_rate)
            self.started = time.time()

        def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
            metrics = {name: float(value) for name, value in logs.items()} | {"learning_rate": self.rate}
            for name, value in metrics.items():
                if not math.isfinite(value):
                    raise TrainingError(
                        f"{name} is {value} in epoch {epoch + 1}: training diverged; "
                        "lower the learning rate (--set learner.optimizer.learning_rate=...)."
                    )
            run_dir.append(
                EpochRow(
                    epoch=epoch,
                    metrics=metrics,
                    time=int(time.time() * 1000),
                    seconds=round(time.time() - self.started, 3),
                    system=_system(),
                )
            )
            save(run_dir, epoch + 1, self.model, callbacks, began)
            run_dir.exit_if_stopped()

    return Recorder()


def save(run_dir: RunDir, epochs: int, model: KerasModel, callbacks: list[Callback], began: int = 0) -> None:
    """Write the checkpoint: every variable of model and optimizer, and the state of the callbacks.

    Args:
        run_dir: where it is written.
        epochs: how many epochs are trained.
        model: the Keras network that is trained.
        callbacks: whose state is saved, without the recorder.
        began: the number of epochs at which this stage of the training began.
    """
    arrays = {f"model/{i}": np.asarray(variable) for i, variable in enumerate(model.variables)}
    arrays |= {f"optimizer/{i}": np.asarray(variable) for i, variable in enumerate(model.optimizer.variables)}
    states = []
    for number, callback in enumerate(callbacks):
        states.append({name: _plain(getattr(callback, name)) for name in CALLBACK_STATE if hasattr(callback, name)})
        best = getattr(callback, "best_weights", None) or []
        arrays |= {f"best/{number}/{i}": weights for i, weights in enumerate(best)}
    state = CheckpointState(tuple(states), bool(model.stop_training), began)
    run_dir.write_checkpoint(epochs, state, arrays)


def restore(run_dir: RunDir, model: KerasModel, callbacks: list[Callback], began: int = 0) -> None:
    """Set model, optimizer and callbacks to what the checkpoint holds, if there is one of this stage.

    Args:
        run_dir: where the checkpoint is.
        model: the compiled Keras network.
        callbacks: whose state is restored, in the order in which it was saved.
        began: the number of epochs at which this stage of the training began.

    Raises:
        DamagedError: the checkpoint is damaged or of another network; nothing has been set then.
    """
    try:
        _, state, arrays = run_dir.read_checkpoint()
    except FileNotFoundError:
        return
    if state.began != began:
        return
    _check(run_dir, model, callbacks, state, arrays)
    for kind, variables in (("model", model.variables), ("optimizer", model.optimizer.variables)):
        for number, variable in enumerate(variables):
            variable.assign(arrays[f"{kind}/{number}"])
    for number, (callback, callback_state) in enumerate(zip(callbacks, state.callbacks, strict=True)):
        for name, value in callback_state.items():
            setattr(callback, name, value)
        count = sum(name.startswith(f"best/{number}/") for name in arrays)
        if count:
            callback.best_weights = [arrays[f"best/{number}/{i}"] for i in range(count)]
    model.stop_training = state.stopped


def has_checkpoint(run_dir: RunDir) -> bool:
    """Tell whether a run directory has a checkpoint that is sound to its last byte."""
    try:
        run_dir.read_checkpoint()
    except (FileNotFoundError, DamagedError):
        return False
    return True


def stage_start(run_dir: RunDir) -> int:
    """Return the number of epochs at which the checkpoint's stage of the training began; 0 without a checkpoint."""
    try:
        _, state, _ = run_dir.read_checkpoint()
    except (FileNotFoundError, DamagedError):
        return 0
    return state.began


def progress(run_dir: RunDir, began: int = 0) -> tuple[int, bool]:
    """Return how many epochs the checkpoint holds, and whether the stage that began at `began` has stopped early.

    A damaged checkpoint is removed, and the training starts anew.
    """
    try:
        epochs, state, _ = run_dir.read_checkpoint()
    except FileNotFoundError:
        return 0, False
    except DamagedError as error:
        print(f"{error.path} is damaged ({error.reason}): starting again at epoch 1.")
        run_dir.checkpoint.unlink()
        return 0, False
    return epochs, state.stopped and state.began == began


def _check(
    run_dir: RunDir, model: KerasModel, callbacks: list[Callback], state: CheckpointState, arrays: Arrays
) -> None:
    """Raise DamagedError if a checkpoint does not hold all that is to be restored.

    Args:
        run_dir: where the checkpoint is.
        model: the compiled Keras network.
        callbacks: whose state is to be restored.
        state: what the checkpoint holds of the callbacks and the stage.
        arrays: what it holds of the variables.
    """
    path = run_dir.checkpoint
    if len(state.callbacks) != len(callbacks):
        raise DamagedError(path, "it has the state of other callbacks than the run's")
    for kind, variables in (("model", model.variables), ("optimizer", model.optimizer.variables)):
        for number, variable in enumerate(variables):
            saved = arrays.get(f"{kind}/{number}")
            if saved is None or saved.shape != tuple(variable.shape):
                shape = "no shape" if saved is None else f"the shape {saved.shape}"
                raise DamagedError(path, f"of another network: {variable.path} has {shape} there")


def _plain(value: object) -> object:
    return value.item() if hasattr(value, "item") else value


def _system() -> dict[str, float]:
    """Return the load of the machine, named like MLflow's system metrics."""
    process = psutil.Process().memory_info().rss / 1e6
    memory = psutil.virtual_memory()
    return {
        "system/cpu_utilization_percentage": psutil.cpu_percent(),
        "system/system_memory_usage_megabytes": (memory.total - memory.available) / 1e6,
        "system/process_memory_usage_megabytes": process,
    }
