"""What finds the lungs in a chest X-ray best: does the loss matter, or dropout, width, augmentation?

    python studies/lab4_unet_lungs.py

Time: 12 variants x 3 seeds x 150 epochs: a day on two cores, 2 hours on a GPU (estimates), most of it for base 32 and
16. `--only "plain, BCE" --only "plain, Dice" --seeds 0` takes 20 minutes; `--data lungs=DIR` uses your own images.

Laboratory 4, tasks 4a to 4e: U-Nets on 256x256 grey images, batches of 8, Adam at 1e-4; each with pixel-wise
cross-entropy (BCE) and with Dice as the loss: base 8 (plain: 4a, 4b), with dropout of 0.2 (4c), with base 32 (4d), with
base 16, batch normalisation and augmentation (4e), and without augmentation as its control. A course solution reported
Dice scores of 0.95 to 0.97 for all of them. Why: the lungs fill a third of the image, so both losses lead to similar
solutions. Nodules fill less than a hundredth; marking nothing then nearly minimises the cross-entropy, while Dice
depends on the target alone (Sudre et al. 2017, arXiv:1707.03237).
"""

from functools import partial

from medcls import Study, Variant, augmentation, data, losses, main, models, training
from medcls.evaluation.answers import compare, final, overfitting
from medcls.tasks import SEGMENTATION

PLAIN = Variant(
    data=partial(data.lungs, size=256, channels=1),
    learner=partial(
        training.gradient,
        model=partial(models.unet, base=8, dropout=0.0, batch_norm=False),
        optimizer=partial(training.adam, learning_rate=1e-4),
        batch_size=8,
        epochs=150,
    ),
    task=SEGMENTATION,
)
MOVED = partial(augmentation.standard, rotation=10, width_shift=0.1, height_shift=0.1, zoom=0.2, horizontal_flip=True)
DROPOUT = PLAIN.with_("learner.model.dropout", 0.2)
BASE16 = DROPOUT.with_("learner.model.base", 16).with_("learner.model.batch_norm", True)
KINDS = {"plain": PLAIN, "dropout": DROPOUT, "base 32": DROPOUT.with_("learner.model.base", 32), "base 16": BASE16}
KINDS |= {"augmented": BASE16.with_("learner.augment", MOVED), "nodules": PLAIN.with_("data", data.nodules)}
LOSSES = {"BCE": losses.pixel_cross_entropy, "Dice": losses.dice}
STUDY = Study(
    name="lab4_unet_lungs",
    question="What finds the lungs in a chest X-ray best: does the loss matter, or dropout, width, augmentation?",
    variants={f"{kind}, {loss}": KINDS[kind].with_("learner.loss", LOSSES[loss]) for kind in KINDS for loss in LOSSES},
    seeds=(0, 1, 2),
    metric="dice",
    smoke={"learner.epochs": 1, "data.size": 64},
    answers=(
        compare("plain, BCE", "plain, Dice", "val_dice", "Does the loss matter?"),
        compare("nodules, BCE", "nodules, Dice", "val_dice", "Does it matter for small targets?", expected="better"),
        *(compare(f"plain, {loss}", f"dropout, {loss}", "val_dice", f"Does dropout help {loss}?") for loss in LOSSES),
        *(compare(f"dropout, {loss}", f"base 32, {loss}", "val_dice", f"Does width help {loss}?") for loss in LOSSES),
        *(compare(f"base 16, {loss}", f"augmented, {loss}", "val_dice", f"Augmentation {loss}?") for loss in LOSSES),
        final("dice", "val_dice", "hausdorff95", "surface_distance", question="How good are the outlines (in pixels)?"),
        overfitting(),
    ),
)

if __name__ == "__main__":
    main(STUDY)
