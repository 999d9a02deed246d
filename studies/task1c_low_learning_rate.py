"""Under a learning rate of 1e-5, does batch normalisation give a higher validation accuracy?

    python studies/task1c_low_learning_rate.py

Time: 2 variants x 3 seeds x 80 epochs: about 11 minutes on two cores, 5 on a GPU (the latter an estimate).

Task 1c of the laboratory assignment: the AlexNet of tasks 1a and 1b with dropout, at a tenth of the learning rate,
with and without batch normalisation. Its 80 epochs are the first of task 1d's 150 and are trained once. Two course
solutions reported, from one run each (training / validation accuracy): plain .732/.775 and .747/.775, batch norm
.921/.810 and .860/.825.

Why: with such small steps the plain network has not converged after 80 epochs, while batch normalisation rescales each
layer's gradient and so acts like a higher rate where activations are small (Ioffe and Szegedy 2015; Bjorck et al.
2018). The validation loss shows whether it has begun to overfit.
"""

from functools import partial

from medcls import Study, Variant, data, main, models, training
from medcls.evaluation.answers import compare, final, overfitting
from medcls.tasks import BINARY

PLAIN = Variant(
    data=partial(data.skin, size=128, channels=1),
    learner=partial(
        training.gradient,
        model=partial(models.alexnet, base=8, dense=(64, 64), dropout=0.4, batch_norm=False),
        optimizer=partial(training.adam, learning_rate=1e-5),
        batch_size=8,
        epochs=80,
    ),
    task=BINARY,
)
STUDY = Study(
    name="task1c_low_learning_rate",
    question="Under a learning rate of 1e-5, does batch normalisation give a higher validation accuracy?",
    variants={"plain": PLAIN, "batch norm": PLAIN.with_("learner.model.batch_norm", True)},
    seeds=(0, 1, 2),
    metric="accuracy",
    answers=(
        compare("plain", "batch norm", "val_accuracy", "Which model has the higher validation accuracy?", "better"),
        compare("plain", "batch norm", "val_loss", "Which has the lower validation loss?", "better"),
        final("accuracy", "val_accuracy", "val_loss", question="What are the final values?"),
        overfitting(),
    ),
)

if __name__ == "__main__":
    main(STUDY)
