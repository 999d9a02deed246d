"""What a target means, one file a kind: head, loss, metrics, final scores, and what to monitor."""

from medcls.tasks.base import Task
from medcls.tasks.classification import BINARY, MULTICLASS, SPARSE
from medcls.tasks.segmentation import SEGMENTATION

__all__ = ["BINARY", "MULTICLASS", "SEGMENTATION", "SPARSE", "Task"]
