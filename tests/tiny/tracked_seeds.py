"""Two networks over two seeds, compared: python tests/tiny/tracked_seeds.py --data FOLDER."""

from tiny_search import BASE

from medcls import Study, main, training
from medcls.evaluation.answers import compare

SHORT = BASE.with_("learner.epochs", 3).with_("learner.stop", training.never)
STUDY = Study(
    name="tracked_seeds",
    question="Does the store show what differs between variants?",
    variants={"small": SHORT, "smooth": SHORT.with_("learner.schedule", training.cosine)},
    seeds=(0, 1),
    answers=(compare("small", "smooth", "val_balanced_accuracy", "Is a cosine better?"),),
)

if __name__ == "__main__":
    main(STUDY)
