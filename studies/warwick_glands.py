"""After how many epochs does a small network find glands with a Dice coefficient of 0.7, and what shortens that?

    python studies/warwick_glands.py

Time: 4 variants x 3 seeds x 250 epochs: about an hour on two cores (an estimate, from 1 s an epoch).

Part 2 of the Warwick homework: an encoder and decoder without skip connections (8,625 parameters) on 128x128 colour
images of colon tissue (GlaS: Sirinukunwattana et al. 2017, arXiv:1603.00275), pixel-wise cross-entropy, Adam with its
defaults, batches of 5; plain, with a mirrored copy of each training image, with 30% of the units of each convolution
dropped, and with L2 regularisation of 1e-4. As in the homework, all 85 training images are used for training, and the
60 test images serve as the validation set: they select no epoch and no variant, but they are no untouched test set.

The homework reported a Dice coefficient (soft, over a batch) above 0.7 after about 200 epochs, with mirrored copies
after 25, with dropout later. Why: copies double the steps of an epoch; few parameters leave little to regularise.
"""

from functools import partial

from medcls import Study, Variant, data, main, models, training
from medcls.evaluation.answers import compare, final, overfitting, until
from medcls.tasks import SEGMENTATION

PLAIN = Variant(
    data=partial(data.glands, size=128, channels=3, compared_on_test=True),
    learner=partial(
        training.gradient,
        model=partial(models.encoder_decoder, filters=(8, 16, 32), dropout=0.0, l2=0.0),
        optimizer=partial(training.adam, learning_rate=1e-3),
        mirrored=False,
        batch_size=5,
        epochs=250,
    ),
    task=SEGMENTATION,
)
STUDY = Study(
    name="warwick_glands",
    question="After how many epochs does a small network find glands with a Dice coefficient of 0.7?",
    variants={
        "plain": PLAIN,
        "mirrored copies": PLAIN.with_("learner.mirrored", True),
        "dropout": PLAIN.with_("learner.model.dropout", 0.3),
        "L2": PLAIN.with_("learner.model.l2", 1e-4),
    },
    seeds=(0, 1, 2),
    metric="dice",
    answers=(
        until("val_soft_dice", 0.7, "After how many epochs is the homework's Dice coefficient 0.7 on the test images?"),
        until("val_dice", 0.7, "And hard Dice, the mean over the images?"),
        compare("plain", "mirrored copies", "val_dice", "Do mirrored copies help?", expected="better"),
        compare("plain", "dropout", "val_dice", "Does dropout?"),
        compare("plain", "L2", "val_dice", "Does L2 regularisation?"),
        final("dice", "val_dice", "val_soft_dice", "hausdorff95", question="How good are the masks in the end?"),
        overfitting(),
    ),
)

if __name__ == "__main__":
    main(STUDY)
