"""Learning rates as the history records them, worked out by hand."""

from functools import partial
from math import cos, pi

import pytest
from tiny_network import Fit, features

from medcls import training

STILL = {"model": partial(features, dropout=0.0, norm=False), "optimizer": partial(training.sgd, learning_rate=1e-20)}


def rates(fit: Fit, name: str, **learner: object) -> list[float]:
    return [rate * 1e20 for rate in fit(name, **STILL, **learner)[1].history()["learning_rate"]]


def test_constant(fit: Fit):
    assert rates(fit, "a", epochs=2) == pytest.approx([1, 1])


def test_step(fit: Fit):
    schedule = partial(training.step, every=2, factor=0.5)
    assert rates(fit, "a", schedule=schedule, epochs=5) == pytest.approx([1, 1, 0.5, 0.5, 0.25])


def test_cosine_warms_up_and_falls_to_zero_at_its_own_total(fit: Fit):
    schedule = partial(training.cosine, warmup_epochs=2)
    falling = [(1 + cos(pi * passed / 4)) / 2 for passed in range(4)]
    assert rates(fit, "six", schedule=schedule, epochs=6) == pytest.approx([1 / 3, 2 / 3, *falling])
    assert rates(fit, "three", schedule=schedule, epochs=3) == pytest.approx([1 / 3, 2 / 3, 1])
    assert rates(fit, "one", schedule=schedule, epochs=1) == pytest.approx([1 / 3])


def test_plateau_waits_its_patience_then_reduces_also_when_continued(fit: Fit):
    schedule = partial(training.plateau, patience=2, factor=0.5)
    expected = [1, 1, 1, 0.5, 0.5, 0.25]  # nothing is learned: the first epoch stays the best
    assert rates(fit, "whole", schedule=schedule, epochs=6) == pytest.approx(expected)
    for epochs in (2, 4, 6):
        assert rates(fit, "parts", schedule=schedule, epochs=epochs) == pytest.approx(expected[:epochs])
