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
        ("balanced_acuracy", ["balanced_acuracy", "Did you mean balanced_accuracy"]),
        ("recall/d", ["recall/d", "recall/a", "recall/b"]),
        ("val_loss", ["val_loss"]),
        ("log_loss", ["score to maximise 'log_loss'"]),  # a score, but the lower the better
    ],
)
def test_a_score_that_does_not_exist_cannot_decide(place, images, metric, words, plan):
    study = written(place, place.TINY, "seeds=(0, 1),", f'seeds=(0, 1), metric="{metric}",')
    place.run(study, "--data", images, *plan).check_complaint(2, "Study.metric", *words)
    place.check_untouched()


COMPARED = """seeds=(0, 1), answers=(compare("narrow", "wide", {}),),"""
IMPORTS = "from medcls.evaluation.answers import compare\n"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ('"val_recall/b"', ["no score 'val_recall/b'", "did you mean recall/b"]),
        ('"recall/d"', ["no score 'recall/d'", "recall/a"]),
        ('"val_acuracy"', ["no score 'val_acuracy'", "did you mean val_accuracy"]),
        ('"val_dice"', ["no score 'val_dice'"]),  # of masks, and these are classes
    ],
)
def test_a_score_that_does_not_exist_cannot_be_compared(place, images, asked, words):
    study = written(place, place.TINY, "seeds=(0, 1),", COMPARED.format(asked))
    study.write_text(study.read_text().replace("from medcls.utils.lazy", f"{IMPORTS}from medcls.utils.lazy", 1))
    place.run(study, "--data", images).check_complaint(2, *words)
    place.check_untouched()


def test_neither_can_it_lead_a_search(place, images):
    study = written(place, place.BONUS, "trials=8,", 'trials=8, metric="auk",')
    place.run(study, "--data", images).check_complaint(2, "Search.metric", "auk", "auc")
    place.check_untouched()


@pytest.mark.parametrize("metric", ["accuracy", "auc", "recall/b"])
def test_every_score_to_maximise_may_decide(place, images, metric):
    study = written(place, place.TINY, "seeds=(0, 1),", f'seeds=(0, 1), metric="{metric}",')
    assert place.run(study, "--data", images, "--plan").code == 0
