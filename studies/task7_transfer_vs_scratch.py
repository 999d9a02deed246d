"""Is transfer learning better than training from scratch on the same images, and how reliable is that?

    python studies/task7_transfer_vs_scratch.py --folds 3

Time: 3 variants x 3 seeds on skin and on bone: transfer 50 minutes on two cores (task 6's runs are reused), AlexNet 3
hours, VGG16 from scratch a day (estimates).

Task 7 of the laboratory assignment: task 6's head on VGG16's features (224x224, 150 epochs) against tasks 4 and 5's
networks from scratch (AlexNet of base 64 with batch norm and dropout, VGG16 of base 64 with dropout; 128x128, 80
epochs, augmented), all by Adam at 1e-5 in batches of 8. Course solutions reported, from one run each (training /
validation accuracy), on skin: transfer .984/.845, AlexNet .800/.835 and .873/.870, VGG16 .800/.830 and .866/.840; on
bone: transfer 1.000/.990, VGG16 .807/.780 and .995/.990.

Why: a thousand images are few for millions of weights; features learnt from a million photographs need only a head. The
benefit shrinks the further the images are from photographs (Raghu et al. 2019). One run of each proves nothing: the
solutions differ by as much as the methods. A result is reliable if it holds over seeds and folds (--folds 3), on the
same images for all variants, with intervals. Also look for letters in the X-rays: a perfect score may come from them.
"""

from functools import partial

from medcls import Study, Variant, augmentation, data, main, models, training
from medcls.evaluation.answers import compare, final
from medcls.tasks import BINARY

ALEXNET = partial(models.alexnet, base=64, dense=(128, 64), dropout=0.4, batch_norm=True)
VGG = partial(models.vgg, depth=16, base=64, dense=(64, 64, 64), dropout=0.4, dropped=2)
BACKBONE = partial(models.pretrained, backbone="vgg16", dense=(128,), dropout=0.5)
ADAM = partial(training.adam, learning_rate=1e-5)
MOVED = partial(augmentation.standard, rotation=10.0, width_shift=0.1, height_shift=0.1, horizontal_flip=True)
FRESH = partial(training.gradient, augment=MOVED, optimizer=ADAM, batch_size=8, epochs=80)
HEAD = partial(training.transfer, model=BACKBONE, optimizer=ADAM, batch_size=8, epochs=150)
SMALL, LARGE = partial(data.skin, size=128, channels=1), partial(data.skin, size=224, channels=3)
STUDY = Study(
    name="task7_transfer_vs_scratch",
    question="Is transfer learning better than training from scratch on the same images, and how reliable is that?",
    variants={
        "AlexNet": Variant(SMALL, partial(FRESH, model=ALEXNET), BINARY),
        "VGG16": Variant(SMALL, partial(FRESH, model=VGG), BINARY),
        "transfer": Variant(LARGE, HEAD, BINARY),
    },
    data=(data.skin, data.bone),
    seeds=(0, 1, 2),
    metric="accuracy",
    answers=(
        compare("AlexNet", "transfer", "val_accuracy", "Is transfer better than AlexNet from scratch?"),
        compare("VGG16", "transfer", "val_accuracy", "Is transfer better than VGG16 from scratch?"),
        compare("VGG16", "transfer", "gap", "Does it generalise better?"),
        final(
            "val_accuracy", question="How reliable are the results: mean, deviation and interval over seeds or folds?"
        ),
    ),
)

if __name__ == "__main__":
    main(STUDY)
