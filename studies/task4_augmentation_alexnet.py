"""Does augmentation help AlexNet on skin, in grey and in colour, and why?

    python studies/task4_augmentation_alexnet.py

Time: 4 variants x 3 seeds x 80 epochs: about 8 hours on two cores, 1 on a GPU (both estimates, from 30 s an epoch).

Task 4 of the laboratory assignment: AlexNet of base 64 with batch normalisation, dense layers of 128 and 64 with
dropout 0.4 after both, Adam at 1e-5, batches of 8; with and without random rotations of up to 10 degrees, shifts of up
to a tenth and horizontal flips. Two course solutions reported, with augmentation and from one run each (training /
validation accuracy), .800/.835 and .873/.870; neither reports the same network without augmentation.

Why: a rotated, shifted or mirrored lesion is the same lesion, so each epoch shows images that the network has not seen,
and a wide network cannot memorise a thousand pictures: training gets harder and the gap narrows (Krizhevsky et al.
2012, section 4.1; Shorten and Khoshgoftaar 2019, "A survey on image data augmentation for deep learning").
"""

from functools import partial

from medcls import Study, Variant, augmentation, data, grid, main, models, training
from medcls.evaluation.answers import compare, final, overfitting
from medcls.tasks import BINARY

MOVED = partial(augmentation.standard, rotation=10.0, width_shift=0.1, height_shift=0.1, horizontal_flip=True)
KINDS = {"grey": 1, "colour": 3}
BASE = Variant(
    data=partial(data.skin, size=128, channels=1),
    learner=partial(
        training.gradient,
        model=partial(models.alexnet, base=64, dense=(128, 64), dropout=0.4, batch_norm=True),
        optimizer=partial(training.adam, learning_rate=1e-5),
        batch_size=8,
        epochs=80,
    ),
    task=BINARY,
)
STUDY = Study(
    name="task4_augmentation_alexnet",
    question="Does augmentation help AlexNet on skin, in grey and in colour, and why?",
    variants=grid(BASE, data__channels=KINDS, learner__augment={"plain": augmentation.none, "augmented": MOVED}),
    seeds=(0, 1, 2),
    metric="accuracy",
    smoke={"learner.epochs": 1},
    answers=(
        *(compare(f"{kind}, plain", f"{kind}, augmented", "val_accuracy", expected="better") for kind in KINDS),
        *(compare(f"{kind}, plain", f"{kind}, augmented", "gap", "Why: a smaller gap?", "worse") for kind in KINDS),
        compare("grey, augmented", "colour, augmented", "val_accuracy", "Is colour more informative than grey?"),
        final("accuracy", "val_accuracy", "gap", question="How does augmentation change the training?"),
        overfitting(),
    ),
)

if __name__ == "__main__":
    main(STUDY)
