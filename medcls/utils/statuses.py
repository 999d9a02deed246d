"""How runs and trials end: the words in their records, in the summary and on the screen."""

from enum import StrEnum

__all__ = ["RunStatus", "TrialState"]


class RunStatus(StrEnum):
    """How a run ended."""

    FINISHED = "finished"
    FAILED = "failed"
    PRUNED = "pruned"
    INTERRUPTED = "interrupted"


class TrialState(StrEnum):
    """How far a trial of a search has come."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
    RUNNING = "running"
    WAITING = "waiting"
