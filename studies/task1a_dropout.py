"""What does dropout after the first two dense layers change?

    python studies/task1a_dropout.py

Time: 2 variants x 3 seeds x 50 epochs: about 7 minutes on two cores, 3 on a GPU (the latter an estimate).

Task 1a of the laboratory assignment: AlexNet of base 8 on 128x128 grey skin images, Adam at 1e-4, batches of 8, with
and without dropout of 0.4. Two course solutions reported, from one run each (training / validation accuracy): without
dropout .955/.770 and .892/.790, with it .868/.795 and .814/.815.

Why: dropout trains a different thinned network at every step, so that no unit can rely on the presence of others
(Srivastava et al. 2014). Training accuracy, measured under dropout, falls; memorisation falls too, so the gap between
training and validation narrows. On a small validation set the gain in accuracy may be too small to detect.
"""

from functools import partial

from medcls import Study, Variant, data, main, models, training
from medcls.evaluation.answers import compare, final, overfitting
from medcls.tasks import BINARY

PLAIN = Variant(
    data=partial(data.skin, size=128, channels=1),
    learner=partial(
        training.gradient,
        model=partial(models.alexnet, base=8, dense=(64, 64), dropout=0.0, batch_norm=False),
        optimizer=partial(training.adam, learning_rate=1e-4),
        batch_size=8,
        epochs=50,
    ),
    task=BINARY,
)
STUDY = Study(
    name="task1a_dropout",
    question="What does dropout after the first two dense layers change?",
    variants={"plain": PLAIN, "dropout": PLAIN.with_("learner.model.dropout", 0.4)},
    seeds=(0, 1, 2),
    metric="accuracy",
    answers=(
        compare("plain", "dropout", "val_accuracy", "What is the effect of dropout on validation accuracy?"),
        compare("plain", "dropout", "gap", "What is its effect on the generalisation gap?", expected="better"),
        final("accuracy", "val_accuracy", question="What are the values of training and validation accuracy?"),
        overfitting("Where does the validation loss stop falling?"),
    ),
)

if __name__ == "__main__":
    main(STUDY)
