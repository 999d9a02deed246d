"""A search of seconds whose way into the store is tested: python tests/tracking/tracked_search.py --data FOLDER."""

from functools import partial
from typing import Any

from medcls import data, training
from medcls.lazy import lazy
from medcls.search import Search, choice, floats
from medcls.spec import Variant
from medcls.study import Study, main
from medcls.task import MULTICLASS

keras = lazy("keras")


def small(images: Any, *, filters: int = 4) -> Any:
    """Return the features of a network that learns within a few epochs."""
    x = keras.layers.Conv2D(filters, 3, strides=2, activation="relu")(keras.layers.Rescaling(1 / 255)(images))
    return keras.layers.GlobalMaxPooling2D()(x)


BASE = Variant(
    data=partial(data.folder, source=".", size=12, channels=1),
    learner=partial(
        training.gradient,
        model=small,
        optimizer=partial(training.adam, learning_rate=0.03),
        batch_size=8,
        epochs=12,
    ),
    task=MULTICLASS,
)

STUDY = Study(
    name="tracked_search",
    question="Does the store show what the run folders hold?",
    variants={"small": BASE},
    folds=2,
    search=Search(
        space={
            "learner.model.filters": choice(2, 4, 8),
            "learner.optimizer.learning_rate": floats(0.01, 0.1, log=True),
        },
        trials=2,
        startup=1,
        parallel=1,
    ),
    smoke={"learner.epochs": 1},
)

if __name__ == "__main__":
    main(STUDY)
