"""The sentences of where networks look, from a summary alone."""

from typing import Any

import pytest
from typed_summaries import typed

from medcls.evaluation.saliency_answers import believable, where_it_looks
from medcls.evaluation.summary import StudySummary


def region(share: float, area: float, error: float, filled: float) -> dict[str, Any]:
    excess, lost = [share - area, error], [0.8 - filled, 0.03]
    return {
        "images": 96,
        "share": share,
        "area": area,
        "times": share / area,
        "excess": excess,
        "accuracy_filled_in": filled,
        "lost": lost,
    }


def heat(label: float, bone: float, error: float = 0.01) -> dict[str, Any]:
    return {
        "method": "GradCAM",
        "layer": "Last_ConvLayer",
        "images": 96,
        "warm": 96,
        "accuracy": 0.8,
        "regions": {"bone": region(bone, 0.3, error, 0.78), "label": region(label, 0.02, error, 0.5)},
        "sanity": {"images": 16, "down_to": ["head", "conv"], "ranks": [0.8, 0.1], "likeness": [0.9, 0.2]},
        "deletion": {"heat": 0.5, "random": 0.6, "difference": [-0.1, 0.02]},
        "insertion": {"heat": 0.5, "random": 0.6, "difference": [-0.1, 0.2]},
    }


def asked(one: Any) -> dict[str, Any]:
    return {} if one is None else {"heat": one}


def summary(**variants: Any) -> StudySummary:
    runs = [
        {"data": "bone", "variant": name, "seed": seed, "fold": None, "status": "finished", "params": {}, **asked(one)}
        for name, heats in variants.items()
        for seed, one in enumerate(heats)
    ]
    return typed({"data_sets": [{"name": "bone"}], "runs": runs})


def test_the_region_with_most_heat_for_its_area_is_named_with_its_numbers() -> None:
    found = where_it_looks("Where?")(summary(low=[heat(0.2, 0.5), heat(0.3, 0.5)], high=[heat(0.01, 0.5)]))
    low, high = found.answer.split("; high: ")
    assert low.startswith(
        "Low: it looks at the label and needs it: 50.0% of the heat on the bone (30.0% of the area: 1.7 times)"
    )
    assert "25.0% of the heat on the label (2.0% of the area: 12.5 times)" in low
    assert "accuracy 0.800, 0.780 with the bone filled in, 0.500 with the label filled in" in low
    assert high.startswith("it needs the label, though it looks at the bone: ")
    assert found.values["bone"]["low"]["regions"]["label"]["share"] == pytest.approx(0.25)


def test_heat_that_might_be_chance_is_no_look() -> None:
    found = where_it_looks()(summary(low=[heat(0.03, 0.31, error=0.1)]))
    assert "looks at none of them" in found.answer


def test_what_the_accuracy_does_not_fall_without_is_not_needed() -> None:
    one = heat(0.3, 0.5)
    one["regions"]["label"]["lost"] = [0.05, 0.03]
    assert "it looks at the label and needs none of them: " in where_it_looks()(summary(low=[one])).answer
    one["regions"]["label"]["lost"] = one["regions"]["bone"]["lost"] = [0.3, 0.03]
    assert "it looks at the label and needs the bone and the label: " in where_it_looks()(summary(low=[one])).answer


def test_images_without_regions_are_said_to_have_none() -> None:
    bare = {**heat(0.2, 0.5), "regions": {}}
    found = where_it_looks()(summary(low=[bare], high=[None]))
    assert "No regions are known" in found.answer
    assert found.values == {"bone": {}}
    cold = {**bare, "warm": 0}
    found = where_it_looks()(summary(low=[bare], high=[cold], other=[None]))
    assert found.answer.startswith("High: its maps are empty")
    assert found.answer.endswith("; low: no regions are known in these images, so the maps are shown and not measured.")


@pytest.mark.parametrize("answer", [where_it_looks, believable])
def test_a_network_that_learnt_nothing_is_told_from_images_without_regions(answer: Any) -> None:
    cold = {"method": "GradCAM", "layer": "Last_ConvLayer", "images": 96, "warm": 0, "accuracy": 0.5, "regions": {}}
    found = answer()(summary(low=[cold, cold], high=[heat(0.01, 0.5)]))
    assert "Low: its maps are empty, as nothing in an image changes what it predicts (accuracy 0.500)" in found.answer
    assert "high: " in found.answer
    assert list(found.values["bone"]) == ["high"]


def test_belief_is_put_into_words() -> None:
    found = believable()(summary(low=[heat(0.2, 0.5)]))
    assert "falls from 1 to 0.80 with its topmost layers random and to 0.10 with all weights random" in found.answer
    assert "deletion 0.500, better than random maps (0.600)" in found.answer
    assert "insertion 0.500, not distinguishable from random maps (0.600)" in found.answer
    assert "no image has a map" in believable()(summary(low=[None])).answer.lower()
