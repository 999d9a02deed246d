"""A demonstration: figures that show what transforms and random augmentations do to one image; nothing is trained."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medcls.utils.naming import check_study


@dataclass(frozen=True)
class Demonstration:
    """A question that figures of one image answer; nothing is trained.

    Attributes:
        name: the stem of the demonstration's file; also the name of the MLflow experiment.
        question: one sentence.
        data: the data set whose first image is shown.
        augment: the random augmentation.
        scales: factors by which the image is rescaled, one picture each.
        angles: degrees by which the image is rotated, counter-clockwise, one picture each.
        percentiles: the percentiles of the image's values that become black and white.
        count: number of randomly augmented pictures.
    """

    name: str
    question: str
    data: Callable[..., Any]
    augment: Callable[..., Any]
    scales: tuple[float, ...] = (0.2, 0.8)
    angles: tuple[float, ...] = (30.0, -30.0, -70.0)
    percentiles: tuple[float, ...] = (5.0, 95.0)
    count: int = 5

    def __post_init__(self) -> None:
        """Check the name."""
        check_study("Demonstration", self.name)


@dataclass(frozen=True)
class Options:
    """How a demonstration is drawn, whatever its parameters.

    Attributes:
        source: the folder or built-in data set whose first image is shown; "" for the demonstration's own.
        image: the image file that is shown instead, None for none.
        seed: seeds the random augmentations.
        out: the folder for the figures, None for one in the work directory.
        plan: whether to print only what would be drawn.
        smoke: whether the MLflow run is tagged as a smoke test.
        offline: whether nothing is logged to MLflow.
        json: the file that the summary is written to, None for none.
        tracking_uri: the URI of the MLflow store.
        work_dir: the work directory, an absolute path.
    """

    source: str
    image: Path | None
    seed: int
    out: Path | None
    plan: bool
    smoke: bool
    offline: bool
    json: Path | None
    tracking_uri: str
    work_dir: Path
