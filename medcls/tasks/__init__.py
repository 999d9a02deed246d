"""Tasks: what a target means, with its head, loss, metrics and scores; one file for each kind of target."""

from medcls.tasks.base import Task
from medcls.tasks.classification import BINARY, MULTICLASS, SPARSE
from medcls.tasks.segmentation import SEGMENTATION

__all__ = ["BINARY", "MULTICLASS", "SEGMENTATION", "SPARSE", "Task"]
