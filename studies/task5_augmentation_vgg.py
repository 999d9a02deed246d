"""Does augmentation help VGG16 on skin and on bone, and why?

    python studies/task5_augmentation_vgg.py

Time: 2 variants x 2 data sets x 3 seeds x 80 epochs: a day on two cores, 3 hours on a GPU (both estimates, from
100 s an epoch).

Task 5 of the laboratory assignment: VGG16 of base 64 without batch normalisation, three dense layers of 64 with dropout
0.4 after the first two, Adam at 1e-5, batches of 8; with and without task 4's rotations, shifts and flips. In colour:
`--set data.channels=3`. Two course solutions reported, with augmentation and from one run each (training / validation
accuracy), .800/.830 and .866/.840 on skin, .807/.780 and .995/.990 on bone.

Why: rotated, shifted and mirrored images share the lesion or the fracture, not the position of a pixel, so less can be
memorised (Krizhevsky et al. 2012, section 4.1; Shorten and Khoshgoftaar 2019, "A survey on image data augmentation for
deep learning"). A flip also mirrors letters that are burnt into an X-ray: a network that reads them instead of the bone
(task 8) loses an advantage that it should never have had.
"""

from functools import partial

from medcls import Study, Variant, augmentation, data, main, models, training
from medcls.evaluation.answers import compare, final, overfitting
from medcls.tasks import BINARY

MOVED = partial(augmentation.standard, rotation=10.0, width_shift=0.1, height_shift=0.1, horizontal_flip=True)
PLAIN = Variant(
    data=partial(data.skin, size=128, channels=1),
    learner=partial(
        training.gradient,
        model=partial(models.vgg, depth=16, base=64, dense=(64, 64, 64), dropout=0.4, dropped=2),
        optimizer=partial(training.adam, learning_rate=1e-5),
        batch_size=8,
        epochs=80,
    ),
    task=BINARY,
)
STUDY = Study(
    name="task5_augmentation_vgg",
    question="Does augmentation help VGG16 on skin and on bone, and why?",
    variants={"plain": PLAIN, "augmented": PLAIN.with_("learner.augment", MOVED)},
    data=(PLAIN.data, partial(data.bone)),
    seeds=(0, 1, 2),
    metric="accuracy",
    smoke={"learner.epochs": 1},
    answers=(
        compare("plain", "augmented", "val_accuracy", "Does augmentation help?", "better"),
        compare("plain", "augmented", "gap", "Why: is the gap between training and validation smaller?", "worse"),
        final("accuracy", "val_accuracy", "gap", question="How does augmentation change the training?"),
        overfitting(),
    ),
)

if __name__ == "__main__":
    main(STUDY)
