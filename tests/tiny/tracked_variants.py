"""Two variants, one of which diverges: python tests/tiny/tracked_variants.py --data FOLDER."""

from tiny_search import BASE

from medcls import Study, main

STUDY = Study(
    name="tracked_variants",
    question="Is a failure shown as one?",
    variants={
        "sound": BASE.with_("learner.epochs", 2),
        "diverging": BASE.with_("learner.epochs", 3).with_("learner.optimizer.learning_rate", 1e30),
    },
)

if __name__ == "__main__":
    main(STUDY)
