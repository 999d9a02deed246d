"""A head on a borrowed network's features: python tests/tiny/tiny_borrowed.py --data FOLDER --weights random."""

from functools import partial

from tiny_search import BASE

from medcls import Study, Variant, data, main, models, training

HEAD = partial(models.pretrained, backbone="vgg16", dense=(8,), dropout=0.5, pooling="average")
STUDY = Study(
    name="tiny_borrowed",
    question="Are features that were being computed when all was killed those that are computed undisturbed?",
    variants={
        "features": Variant(
            data=partial(data.folder, source=".", size=64, channels=3),
            learner=partial(training.transfer, model=HEAD, batch_size=8, epochs=3),
            task=BASE.task,
        )
    },
)

if __name__ == "__main__":
    main(STUDY)
