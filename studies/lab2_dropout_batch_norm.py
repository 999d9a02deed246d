"""Dropout, batch normalisation, both or neither: which gives the best validation accuracy at a low learning rate?

    python studies/lab2_dropout_batch_norm.py

Time: 4 variants x 3 seeds x 80 epochs: about 22 minutes on two cores, 10 on a GPU (the latter an estimate).

Tasks 1c and 2 of the second laboratory as one factorial design: AlexNet of base 8, Adam at 1e-5, 80 epochs, dropout of
0.4 or none, batch normalisation or none. The two variants with dropout are those of task 1c and are trained once. A
course solution reported, from one run each (training / validation accuracy): plain .760/.775; with dropout .729/.760.

Why: the two act on different things. Batch normalisation speeds up fitting; dropout prevents memorisation. Combined,
the variance shift of dropout can disturb the statistics of a normalisation that follows it (Li et al. 2019); here none
follows, since dropout comes after the last convolution.
"""

from functools import partial

from medcls import Study, Variant, data, grid, main, models, training
from medcls.evaluation.answers import compare, final, overfitting
from medcls.tasks import BINARY

PLAIN = Variant(
    data=partial(data.skin, size=128, channels=1),
    learner=partial(
        training.gradient,
        model=partial(models.alexnet, base=8, dense=(64, 64), dropout=0.0, batch_norm=False),
        optimizer=partial(training.adam, learning_rate=1e-5),
        batch_size=8,
        epochs=80,
    ),
    task=BINARY,
)
STUDY = Study(
    name="lab2_dropout_batch_norm",
    question="Dropout, batch normalisation, both or neither: which gives the best validation accuracy?",
    variants=grid(
        PLAIN,
        learner__model__batch_norm={"plain": False, "batch norm": True},
        learner__model__dropout={"no dropout": 0.0, "dropout": 0.4},
    ),
    seeds=(0, 1, 2),
    metric="accuracy",
    answers=(
        compare("plain, no dropout", "batch norm, no dropout", "val_accuracy", "Does batch norm help?", "better"),
        compare("plain, no dropout", "plain, dropout", "val_accuracy", "Does dropout help?"),
        compare("batch norm, no dropout", "batch norm, dropout", "gap", "Does dropout tame batch norm?", "better"),
        final("accuracy", "val_accuracy", "gap", question="What are the final values?"),
        overfitting(),
    ),
)

if __name__ == "__main__":
    main(STUDY)
