"""Can a network that trains in seconds tell dark from bright? One variant, two folds, a refit."""

from functools import partial

from medcls import Study, Variant, data, main, training
from medcls.tasks import MULTICLASS
from medcls.utils.lazy import keras


def small(images, *, filters: int = 4, dropout: float = 0.2):
    """Return the features of one convolution."""
    x = keras.layers.Conv2D(filters, 3, activation="relu")(images)
    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    return keras.layers.Dropout(dropout)(keras.layers.GlobalAveragePooling2D()(x))


BASE = Variant(
    data=partial(data.xray, size=12, channels=1),
    learner=partial(
        training.gradient,
        model=partial(small, filters=4),
        optimizer=partial(training.adam, learning_rate=1e-2),
        batch_size=4,
        epochs=4,
    ),
    task=MULTICLASS,
)
STUDY = Study(
    name="small_study",
    question="Can a network that trains in seconds tell dark from bright?",
    variants={"small": BASE},
    folds=2,
)

if __name__ == "__main__":
    main(STUDY)
