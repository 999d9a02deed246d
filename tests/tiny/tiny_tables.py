"""Three variants over seeds, one of which learns nothing: python tests/tiny/tiny_tables.py --data FOLDER."""

from tiny_search import BASE

from medcls import Study, main, training
from medcls.evaluation.answers import compare

LONG = BASE.with_("learner.epochs", 12).with_("learner.stop", training.never)
STUDY = Study(
    name="tiny_tables",
    question="Which of three is best, and by how much?",
    variants={
        "cannot": LONG.with_("learner.optimizer.learning_rate", 1e-9),
        "small": LONG,
        "wide": LONG.with_("learner.model.filters", 8),
    },
    seeds=(0, 1, 2),
    answers=(compare("cannot", "small", "val_accuracy"), compare("small", "wide", "val_accuracy")),
)

if __name__ == "__main__":
    main(STUDY)
