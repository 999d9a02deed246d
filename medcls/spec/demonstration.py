"""A demonstration: what transforms and random augmentations do to one image; nothing is trained."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medcls.utils.naming import check_study


@dataclass(frozen=True)
class Demonstration:
    """A question that pictures of one image answer; nothing is trained.

    Attributes:
        name: the file's stem; also the MLflow experiment.
        question: one sentence.
        data: the data set whose first image is shown.
        scales: factors of the size, side by side.
        angles: degrees of rotation, side by side.
        percentiles: between which values are spread over the whole scale.
        augment: the random changes of the strip.
        count: pictures in the strip.
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
    """What the command line says beside the demonstration's own parameters."""

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
