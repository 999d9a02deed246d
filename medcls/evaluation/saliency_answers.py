"""Answers about where networks look: at which marked region, and whether their saliency maps can be believed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from medcls.evaluation import run_scores
from medcls.evaluation.comparisons import Answer
from medcls.evaluation.saliency_record import CurveScores, MeanAndError, SaliencyRecord
from medcls.evaluation.summary import AnswerRecord, StudySummary
from medcls.evaluation.wording import data_names
from medcls.utils.typed_json import as_plain

NORMAL = 1.96  # standard errors within which 95% of means lie

__all__ = ["believable", "where_it_looks"]


@dataclass(frozen=True)
class RegionMeans:
    """Means over a variant's runs of how much saliency lies on one region; `ci95` and `lost_ci95` are 95% intervals."""

    share: float
    area: float
    times: float
    accuracy_filled_in: float
    excess: float
    ci95: tuple[float, float]
    lost: float
    lost_ci95: tuple[float, float]
    runs: int
    images: int


@dataclass(frozen=True)
class CurveMeans:
    """Means over a variant's runs of the area under a deletion or insertion curve, and their difference's interval."""

    heat: float
    random: float
    difference: float
    ci95: tuple[float, float]


def where_it_looks(question: str = "Where does each network look?") -> Answer:
    """Return the answer that says at which marked region each variant looks and which it needs, data set by data set.

    A network looks at a region if over the images more of the saliency lies on it than its share of the area, by a
    95% interval; of several, the one with most saliency for its area is named. It needs a region if the accuracy falls
    when the region is filled in, by a 95% interval as well: that is what a network does, of which a saliency map is
    only a picture.
    """

    def answer(summary: StudySummary) -> AnswerRecord:
        nothing = "no regions are known in these images, so the maps are shown and not measured"
        return _answered(summary, question, _of_regions, nothing)

    return answer


def believable(question: str = "Can the maps be believed?") -> Answer:
    """Return the answer that says what randomised weights, deletion and insertion make of each variant's maps."""

    def answer(summary: StudySummary) -> AnswerRecord:
        return _answered(summary, question, _of_tests, "no image has a map to be tested")

    return answer


Measure = Callable[[Sequence[SaliencyRecord]], tuple[Mapping[str, Any], str] | None]
"""The maps of a variant's runs -> numbers and the sentence that they make, None where there are no numbers."""


def _answered(summary: StudySummary, question: str, measure: Measure, nothing: str) -> AnswerRecord:
    """Return the answer that a measure of each variant's maps makes, `nothing` in its place where there is none."""
    values: dict[str, dict[str, Any]] = {}
    sentences = []
    for data in data_names(summary):
        values[data] = {}
        clauses, unmeasured = [], []
        for variant in run_scores.variants(summary, data):
            runs = run_scores.finished(summary, data, variant).values()
            maps = [run.heat for run in runs if run.heat is not None]
            if not maps:
                continue
            measured = measure(maps)
            if not any(record.warm for record in maps):
                accuracy = _mean(record.accuracy for record in maps)
                empty = "its maps are empty, as nothing in an image changes what it predicts"
                clauses.append(f"{variant}: {empty} (accuracy {accuracy:.3f})")
            elif measured is not None:
                values[data][variant], clause = measured
                clauses.append(f"{variant}: {clause}")
            else:
                unmeasured.append(variant)
        if clauses and unmeasured:
            clauses.append(f"{', '.join(unmeasured)}: {nothing}")
        where = f"On {data}, " if len(summary.data_sets) > 1 else ""
        sentences.append(f"{where}{'; '.join(clauses) or nothing}.")
    text = " ".join(sentences)
    return AnswerRecord(question, text[:1].upper() + text[1:], values)


def _of_regions(maps: Sequence[SaliencyRecord]) -> tuple[Mapping[str, Any], str] | None:
    """Return means over a variant's runs, region by region, in numbers and words; None where nothing is marked."""
    regions: dict[str, RegionMeans] = {}
    for name in maps[0].regions:
        if all(name in record.regions for record in maps):
            regions[name] = _region_means(maps, name)
    if not regions:
        return None
    accuracy = _mean(record.accuracy for record in maps)
    shares, filled = [], []
    for name, region in regions.items():
        area = f"{region.area:.1%} of the area: {region.times:.1f} times"
        shares.append(f"{region.share:.1%} of the heat on the {name} ({area})")
        filled.append(f"{region.accuracy_filled_in:.3f} with the {name} filled in")
    sentence = f"it {_verdict(regions)}: {', '.join(shares)}; accuracy {accuracy:.3f}, {', '.join(filled)}"
    return {"accuracy": accuracy, "regions": as_plain(regions)}, sentence


def _region_means(maps: Sequence[SaliencyRecord], name: str) -> RegionMeans:
    scores = [record.regions[name] for record in maps]
    excess, ci95 = _with_interval(score.excess for score in scores)
    lost, lost_ci95 = _with_interval(score.lost for score in scores)
    return RegionMeans(
        share=_mean(score.share for score in scores),
        area=_mean(score.area for score in scores),
        times=_mean(score.times for score in scores),
        accuracy_filled_in=_mean(score.accuracy_filled_in for score in scores),
        excess=excess,
        ci95=ci95,
        lost=lost,
        lost_ci95=lost_ci95,
        runs=len(scores),
        images=scores[0].images,
    )


def _with_interval(pairs: Iterable[MeanAndError]) -> tuple[float, tuple[float, float]]:
    """Return the mean of means with their standard errors, one pair a run, and its 95% interval."""
    means, errors = zip(*pairs, strict=True)
    mean, error = _mean(means), _mean(errors)
    return mean, (mean - NORMAL * error, mean + NORMAL * error)


def _verdict(regions: Mapping[str, RegionMeans]) -> str:
    """Say in a few words which region the saliency lies on and which the network cannot do without."""
    warm = [name for name, region in regions.items() if region.ci95[0] > 0]
    looked_at = max(warm, key=lambda name: regions[name].times) if warm else ""
    looks = f"looks at the {looked_at}" if looked_at else "looks at none of them"
    needed = [name for name, region in regions.items() if region.lost_ci95[0] > 0]
    if not needed:
        return f"{looks} and needs none of them"
    if needed == [looked_at]:
        return f"{looks} and needs it"
    needs = f"needs the {' and the '.join(needed)}"
    return f"{looks} and {needs}" if looked_at in needed else f"{needs}, though it {looks}"


def _of_tests(maps: Sequence[SaliencyRecord]) -> tuple[Mapping[str, Any], str] | None:
    """Return what the tests of a variant's maps say, in numbers and words; None where no run's maps were tested."""
    sanity, deletions, insertions = [], [], []
    for record in maps:
        if record.sanity is not None and record.deletion is not None and record.insertion is not None:
            sanity.append(record.sanity)
            deletions.append(record.deletion)
            insertions.append(record.insertion)
    if not sanity:
        return None
    ranks = np.mean([scores.ranks for scores in sanity], axis=0)
    top_random, all_random = float(ranks[0]), float(ranks[-1])
    deletion, insertion = _curve_means(deletions), _curve_means(insertions)
    numbers = {
        "runs": len(sanity),
        "images": sanity[0].images,
        "rank_correlation": {"top_random": top_random, "all_random": all_random},
        "likeness_all_random": _mean(scores.likeness[-1] for scores in sanity),
        "deletion": as_plain(deletion),
        "insertion": as_plain(insertion),
    }
    sentence = (
        f"their rank correlation falls from 1 to {top_random:.2f} with its topmost layers random and to "
        f"{all_random:.2f} with all weights random; {_curve_clause('deletion', deletion, lower_is_better=True)}; "
        f"{_curve_clause('insertion', insertion, lower_is_better=False)}"
    )
    return numbers, sentence


def _curve_means(scores: Sequence[CurveScores]) -> CurveMeans:
    difference, interval = _with_interval(score.difference for score in scores)
    heat, random = _mean(score.heat for score in scores), _mean(score.random for score in scores)
    return CurveMeans(heat, random, difference, interval)


def _curve_clause(kind: str, means: CurveMeans, *, lower_is_better: bool) -> str:
    low, high = means.ci95
    if low <= 0 <= high:
        verdict = "not distinguishable from"
    else:
        verdict = "better than" if (high < 0) == lower_is_better else "worse than"
    return f"{kind} {means.heat:.3f}, {verdict} random maps ({means.random:.3f})"


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
