"""Where does a small network look? One variant that trains in seconds, asked at its end."""

from functools import partial

from medcls import Study, Variant, data, explain, main, models, training
from medcls.evaluation.saliency_answers import believable, where_it_looks
from medcls.tasks import BINARY

STUDY = Study(
    name="heat_study",
    question="Where does a small network look?",
    variants={
        "small": Variant(
            data=partial(data.bone, size=32, channels=1),
            learner=partial(training.gradient, model=partial(models.alexnet, base=2, dense=(4,)), epochs=2),
            task=BINARY,
        )
    },
    data=(partial(data.bone), partial(data.bone_unlettered)),
    explain=partial(explain.heat_maps, shown=3, checked=2, steps=3, stages=2),
    answers=(where_it_looks(), believable()),
)

if __name__ == "__main__":
    main(STUDY)
