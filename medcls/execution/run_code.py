"""The code that determines a run's result, and the part of it that is compiled."""

from medcls.data.dataset import DatasetSpec
from medcls.data.split import split
from medcls.spec.run import Run
from medcls.tracking.work_dir import RunState
from medcls.utils.code_digest import code_digest
from medcls.utils.hashing import digest

NOT_COMPILED = (
    "augment",
    "batch_size",
    "epochs",
    "imbalance",
    "mirrored",
    "optimizer.learning_rate",
    "schedule",
    "share",
    "stop",
    "watch",
    "weights",
)
"""The parameters of a learner that do not enter the compiled training step, or that the learner compares itself."""


def code_of(run: Run) -> str:
    """Return the digest of the code that determines a run's result."""
    return code_digest([*run.variant.functions(), split])


def stale(run: Run, state: RunState) -> bool:
    """Tell whether the epochs that a run has were trained by a different version of the code."""
    return state.has_own_epochs and state.code is not None and state.code != code_of(run)


def program_of(run: Run, data: DatasetSpec) -> str:
    """Return the name of the program that is compiled for a run: a hash of all that enters it.

    Args:
        run: the run.
        data: its data set.
    """
    compiled = {}
    for path, value in run.variant.hashed().items():
        name = path.removeprefix("learner.")
        if not any(name == other or name.startswith(f"{other}.") for other in NOT_COMPILED):
            compiled[path] = value
    return digest([compiled, code_of(run), data.shape, len(data.classes)])
