"""After 150 epochs, which network is more accurate, and which generalises better: with or without batch norm?

    python studies/task1d_longer_training.py

Time: 2 variants x 3 seeds x 150 epochs: about 20 minutes on two cores, 9 on a GPU (the latter an estimate).

Task 1d of the laboratory assignment: task 1c for 150 epochs. If 1c has run, its 80 epochs are reused and 70 more are
trained; if this study runs first, 1c reuses its epochs. Two course solutions reported, from one run each (training /
validation accuracy): plain .768/.790 and .782/.790, batch norm .983/.805 and .937/.840.

Why: accuracy on new images and the gap between training and validation are two things. With batch normalisation the
training accuracy rises to nearly 1.0, so the gap widens even if the validation accuracy is higher; the plain network
with dropout learns slowly and has a small gap (Zhang et al. 2017 show that networks can fit anything, given time).
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
        epochs=150,
    ),
    task=BINARY,
)
STUDY = Study(
    name="task1d_longer_training",
    question="After 150 epochs, which is more accurate and which generalises better: with or without batch norm?",
    variants={"plain": PLAIN, "batch norm": PLAIN.with_("learner.model.batch_norm", True)},
    seeds=(0, 1, 2),
    metric="accuracy",
    answers=(
        compare("plain", "batch norm", "val_accuracy", "Which model yields more accurate results?", "better"),
        compare("plain", "batch norm", "gap", "Which has more generalisation power (the smaller gap)?", "worse"),
        final("accuracy", "val_accuracy", "gap", question="What are the final values?"),
        overfitting(),
    ),
)

if __name__ == "__main__":
    main(STUDY)
