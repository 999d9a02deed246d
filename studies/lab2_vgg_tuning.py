"""Which regularisation makes VGG16 best on validation: batch norm, spatial dropout, dropout, or all three?

    python studies/lab2_vgg_tuning.py

Time: 5 variants x 2 lengths x 2 data sets x 3 seeds: two days on two cores, 4 hours on a GPU (the latter an estimate).

Task 4 of the second laboratory: VGG16 of base 32, dense layers of 64, 64 and 64, two softmax units, sparse categorical
cross-entropy, Adam at 1e-5, batches of 8, 50 and 150 epochs (the first 50 are trained once), on skin and on bone. A
course solution reported .789/.845 (training / validation accuracy) on skin after 50 epochs, from one run.

Why: thirteen plain convolutions learn slowly at such a low rate, and batch normalisation speeds them up most (Ioffe and
Szegedy 2015); dropout of units and of maps reduces overfitting once there is any (Srivastava et al. 2014; Tompson et
al. 2015). Selecting the best of five on the validation set is optimistic: report it on a separate test set.
"""

from functools import partial

from medcls import Study, Variant, data, grid, main, models, training
from medcls.evaluation.answers import compare, final, overfitting
from medcls.tasks import SPARSE

VGG = partial(models.vgg, depth=16, base=32, dense=(64, 64, 64), dropped=2)
WAYS = {
    "plain": VGG,
    "batch norm": partial(VGG, batch_norm=True),
    "spatial dropout": partial(VGG, spatial_dropout=0.1),
    "dropout": partial(VGG, dropout=0.4),
    "all three": partial(VGG, batch_norm=True, spatial_dropout=0.1, dropout=0.4),
}
ADAM = partial(training.adam, learning_rate=1e-5)
BASE = Variant(
    data=partial(data.skin, size=128, channels=1),
    learner=partial(training.gradient, model=VGG, optimizer=ADAM, batch_size=8, epochs=150),
    task=SPARSE,
)
STUDY = Study(
    name="lab2_vgg_tuning",
    question="Which regularisation makes VGG16 best on validation: batch norm, spatial dropout, dropout, or all three?",
    variants=grid(BASE, learner__model=WAYS, learner__epochs={"150 epochs": 150, "50 epochs": 50}),
    data=(BASE.data, partial(data.bone, size=128, channels=1)),
    seeds=(0, 1, 2),
    metric="accuracy",
    answers=(
        *(compare("plain, 150 epochs", f"{name}, 150 epochs", "val_accuracy") for name in list(WAYS)[1:]),
        compare("plain, 50 epochs", "plain, 150 epochs", "val_accuracy", "Do 100 more epochs help?"),
        final("accuracy", "val_accuracy", "gap", question="What are the final values?"),
        overfitting(),
    ),
)

if __name__ == "__main__":
    main(STUDY)
