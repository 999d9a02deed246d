"""Studies that cannot be carried out as they are written: one sentence at the start, exit code 2, nothing begun."""

import pytest


def written(place, study, old, new):
    """Return a copy of a study with some of its text replaced."""
    text, copy = study.read_text(), place.folder / study.name
    assert text.count(old) == 1
    copy.write_text(text.replace(old, new))
    return copy


@pytest.mark.parametrize("plan", [[], ["--plan"]], ids=["run", "plan"])
@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("balanced_acuracy", ["balanced_acuracy", "nearest are balanced_accuracy"]),
        ("recall/d", ["recall/d", "recall/a", "recall/b"]),
        ("val_loss", ["val_loss"]),
        ("log_loss", ["log_loss to maximise"]),  # a score, but the lower the better
    ],
)
def test_a_score_that_does_not_exist_cannot_decide(place, images, metric, words, plan):
    study = written(place, place.TINY, "seeds=(0, 1),", f'seeds=(0, 1), metric="{metric}",')
    place.run(study, "--data", images, *plan).check_complaint(2, "Study.metric", *words)
    place.check_untouched()


def test_neither_can_it_lead_a_search(place, images):
    study = written(place, place.BONUS, "trials=8,", 'trials=8, metric="auk",')
    place.run(study, "--data", images).check_complaint(2, "Search.metric", "auk", "auc")
    place.check_untouched()


@pytest.mark.parametrize("metric", ["accuracy", "auc", "recall/b"])
def test_every_score_to_maximise_may_decide(place, images, metric):
    study = written(place, place.TINY, "seeds=(0, 1),", f'seeds=(0, 1), metric="{metric}",')
    assert place.run(study, "--data", images, "--plan").code == 0
