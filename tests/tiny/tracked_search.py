"""A search of seconds whose way into the store is tested: python tests/tiny/tracked_search.py --data FOLDER."""

from dataclasses import replace

from tiny_search import BASE, STUDY

from medcls import main, training

STUDY = replace(
    STUDY,
    name="tracked_search",
    question="Does the store show what the run folders hold?",
    variants={"small": BASE.with_("learner.epochs", 12).with_("learner.stop", training.never)},
    folds=2,
    search=replace(STUDY.search, trials=2, parallel=1),
    smoke={"learner.epochs": 1},
)

if __name__ == "__main__":
    main(STUDY)
