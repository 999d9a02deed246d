"""Which activation, optimizer and regularisation make a small convolutional network best on MNIST?

    python studies/mnist_cnn.py --data FOLDER_WITH_MNIST

Time: 8 variants x 3 seeds x 4 epochs and the perceptron: about 10 minutes on two cores, less on scikit-learn's digits.

Parts 1.2 to 1.5 of the homework: convolutions of 8, 16 and 32 maps, pooling after the first two, kernels drawn from a
normal distribution (the task's last layer keeps Keras's initialiser), 21,578 parameters, batches of 100, 4 epochs. The
homework found tanh with Adam best, and slightly shorter epochs when the activation follows the pooling.

Why: max-pooling and a monotonic activation commute, and after pooling there are a quarter as many values to activate.
SGD at 0.001 takes steps too small for 4 epochs, and with half of its features dropped a network learns more slowly.
"""

from functools import partial

from medcls import Study, Variant, data, main, models, training
from medcls.evaluation import run_scores
from medcls.evaluation.answers import compare, final
from medcls.evaluation.references import beside_published, ratio
from medcls.tasks import MULTICLASS

STEEP = partial(training.sgd, learning_rate=0.25, momentum=0.0)
SLOW = partial(training.sgd, learning_rate=0.001, momentum=0.8)
CNN = partial(models.cnn, initializer="random_normal")
LEARNER = partial(training.gradient, model=CNN, optimizer=STEEP, batch_size=100, epochs=4)
RELU = Variant(data=partial(data.mnist, size=28, channels=1, validation=5000), learner=LEARNER, task=MULTICLASS)
TANH, ADAM = RELU.with_("learner.model.activation", "tanh"), RELU.with_("learner.optimizer", training.adam)
MLP = RELU.with_("learner.model", models.mlp).with_("learner.epochs", 25)
TIME = run_scores.seconds_per_epoch()
STUDY = Study(
    name="mnist_cnn",
    question="Which activation, optimizer and regularisation make a small convolutional network best on MNIST?",
    variants={
        "perceptron": MLP,
        "relu SGD": RELU,
        "relu SGD pooling first": RELU.with_("learner.model.pooling_first", True),
        "tanh SGD": TANH,
        "tanh SGD pooling first": TANH.with_("learner.model.pooling_first", True),
        "relu Adam": ADAM,
        "tanh Adam": ADAM.with_("learner.model.activation", "tanh"),
        "relu Adam dropout": ADAM.with_("learner.model.dropout", 0.5),
        "relu slow SGD": RELU.with_("learner.optimizer", SLOW),
    },
    seeds=(0, 1, 2),
    metric="accuracy",
    answers=(
        ratio("perceptron", "relu SGD", run_scores.parameters(), "How many parameters, relative to the perceptron?"),
        ratio("tanh SGD", "tanh SGD pooling first", TIME, "How does tanh after pooling change an epoch's time?"),
        ratio("relu SGD", "relu SGD pooling first", TIME, "And relu?"),
        *(compare("relu Adam", other, "val_accuracy") for other in ("tanh Adam", "relu Adam dropout", "relu SGD")),
        beside_published("accuracy", 0.98, "required of the best network"),
        final("accuracy", "val_accuracy", question="What are the final values of training and validation?"),
    ),
)

if __name__ == "__main__":
    main(STUDY)
