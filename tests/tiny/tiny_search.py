"""A search small enough to be killed twenty times: python tests/tiny/tiny_search.py --data FOLDER."""

from functools import partial
from typing import Any

from medcls import Study, Variant, augmentation, data, main, training
from medcls.spec import Search, choice, floats
from medcls.tasks import MULTICLASS
from medcls.utils.lazy import keras


def small(images: Any, *, filters: int = 4, dropout: float = 0.2) -> Any:
    """Return the features of a network with all that has state: batch norm's averages, dropout's generators."""
    x = keras.layers.Conv2D(filters, 3, strides=2, activation="relu")(images)
    x = keras.layers.BatchNormalization(momentum=0.8)(x)
    x = keras.layers.SpatialDropout2D(dropout)(x)
    x = keras.layers.Conv2D(2 * filters, 3, strides=2, activation="relu")(x)
    return keras.layers.Dropout(dropout)(keras.layers.GlobalAveragePooling2D()(x))


BASE = Variant(
    data=partial(data.folder, source=".", size=16, channels=1),
    learner=partial(
        training.gradient,
        model=small,
        augment=partial(augmentation.standard, rotation=10.0, horizontal_flip=True, brightness=0.1),
        optimizer=partial(training.adamw, learning_rate=0.02),
        schedule=partial(training.plateau, patience=1),
        imbalance=training.balanced,
        stop=partial(training.early, patience=4),
        batch_size=8,
        epochs=6,
    ),
    task=MULTICLASS,
)

STUDY = Study(
    name="tiny_search",
    question="Does a search that is killed end as one that is not?",
    variants={"small": BASE},
    folds=3,
    search=Search(
        space={
            "learner.model.filters": choice(2, 4),
            "learner.model.dropout": floats(0.0, 0.5),
            "learner.optimizer.learning_rate": floats(0.003, 0.1, log=True),
        },
        trials=3,
        startup=1,
        parallel=2,
    ),
)

if __name__ == "__main__":
    main(STUDY)
