"""Does a wide AlexNet perform and generalise better with spatial and normal dropout than without any?

    python studies/lab2_spatial_dropout.py

Time: 2 variants x 3 seeds x 150 epochs: about 6 hours on two cores, 25 minutes on a GPU (the latter an estimate).

Task 3 of the second laboratory: AlexNet of base 64 (3,356,225 parameters), Adam at 1e-5, 150 epochs, with spatial
dropout of 0.1 after each convolution and dropout of 0.4 after the dense layers, against no dropout of any kind. A
course solution found that the network with dropout performs and generalises better, from one run each.

Why: 3.4 million parameters can memorise 1,000 images. With dropout each step trains a different thinned network, in
the convolutions by whole feature maps (Srivastava et al. 2014; Tompson et al. 2015). This slows fitting and narrows the
gap; whether it also raises validation accuracy depends on how much the network would overfit without it.
"""

from functools import partial

from medcls import Study, Variant, data, main, models, training
from medcls.evaluation.answers import compare, converges, final, overfitting, sooner
from medcls.tasks import BINARY

WITHOUT = Variant(
    data=partial(data.skin, size=128, channels=1),
    learner=partial(
        training.gradient,
        model=partial(models.alexnet, base=64, dense=(64, 64), dropout=0.0, spatial_dropout=0.0),
        optimizer=partial(training.adam, learning_rate=1e-5),
        batch_size=8,
        epochs=150,
    ),
    task=BINARY,
)
WITH = WITHOUT.with_("learner.model.dropout", 0.4).with_("learner.model.spatial_dropout", 0.1)
STUDY = Study(
    name="lab2_spatial_dropout",
    question="Does a wide AlexNet perform and generalise better with spatial and normal dropout than without any?",
    variants={"no dropout": WITHOUT, "dropout": WITH},
    seeds=(0, 1, 2),
    metric="accuracy",
    answers=(
        compare("no dropout", "dropout", "val_accuracy", "Which model performs better?", expected="better"),
        compare("no dropout", "dropout", "gap", "Which has more generalisation power?", expected="better"),
        sooner("no dropout", "dropout", "accuracy", "Which reaches the accuracy common to both sooner?", "worse"),
        converges("no dropout", "dropout", "accuracy", "Which reaches its own best sooner?", "worse"),
        final("accuracy", "val_accuracy", "val_loss", question="What are the final values?"),
        overfitting(),
    ),
)

if __name__ == "__main__":
    main(STUDY)
