"""Which N-layer residual network tells the X-ray regions apart best, although they are unequal in number?

    python studies/bonus_resnet.py               the whole search on the xray phantom, about 12 minutes on two cores
    python studies/bonus_resnet.py --data DIR    the same search on your own images
    python studies/bonus_resnet.py --trials 40   continue the search; finished trials are kept

Bonus task of the laboratory assignment: a ResNet whose depth, width, batch size, learning rate and more are searched
with Optuna, under augmentation; class weights against the imbalance (B1); 3-fold stratified cross-validation, reported
as mean and standard deviation (B2); early stopping, a learning-rate schedule, and checkpoints to resume from (B3).
On the phantom, expect a mean balanced accuracy of 0.75 to 0.9 over the folds.
"""

from functools import partial

from medcls import Study, Variant, augmentation, data, main, models, training
from medcls.spec import Search, choice, floats
from medcls.tasks import MULTICLASS

AUGMENT = partial(augmentation.standard, rotation=15, width_shift=0.1, height_shift=0.1, zoom=0.1, contrast=0.1)
PLATEAU = partial(training.plateau, patience=2)

BASE = Variant(
    data=partial(data.xray, size=32, channels=1),
    learner=partial(
        training.gradient,
        model=partial(models.resnet, depth=14, base=8, dropout=0.2),
        augment=AUGMENT,
        optimizer=partial(training.adamw, learning_rate=3e-3, weight_decay=1e-4),
        schedule=PLATEAU,
        imbalance=training.balanced,
        stop=partial(training.early, patience=6),
        batch_size=16,
        epochs=10,
    ),
    task=MULTICLASS,
)
SPACE = {
    "learner.model.depth": choice(8, 14, 20),
    "learner.model.base": choice(8, 12),
    "learner.model.dropout": floats(0.0, 0.5),
    "learner.augment.strength": floats(0.0, 1.5),
    "learner.batch_size": choice(16, 32),
    "learner.optimizer.learning_rate": floats(5e-4, 1e-2, log=True),
    "learner.optimizer.weight_decay": floats(1e-5, 1e-2, log=True),
    "learner.schedule": choice(PLATEAU, training.cosine, partial(training.step, every=4, factor=0.5)),
    "learner.imbalance": choice(training.balanced, training.effective_number),
}
STUDY = Study(
    name="bonus_resnet",
    question="Which N-layer residual network tells the X-ray regions apart best, although they are unequal in number?",
    variants={"resnet": BASE},
    folds=3,
    search=Search(SPACE, trials=8, startup=3, parallel=3),
)

if __name__ == "__main__":
    main(STUDY)
