"""Which converges faster: with spatial dropout after each convolution, or without, and why?

    python studies/task2a_spatial_dropout.py

Time: 2 variants x 3 seeds x 150 epochs: about 2 hours on two cores, 12 minutes on a GPU (the latter an estimate).

Task 2a of the laboratory assignment: AlexNet of base 32 with dropout of 0.4 after the first two dense layers, Adam at
1e-5, with spatial dropout of 0.1 between activation and pooling, and without. Two course solutions reported, from one
run each (training / validation accuracy): spatial dropout .753/.800 and .757/.790, without .832/.775 and .866/.810.

Why: neighbouring pixels of a feature map have nearly the same value, so plain dropout removes little information;
spatial dropout drops whole maps (Tompson et al. 2015). Each step then trains fewer features, with noisier gradients:
convergence is slower, but the network is less likely to memorise the training images.
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
        epochs=150,
    ),
    task=BINARY,
)
STUDY = Study(
    name="task2a_spatial_dropout",
    question="Which converges faster: with spatial dropout after each convolution, or without, and why?",
    variants={"without": WITHOUT, "spatial dropout": WITHOUT.with_("learner.model.spatial_dropout", 0.1)},
    seeds=(0, 1, 2),
    metric="accuracy",
    answers=(
        sooner("without", "spatial dropout", "accuracy", "Which reaches the accuracy common to both sooner?", "worse"),
        converges("without", "spatial dropout", "accuracy", "Which reaches its own best sooner?", "worse"),
        compare("without", "spatial dropout", "accuracy", "How much training accuracy does it cost?", "worse"),
        compare("without", "spatial dropout", "gap", "Does it narrow the gap?", expected="better"),
        final("val_loss", "val_accuracy", question="What are the final validation loss and accuracy?"),
        overfitting(),
    ),
)

if __name__ == "__main__":
    main(STUDY)
