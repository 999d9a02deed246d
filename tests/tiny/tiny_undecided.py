"""A variant against itself: python tests/tiny/tiny_undecided.py --data FOLDER."""

from dataclasses import replace

from tiny_decided import LEARNS, STUDY

from medcls import main
from medcls.evaluation.answers import compare

STUDY = replace(
    STUDY,
    name="tiny_undecided",
    variants={"learns": LEARNS, "again": LEARNS},
    seeds=(0, 1),
    answers=(compare("again", "learns", "loss"),),
)

if __name__ == "__main__":
    main(STUDY)
