"""Answers about where networks look: at which marked region, and whether their maps can be believed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from medcls.evaluation import run_scores

Summary = Mapping[str, Any]
Answered = dict[str, Any]
Heat = Mapping[str, Any]

NORMAL = 1.96  # standard errors within which 95% of means lie

__all__ = ["believable", "where_it_looks"]


def where_it_looks(question: str = "Where does each network look?") -> Any:
    """Return the answer that says at which marked region each variant looks and which it needs, data set by data set.

    A region is looked at if over the images more of the heat lies on it than its share of the area, by a 95% interval;
    of several, that with most heat for its area is named. One is needed if the accuracy falls when it is filled in, by
    a 95% interval as well: that is what a network does, of which heat is but a picture.
    """

    def answer(summary: Summary) -> Answered:
        nothing = "no regions are known in these images, so the maps are shown and not measured"
        return _answered(summary, question, _region_numbers, _looks, nothing)

    return answer


def believable(question: str = "Can the maps be believed?") -> Any:
    """Return the answer that says what randomised weights, deletion and insertion make of each variant's maps."""

    def answer(summary: Summary) -> Answered:
        return _answered(summary, question, _trust_numbers, _trusted, "no image has a map to be tested")

    return answer


def _answered(summary: Summary, question: str, numbers: Any, sentence: Any, nothing: str) -> Answered:
    values: dict[str, Any] = {}
    sentences = []
    names = [each["name"] for each in summary["data_sets"]]
    for data in names:
        values[data], told, untold = {}, [], []
        for variant in run_scores.variants(summary, data):
            runs = run_scores.finished(summary, data, variant).values()
            heats = [run["heat"] for run in runs if "heat" in run]
            found = numbers(heats)
            if heats and not any(heat["warm"] for heat in heats):
                told.append(f"{variant}: {_cold(heats)}")
            elif found:
                values[data][variant] = found
                told.append(f"{variant}: {sentence(found)}")
            elif heats:
                untold.append(variant)
        if told and untold:
            told.append(f"{', '.join(untold)}: {nothing}")
        said = "; ".join(told) if told else nothing
        sentences.append(f"{f'On {data}, ' if len(names) > 1 else ''}{said}.")
    text = " ".join(sentences)
    return {"question": question, "answer": text[:1].upper() + text[1:], "values": values}


def _cold(heats: Sequence[Heat]) -> str:
    """Say of maps without any heat what that means."""
    accuracy = _mean(heat["accuracy"] for heat in heats)
    return f"its maps are empty, as nothing in an image changes what it says (accuracy {accuracy:.3f})"


def _region_numbers(heats: Sequence[Heat]) -> dict[str, Any]:
    """Return means over a variant's runs, region by region; empty where nothing is marked."""
    names = [name for name in (heats[0]["regions"] if heats else ()) if all(name in heat["regions"] for heat in heats)]
    found: dict[str, Any] = {}
    for name in names:
        each = [heat["regions"][name] for heat in heats]
        mean = {key: _mean(one[key] for one in each) for key in ("share", "area", "times", "accuracy_filled_in")}
        (excess, ci95), (lost, lost_ci95) = (_with_interval(each, key) for key in ("excess", "lost"))
        intervals = {"excess": excess, "ci95": ci95, "lost": lost, "lost_ci95": lost_ci95}
        found[name] = {**mean, **intervals, "runs": len(each), "images": each[0]["images"]}
    return {"accuracy": _mean(heat["accuracy"] for heat in heats), "regions": found} if found else {}


def _with_interval(found: Sequence[Heat], key: str) -> tuple[float, list[float]]:
    """Return the mean of what has a mean and a standard error in each run, and its 95% interval."""
    mean, error = (_mean(one[key][place] for one in found) for place in (0, 1))
    return mean, [mean - NORMAL * error, mean + NORMAL * error]


def _looks(found: Mapping[str, Any]) -> str:
    regions = found["regions"]
    verdict = _verdict(regions)
    shares = [
        f"{each['share']:.1%} of the heat on the {name} ({each['area']:.1%} of the area: {each['times']:.1f} times)"
        for name, each in regions.items()
    ]
    filled = [f"{each['accuracy_filled_in']:.3f} with the {name} filled in" for name, each in regions.items()]
    return f"it {verdict}: {', '.join(shares)}; accuracy {found['accuracy']:.3f}, {', '.join(filled)}"


def _verdict(regions: Mapping[str, Any]) -> str:
    """Say in a few words which region the heat lies on and which the network cannot do without."""
    warm = [name for name, each in regions.items() if each["ci95"][0] > 0]
    looked_at = max(warm, key=lambda name: regions[name]["times"]) if warm else ""
    looks = f"looks at the {looked_at}" if looked_at else "looks at none of them"
    needed = [name for name, each in regions.items() if each["lost_ci95"][0] > 0]
    if not needed:
        return f"{looks} and needs none of them"
    if needed == [looked_at]:
        return f"{looks} and needs it"
    needs = f"needs the {' and the '.join(needed)}"
    return f"{looks} and {needs}" if looked_at in needed else f"{needs}, though it {looks}"


def _trust_numbers(heats: Sequence[Heat]) -> dict[str, Any]:
    tested = [heat for heat in heats if "sanity" in heat]
    if not tested:
        return {}
    ranks = np.mean([heat["sanity"]["ranks"] for heat in tested], axis=0)
    found: dict[str, Any] = {
        "runs": len(tested),
        "images": tested[0]["sanity"]["images"],
        "rank_correlation": {"top_random": float(ranks[0]), "all_random": float(ranks[-1])},
        "likeness_all_random": _mean(heat["sanity"]["likeness"][-1] for heat in tested),
    }
    for kind in ("deletion", "insertion"):
        difference, interval = _with_interval([heat[kind] for heat in tested], "difference")
        means = {key: _mean(heat[kind][key] for heat in tested) for key in ("heat", "random")}
        found[kind] = {**means, "difference": difference, "ci95": interval}
    return found


def _trusted(found: Mapping[str, Any]) -> str:
    ranks = found["rank_correlation"]
    falls = f"their rank correlation falls from 1 to {ranks['top_random']:.2f} with its topmost layers random and to "
    falls += f"{ranks['all_random']:.2f} with all weights random"
    return f"{falls}; {_curve(found, 'deletion', lower=True)}; {_curve(found, 'insertion', lower=False)}"


def _curve(found: Mapping[str, Any], kind: str, *, lower: bool) -> str:
    each = found[kind]
    low, high = each["ci95"]
    better, worse = (high < 0, low > 0) if lower else (low > 0, high < 0)
    verdict = "better than" if better else "worse than" if worse else "not distinguishable from"
    return f"{kind} {each['heat']:.3f}, {verdict} random maps ({each['random']:.3f})"


def _mean(values: Any) -> float:
    return float(np.mean(list(values)))
