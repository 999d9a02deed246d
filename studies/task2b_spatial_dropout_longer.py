"""After 250 epochs, how do spatial and normal dropout help the learning?

    python studies/task2b_spatial_dropout_longer.py

Time: 2 variants x 3 seeds x 250 epochs: about 3 hours on two cores, 20 minutes on a GPU (the latter an estimate).

Task 2b of the laboratory assignment: task 2a for 250 epochs. If 2a has run, its 150 epochs are reused and 100 more are
trained. Course solutions reported, from one run each (training / validation accuracy): spatial dropout .805/.835,
without .872/.795 and .920/.805.

Why: both kinds of dropout average over many thinned networks and so suppress what only the training images share
(Srivastava et al. 2014; Tompson et al. 2015). This matters more the longer a network trains: the gap of the network
without spatial dropout widens, its validation loss rises earlier, and the slower network catches up.
"""

from functools import partial

from medcls import Study, Variant, data, main, models, training
from medcls.evaluation.answers import compare, converges, final, overfitting, sooner
from medcls.tasks import BINARY

WITHOUT = Variant(
    data=partial(data.skin, size=128, channels=1),
    learner=partial(
        training.gradient,
        model=partial(models.alexnet, base=32, dense=(64, 64), dropout=0.4, spatial_dropout=0.0),
        optimizer=partial(training.adam, learning_rate=1e-5),
        batch_size=8,
        epochs=250,
    ),
    task=BINARY,
)
STUDY = Study(
    name="task2b_spatial_dropout_longer",
    question="After 250 epochs, how do spatial and normal dropout help the learning?",
    variants={"without": WITHOUT, "spatial dropout": WITHOUT.with_("learner.model.spatial_dropout", 0.1)},
    seeds=(0, 1, 2),
    metric="accuracy",
    answers=(
        compare("without", "spatial dropout", "val_accuracy", "Does it help on new images?", expected="better"),
        compare("without", "spatial dropout", "gap", "Does it narrow the gap?", expected="better"),
        sooner("without", "spatial dropout", "accuracy", "Which reaches the accuracy common to both sooner?", "worse"),
        converges("without", "spatial dropout", "accuracy", "Which reaches its own best sooner?", "worse"),
        final("accuracy", "val_accuracy", "val_loss", question="What are the final values?"),
        overfitting(),
    ),
)

if __name__ == "__main__":
    main(STUDY)
