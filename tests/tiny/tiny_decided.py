"""Variants that differ clearly and not at all, over seeds: python tests/tiny/tiny_decided.py --data FOLDER."""

from tiny_search import BASE

from medcls import Study, main, training
from medcls.evaluation.answers import compare

LEARNS = BASE.with_("learner.epochs", 2)
LEARNS_LONG = BASE.with_("learner.epochs", 40).with_("learner.stop", training.never)
STUDY = Study(
    name="tiny_decided",
    question="How many seeds does it take to tell?",
    variants={
        "learns": LEARNS_LONG,
        "cannot": LEARNS_LONG.with_("learner.optimizer.learning_rate", 1e-9),
        "again": LEARNS_LONG,
    },
    seeds=(0, 1, 2, 3, 4),
    answers=(compare("cannot", "learns", "loss"), compare("again", "learns", "loss")),
)

if __name__ == "__main__":
    main(STUDY)
