"""Check before training that the runs of a study will have the scores that the study asks for."""

from collections.abc import Sequence

from medcls.evaluation import metrics
from medcls.evaluation.answers import questions
from medcls.execution.planning.datasets import StudyData
from medcls.spec.parameters import arguments_of, function_of, unknown
from medcls.spec.study import Study
from medcls.spec.variant import Variant
from medcls.training.callbacks import nothing
from medcls.utils.errors import BadInputError

CALLBACKS = ("stop", "schedule", "watch")  # parameters of a learner whose callbacks may record scores


def check_scores(study: Study, sources: StudyData) -> None:
    """Check that every run will have the scores by which the study selects, searches and compares.

    Raises:
        BadInputError: a score that no run will have, or of which medcls does not know whether higher is better.
    """
    selecting = {"Study": study.metric}
    if study.search is not None:
        selecting["Search"] = study.search.metric
    for _, variant in study.conditions:
        known = variant.task.score_names(sources.of(variant).bundle.classes)
        for owner, metric in selecting.items():
            if metric not in known:
                raise BadInputError(f"{owner}.metric: {unknown(metric, known, 'score to maximise')}")
    for question in questions(study.answers):
        compared = [variant for name, variant in study.conditions if name in (question.a, question.b)]
        if compared:
            question.check(_recorded(compared, sources))


def _recorded(variants: Sequence[Variant], sources: StudyData) -> list[str] | None:
    """Return the scores that runs of the variants will have; None if the user's own code may add others."""
    names: dict[str, None] = {}
    for variant in variants:
        if not _is_ours(variant):
            return None
        kind = metrics.MASKS if variant.task.pixels else metrics.CLASSES
        names |= dict.fromkeys(metrics.recorded(kind, sources.of(variant).bundle.classes))
        if arguments_of(variant.learner).get("watch", nothing) is not nothing:
            names |= {"test_accuracy": None}
    return list(names)


def _is_ours(variant: Variant) -> bool:
    """Tell whether medcls alone records the scores of a variant's runs."""
    arguments = arguments_of(variant.learner)
    nodes = [variant.learner, variant.task.metrics, variant.task.scores]
    nodes += [arguments[name] for name in CALLBACKS if arguments.get(name) is not None]
    return all(function_of(node).__module__.startswith("medcls.") for node in nodes)
