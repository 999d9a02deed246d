"""How accurate is one hidden layer of 100 sigmoid units on MNIST?

    python studies/mnist_mlp.py
    python studies/mnist_mlp.py --data FOLDER_WITH_MNIST

Time: 3 seeds x 25 epochs: a few minutes on two cores, less on scikit-learn's digits (used without MNIST).

Part 1.1 of the homework: 784-100-10, sigmoid and softmax, SGD at 0.25 without momentum, batches of 100, 25 epochs,
79,510 parameters; 5,000 of the training images are the validation set. The homework reported 94% after 6 epochs and
about 97% in the end, on the test set.

Why: a high learning rate suits sigmoid units, whose slope is at most a quarter; without momentum the curves rise slowly
and evenly, so the network still improves at epoch 25.
"""

from functools import partial

from medcls import Study, Variant, data, main, models, training
from medcls.evaluation.answers import final
from medcls.evaluation.references import beside_published
from medcls.tasks import MULTICLASS

MLP = Variant(
    data=partial(data.mnist, size=28, channels=1, validation=5000),
    learner=partial(
        training.gradient,
        model=partial(models.mlp, hidden=(100,), activation="sigmoid"),
        optimizer=partial(training.sgd, learning_rate=0.25, momentum=0.0),
        batch_size=100,
        epochs=25,
    ),
    task=MULTICLASS,
)
STUDY = Study(
    name="mnist_mlp",
    question="How accurate is one hidden layer of 100 sigmoid units on MNIST?",
    variants={"784-100-10": MLP},
    seeds=(0, 1, 2),
    metric="accuracy",
    answers=(
        beside_published("accuracy", 0.97, "about what the homework reported after 25 epochs"),
        final("accuracy", "val_accuracy", "gap", question="What are the final values of training and validation?"),
    ),
)

if __name__ == "__main__":
    main(STUDY)
