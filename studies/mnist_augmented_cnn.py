"""How accurate is a convolutional network on MNIST that learns from moved copies and keeps its best epoch?

    python studies/mnist_augmented_cnn.py

Time: 2 variants x 3 seeds x 15 epochs, one of them longer: hours on two cores, minutes on a GPU (an estimate).
"""

from functools import partial

from medcls import augmentation, data, models, training
from medcls.evaluation.answers import final
from medcls.spec import Variant
from medcls.study import Study, main
from medcls.task import MULTICLASS

NETWORK = partial(
    models.cnn,
    filters=(32, 32, 64, 64),
    pooled=(2, 4),
    padding="valid",
    batch_norm=True,
    dense=(512, 256),
    dropout=0.5,
)
MOVED = partial(augmentation.standard, rotation=20.0, width_shift=0.1, height_shift=0.1, zoom=0.2)
AS_THE_SEED = Variant(
    data=partial(data.mnist, size=28, channels=1, validation=5000),
    learner=partial(
        training.gradient,
        model=NETWORK,
        augment=MOVED,
        optimizer=partial(training.adam, learning_rate=1e-3),
        stop=partial(training.keep_best, monitor="val_accuracy"),
        watch=training.held_out,
        share=0.5,
        batch_size=64,
        epochs=15,
    ),
    task=MULTICLASS,
)
STUDY = Study(
    name="mnist_augmented_cnn",
    question="How accurate is a convolutional network on MNIST that learns from moved copies and keeps its best epoch?",
    variants={"15 epochs": AS_THE_SEED, "45 epochs": AS_THE_SEED.with_("learner.epochs", 45)},
    seeds=(0, 1, 2),
    metric="accuracy",
    answers=(final("accuracy", "val_accuracy", "test_accuracy"),),
)

if __name__ == "__main__":
    main(STUDY)
