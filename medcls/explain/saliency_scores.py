"""The saliency maps of a run in numbers: for the summary, its answers and the store."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from medcls.evaluation.saliency_record import CurveScores, RegionScores, SaliencyRecord, SanityScores
from medcls.explain.faithfulness import area
from medcls.tracking.run_dir import HEAT, RunDir
from medcls.utils.naming import Rules, distinct

Arrays: TypeAlias = Mapping[str, NDArray[Any]]

REGIONS = Rules(partial(re.sub, r"[^\w.-]", "_"), lambda name, room: name[:room], room=200)  # names within a metric's


def read(folder: RunDir) -> SaliencyRecord | None:
    """Return the numbers of the saliency maps in a run directory, None where there are no maps."""
    arrays = folder.read_arrays(HEAT)
    return None if arrays is None else measured(arrays)


def measured(arrays: Arrays) -> SaliencyRecord:
    """Return the numbers of a run's saliency maps, from the arrays that `explain.heat_maps` left."""
    right = _right(arrays["predictions"], arrays["labels"])
    regions = {}
    for number, name in enumerate(arrays["regions"]):
        region = _region(arrays, number, right)
        if region is not None:
            regions[str(name)] = region
    tested = "ranks" in arrays
    return SaliencyRecord(
        method=str(arrays["method"]),
        layer=str(arrays["layer"]),
        images=len(arrays["rows"]),
        warm=int(arrays["maps"].any(axis=(1, 2)).sum()),
        accuracy=round(float(right.mean()), 5),
        regions=regions,
        sanity=_sanity(arrays) if tested else None,
        deletion=_curve(arrays["deletion"], arrays["random_deletion"]) if tested else None,
        insertion=_curve(arrays["insertion"], arrays["random_insertion"]) if tested else None,
    )


def scores(record: SaliencyRecord | None) -> dict[str, float]:
    """Return the numbers of a run's saliency maps as single scores for the store's run table, {} without maps."""
    if record is None:
        return {}
    scores = {}
    names = distinct(record.regions, REGIONS)
    for region, of_region in record.regions.items():
        scores[f"heat/{names[region]}_share"] = of_region.share
        scores[f"heat/{names[region]}_times"] = of_region.times
    if record.sanity is not None:
        scores["heat/rank_correlation_all_random"] = record.sanity.ranks[-1]
    for kind, curve in (("deletion", record.deletion), ("insertion", record.insertion)):
        if curve is not None:
            scores[f"heat/{kind}"], scores[f"heat/{kind}_random"] = curve.heat, curve.random
    return scores


def _sanity(arrays: Arrays) -> SanityScores:
    return SanityScores(
        images=arrays["ranks"].shape[1],
        down_to=tuple(str(name) for name in arrays["down_to"]),
        ranks=_rounded(arrays["ranks"].mean(axis=1)),
        likeness=_rounded(arrays["likeness"].mean(axis=1)),
    )


def _region(arrays: Arrays, number: int, right: NDArray[np.bool_]) -> RegionScores | None:
    """Return how much saliency lies on a region, None where no image has it."""
    share, size = arrays["share"][number], arrays["area"][number]
    has_region = np.isfinite(share)
    if not has_region.any():
        return None
    excess = (share - size)[has_region]
    filled_in = _right(arrays["filled_in"][number], arrays["labels"])
    lost = right.astype(float) - filled_in
    mean_share, mean_size = float(share[has_region].mean()), float(size[has_region].mean())
    return RegionScores(
        images=int(has_region.sum()),
        share=round(mean_share, 5),
        area=round(mean_size, 5),
        times=round(mean_share / mean_size, 3),
        excess=(round(float(excess.mean()), 5), round(_error(excess), 5)),
        accuracy_filled_in=round(float(filled_in.mean()), 5),
        lost=(round(float(lost.mean()), 5), round(_error(lost), 5)),
    )


def _curve(heat: NDArray[np.float32], random: NDArray[np.float32]) -> CurveScores:
    ours, theirs = area(heat), area(random)
    difference = (round(float((ours - theirs).mean()), 5), round(_error(ours - theirs), 5))
    return CurveScores(round(float(ours.mean()), 5), round(float(theirs.mean()), 5), difference)


def _error(values: NDArray[np.floating]) -> float:
    """Return the standard error of a mean, 0 of a single value."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def _right(predictions: NDArray[np.floating], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.asarray(predictions.argmax(axis=1) == labels)


def _rounded(values: NDArray[np.floating]) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in values)
