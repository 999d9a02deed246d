"""At which epoch does batch normalisation reach the training accuracy of task 1a, and what is its effect?

    python studies/task1b_batch_norm.py

Time: 2 new variants x 3 seeds x 50 epochs: about 9 minutes on two cores, 4 on a GPU (the latter an estimate).

Task 1b of the laboratory assignment: task 1a's AlexNet with batch normalisation between each convolution and its
activation, with and without dropout. Finished runs of task 1a are reused. Two course solutions reported, from one run
each (training / validation accuracy): 1.000/.820 and 1.000/.795 without dropout, .981/.785 and .965/.805 with it;
1a's training accuracy was reached at epoch 8 to 10 without dropout and 17 with it.

Why: normalised activations keep gradients in range and make the loss smoother, so larger steps are useful (Ioffe and
Szegedy 2015; Santurkar et al. 2018). The noise of batch statistics regularises a little, but a network that fits the
training images sooner also memorises them sooner.
"""

from functools import partial

from medcls import Study, Variant, data, grid, main, models, training
from medcls.evaluation.answers import compare, converges, final, reaches
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
    name="task1b_batch_norm",
    question="At which epoch does batch normalisation reach the training accuracy of task 1a, and what is its effect?",
    variants=grid(
        PLAIN,
        learner__model__batch_norm={"plain": False, "batch norm": True},
        learner__model__dropout={"no dropout": 0.0, "dropout": 0.4},
    ),
    seeds=(0, 1, 2),
    metric="accuracy",
    answers=(
        reaches("batch norm, no dropout", of="plain, no dropout"),
        reaches("batch norm, dropout", of="plain, dropout"),
        final("accuracy", "val_accuracy", "gap", question="What are the final accuracies?"),
        compare("plain, no dropout", "batch norm, no dropout", "val_accuracy", "What is the effect of batch norm?"),
        compare("plain, dropout", "batch norm, dropout", "val_accuracy", "And with dropout?"),
        converges("plain, no dropout", "batch norm, no dropout", "accuracy", expected="better"),
    ),
)

if __name__ == "__main__":
    main(STUDY)
