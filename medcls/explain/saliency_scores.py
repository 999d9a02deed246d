"""What `heat_maps` has left in a run's folder, in numbers: for the summary, its answers and the store."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcls.explain.faithfulness import area
from medcls.tracking.run_dir import HEAT, RunDir
from medcls.utils.naming import Rules, distinct

Arrays = Mapping[str, NDArray[Any]]

KINDS = ("deletion", "insertion")
REGIONS = Rules(partial(re.sub, r"[^\w.-]", "_"), lambda name, room: name[:room], room=200)  # names within a metric's


def read(folder: RunDir) -> dict[str, Any]:
    """Return the numbers of the maps in a run's folder, none where there are no maps."""
    arrays = folder.read_arrays(HEAT)
    return {} if arrays is None else told(arrays)


def told(arrays: Arrays) -> dict[str, Any]:
    """Return the numbers of a run's maps as plain values.

    "warm" says in how many images there is any heat. "regions" has, for each that is marked, the mean "share" of the
    heat and of the "area", how many "times" as much heat as area there is, "excess" (the mean of share less area, and
    its standard error over the images), the accuracy with the region filled in, and what is "lost" by that (the mean
    over the images and its standard error). "sanity" has the mean similarity to the trained network's maps stage by
    stage; "deletion" and "insertion" the mean area under the curve of the maps and of maps that know nothing.
    """
    right = _right(arrays["predictions"], arrays["labels"])
    found: dict[str, Any] = {
        "method": str(arrays["method"]),
        "layer": str(arrays["layer"]),
        "images": len(arrays["rows"]),
        "warm": int(arrays["maps"].any(axis=(1, 2)).sum()),
        "accuracy": round(float(right.mean()), 5),
        "regions": {str(name): _region(arrays, number, right) for number, name in enumerate(arrays["regions"])},
    }
    found["regions"] = {name: each for name, each in found["regions"].items() if each["images"]}
    if "ranks" in arrays:
        ranks, likeness = (np.asarray(arrays[name]).mean(axis=1) for name in ("ranks", "likeness"))
        found["sanity"] = {
            "images": arrays["ranks"].shape[1],
            "down_to": [str(name) for name in arrays["down_to"]],
            "ranks": _rounded(ranks),
            "likeness": _rounded(likeness),
        }
        found |= {kind: _curve(arrays[kind], arrays[f"random_{kind}"]) for kind in KINDS}
    return found


def scores(found: Mapping[str, Any]) -> dict[str, float]:
    """Return the same as single scores for the store's run table."""
    single = {}
    regions = found.get("regions", {})
    names = distinct(regions, REGIONS)
    for region, each in regions.items():
        name = names[region]
        single[f"heat/{name}_share"], single[f"heat/{name}_times"] = each["share"], each["times"]
    if "sanity" in found:
        single["heat/rank_correlation_all_random"] = found["sanity"]["ranks"][-1]
    for kind in KINDS:
        if kind in found:
            single[f"heat/{kind}"], single[f"heat/{kind}_random"] = found[kind]["heat"], found[kind]["random"]
    return single


def _region(arrays: Arrays, number: int, right: NDArray[np.bool_]) -> dict[str, Any]:
    share, size = arrays["share"][number], arrays["area"][number]
    known = np.isfinite(share)
    if not known.any():
        return {"images": 0}
    excess = (share - size)[known]
    filled_in = _right(arrays["filled_in"][number], arrays["labels"])
    lost = right.astype(float) - filled_in
    mean_share, mean_size = float(share[known].mean()), float(size[known].mean())
    return {
        "images": int(known.sum()),
        "share": round(mean_share, 5),
        "area": round(mean_size, 5),
        "times": round(mean_share / mean_size, 3),
        "excess": [round(float(excess.mean()), 5), round(_error(excess), 5)],
        "accuracy_filled_in": round(float(filled_in.mean()), 5),
        "lost": [round(float(lost.mean()), 5), round(_error(lost), 5)],
    }


def _curve(heat: NDArray[np.float32], random: NDArray[np.float32]) -> dict[str, Any]:
    ours, theirs = area(heat), area(random)
    return {
        "heat": round(float(ours.mean()), 5),
        "random": round(float(theirs.mean()), 5),
        "difference": [round(float((ours - theirs).mean()), 5), round(_error(ours - theirs), 5)],
    }


def _error(values: NDArray[np.floating]) -> float:
    """Return the standard error of a mean, 0 of a single value."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def _right(predictions: NDArray[np.floating], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.asarray(predictions.argmax(axis=1) == labels)


def _rounded(values: NDArray[np.floating]) -> list[float]:
    return [round(float(value), 4) for value in values]
