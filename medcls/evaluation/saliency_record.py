"""Where the network of a run looks, in numbers: a part of the run's record in the summary."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from medcls.utils.typed_json import OMITTED_IF_NONE, nothing

MeanAndError: TypeAlias = tuple[float, float]
"""A mean over images and its standard error."""


@dataclass(frozen=True)
class RegionScores:
    """How much of the saliency lies on one marked region, over the images that have it.

    Attributes:
        images: the number of images with the region.
        share: the mean share of the saliency on the region.
        area: the mean share of the image's area that the region covers.
        times: share / area.
        excess: the mean of share - area over the images, and its standard error.
        accuracy_filled_in: the accuracy with the region filled in.
        lost: the mean loss of accuracy by that over the images, and its standard error.
    """

    images: int
    share: float
    area: float
    times: float
    excess: MeanAndError
    accuracy_filled_in: float
    lost: MeanAndError


@dataclass(frozen=True)
class SanityScores:
    """How similar saliency maps stay as a network's layers are randomized from the top down (Adebayo et al. 2018).

    Attributes:
        images: the number of images.
        down_to: the layer down to which each stage is random.
        ranks: the mean rank correlation with the trained network's maps at each stage.
        likeness: the mean structural similarity with them at each stage.
    """

    images: int
    down_to: tuple[str, ...]
    ranks: tuple[float, ...]
    likeness: tuple[float, ...]


@dataclass(frozen=True)
class CurveScores:
    """The mean area under the deletion or insertion curve (Petsiuk et al. 2018).

    Attributes:
        heat: of the saliency maps.
        random: of maps that know nothing.
        difference: the mean difference over the images, and its standard error.
    """

    heat: float
    random: float
    difference: MeanAndError


@dataclass(frozen=True, kw_only=True)
class SaliencyRecord:
    """Where the network of a run looks, in numbers.

    Attributes:
        method: e.g. "grad_cam".
        layer: the layer whose maps are shown.
        images: the number of images with a map.
        warm: the number of maps that are not empty.
        accuracy: on these images.
        regions: the name of each marked region -> its scores.
        sanity, deletion, insertion: the tests of the maps, None where they were not asked for.
    """

    method: str
    layer: str
    images: int
    warm: int
    accuracy: float
    regions: Mapping[str, RegionScores] = field(default_factory=nothing)
    sanity: SanityScores | None = field(default=None, metadata=OMITTED_IF_NONE)
    deletion: CurveScores | None = field(default=None, metadata=OMITTED_IF_NONE)
    insertion: CurveScores | None = field(default=None, metadata=OMITTED_IF_NONE)
