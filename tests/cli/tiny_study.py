"""Do more units tell the classes of a few small images apart better? Two variants that train in seconds."""

from functools import partial

from medcls import Study, Variant, data, main, training
from medcls.tasks import MULTICLASS
from medcls.utils.lazy import keras


def perceptron(images, *, units: int = 4):
    """Return the features of one hidden layer."""
    return keras.layers.Dense(units, activation="relu")(keras.layers.Flatten()(images))


NARROW = Variant(
    data=partial(data.xray, size=8, channels=1),
    learner=partial(
        training.gradient,
        model=partial(perceptron, units=4),
        optimizer=partial(training.adam, learning_rate=1e-2),
        batch_size=4,
        epochs=2,
    ),
    task=MULTICLASS,
)

STUDY = Study(
    name="tiny_study",
    question="Do more units tell the classes apart better?",
    variants={"narrow": NARROW, "wide": NARROW.with_("learner.model.units", 8)},
    seeds=(0, 1),
)

if __name__ == "__main__":
    main(STUDY)
