"""Early stopping keeps the weights that the best epoch had."""

from functools import partial

import numpy as np
import pytest
from tiny_network import Fit

from medcls import BadInputError, training
from medcls.spec.constraints import limits_of

WILD = {"optimizer": partial(training.sgd, learning_rate=2.0)}


@pytest.mark.parametrize("stop", [partial(training.early, patience=3), training.keep_best])
def test_the_weights_kept_are_those_of_the_best_epoch(fit: Fit, stop):
    kept, folder = fit("kept", stop=stop, epochs=12, **WILD)
    losses = folder.history()["val_loss"]
    assert kept.best_epoch == np.argmin(losses) < len(losses) - 1
    plain, _ = fit("plain", epochs=kept.best_epoch + 1, **WILD)
    assert kept.weights_sha256 == plain.weights_sha256


def test_early_stops_after_its_patience_and_the_others_never(fit: Fit):
    early, folder = fit("early", stop=partial(training.early, patience=3), epochs=30, **WILD)
    assert early.epochs == len(folder.rows()) == early.best_epoch + 1 + 3
    for stop in (training.never, training.keep_best):
        fitted, _ = fit(stop.__name__, stop=stop, epochs=early.epochs + 2, **WILD)
        assert fitted.epochs == early.epochs + 2


def test_never_keeps_the_last_epoch(fit: Fit):
    fitted, _ = fit("run", stop=training.never, epochs=4, **WILD)
    assert fitted.best_epoch == 3


def test_too_small_a_gain_is_none(fit: Fit):
    fitted, _ = fit("run", stop=partial(training.early, patience=2, minimum_gain=100.0), epochs=9)
    assert (fitted.epochs, fitted.best_epoch) == (3, 0)


def test_a_run_that_stopped_stays_stopped(fit: Fit):
    stop = partial(training.early, patience=2)
    first, folder = fit("run", stop=stop, epochs=30, **WILD)
    rows = folder.rows()
    again, _ = fit("run", stop=stop, epochs=40, **WILD)
    assert folder.rows() == rows
    assert (again.weights_sha256, again.best_epoch, again.epochs) == (
        first.weights_sha256,
        first.best_epoch,
        first.epochs,
    )


def test_the_best_epoch_is_that_of_the_score_that_is_named(fit: Fit):
    stop = partial(training.keep_best, monitor="val_accuracy")
    kept, folder = fit("kept", stop=stop, epochs=12, **WILD)
    accuracies = folder.history()["val_accuracy"]
    assert kept.best_epoch == np.argmax(accuracies) != np.argmin(folder.history()["val_loss"])
    plain, _ = fit("plain", epochs=kept.best_epoch + 1, **WILD)
    assert kept.weights_sha256 == plain.weights_sha256


def test_a_score_that_is_not_there_is_refused(fit: Fit):
    with pytest.raises(BadInputError, match=r"learner\.stop\.monitor='val_acuracy'.*val_loss, val_accuracy"):
        fit("run", stop=partial(training.keep_best, monitor="val_acuracy"))


def test_a_metric_of_ones_own_says_which_way_it_gets_better():
    (check,) = limits_of(training.keep_best)
    for monitor in ("", "val_loss", "val_accuracy", "val_soft_dice"):
        check(monitor=monitor, mode="")
    check(monitor="val_glossiness", mode="max")
    for monitor, mode, words in (
        ("val_glossiness", "", "no score 'val_glossiness'.*mode=min or max"),
        ("val_acuracy", "", "did you mean val_accuracy"),
        ("val_loss", "down", "must be min or max"),
    ):
        with pytest.raises(BadInputError, match=words):
            check(monitor=monitor, mode=mode)
