"""Runs of a small network on one trajectory: python tests/tiny/tiny_lengths.py --data FOLDER."""

from tiny_search import BASE

from medcls import Study, main

STUDY = Study(
    name="tiny_lengths",
    question="Is an epoch that two runs share trained once?",
    variants={
        "long": BASE.with_("learner.epochs", 4),
        "short": BASE.with_("learner.epochs", 2),
        "the same": BASE.with_("learner.epochs", 2),
    },
)

if __name__ == "__main__":
    main(STUDY)
