"""What is to be remarked of a run's network, from the predictions that its run directory holds."""

from collections.abc import Mapping
from typing import Any

from medcls.data.loading.decoded_cache import open_decoded
from medcls.evaluation import one_answer
from medcls.execution.planning.datasets import DataSource


def remark(saved: Mapping[str, Any] | None, source: DataSource) -> str:
    """Return a sentence without its subject on a network that tells little apart, "" for any other.

    Args:
        saved: a run's "predictions" of its validation set and their "rows", None where there are none.
        source: the data set of the run.
    """
    if saved is None or not len(saved["rows"]):
        return ""
    rows, predictions = saved["rows"], saved["predictions"]
    if predictions.ndim == 2:
        return one_answer.of_classes(source.bundle.labels[rows], predictions, source.bundle.classes)
    if source.decoded is None:
        return ""
    masks = open_decoded(source.decoded).masks
    return "" if masks is None else one_answer.of_masks(masks[rows][..., 0] > 0, predictions)
