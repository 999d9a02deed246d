"""Can a network that trains in seconds find a bright disc? One variant, one seed."""

from functools import partial

from medcls import Study, Variant, data, losses, main, models, training
from medcls.tasks import SEGMENTATION

BASE = Variant(
    data=partial(data.lungs, size=32, channels=1),
    learner=partial(
        training.gradient,
        model=partial(models.unet, base=4, depth=2),
        loss=losses.cross_entropy_dice,
        optimizer=partial(training.adam, learning_rate=1e-2),
        batch_size=4,
        epochs=30,
    ),
    task=SEGMENTATION,
)
STUDY = Study(
    name="small_masks",
    question="Can a network that trains in seconds find a bright disc?",
    variants={"small": BASE},
    metric="dice",
)

if __name__ == "__main__":
    main(STUDY)
