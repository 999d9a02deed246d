"""How do small networks draw the line between two classes of points in the plane?

    python studies/toy_boundaries.py

Time: 3 networks x 100 epochs: under half a minute on two cores. Each run directory, and its entry in MLflow, then has
boundary.png and boundary.gif: the decision boundary over the map of probabilities, and how it moved over the epochs.

Exercise 1 of the image analysis report: dense layers of 3 and 5 ReLU units (41 parameters) for two clouds of points,
of 5, 15 and 10 (287) for a cloud within a circle and for four clouds; two softmax units, categorical cross-entropy,
Adam, batches of 64. The report does not give the number of points: here there are 1,000, a fifth of them for
validation.

Why: each ReLU unit bends the plane along one line, so the boundary consists of straight pieces. Two clouds need one
line; a circle needs at least three; four clouds need two that cross.
"""

from functools import partial

from medcls import Study, Variant, data, explain, main, models, training
from medcls.evaluation.answers import final
from medcls.tasks import MULTICLASS

TWO_BLOBS = Variant(
    data=partial(data.toy2d, name="2blob", points=1000),
    learner=partial(
        training.gradient,
        model=partial(models.mlp, hidden=(3, 5), activation="relu"),
        optimizer=partial(training.adam, learning_rate=1e-3),
        watch=partial(explain.frames, every=4),
        batch_size=64,
        epochs=100,
    ),
    task=MULTICLASS,
)
LARGER = TWO_BLOBS.with_("learner.model.hidden", (5, 15, 10))
STUDY = Study(
    name="toy_boundaries",
    question="How do small networks draw the line between two classes of points in the plane?",
    variants={
        "2blob, 41 parameters": TWO_BLOBS,
        "blob_circle, 287 parameters": LARGER.with_("data.name", "blob_circle"),
        "4blob, 287 parameters": LARGER.with_("data.name", "4blob"),
    },
    metric="accuracy",
    smoke={"learner.epochs": 4},
    answers=(final("accuracy", "val_accuracy", question="How many of the points does each classify correctly?"),),
)

if __name__ == "__main__":
    main(STUDY)
