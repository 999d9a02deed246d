"""Complaints, before anything is trained, about scores that a study asks for and no run will have."""

from collections.abc import Sequence

from medcls.evaluation import metrics
from medcls.evaluation.answers import Compare
from medcls.execution.planning.datasets import StudyData
from medcls.spec.parameters import arguments_of, function_of, unknown
from medcls.spec.study import Study
from medcls.spec.variant import Variant
from medcls.training.callbacks import nothing
from medcls.utils.errors import BadInputError

WRITES = ("stop", "schedule", "watch")  # parameters of a learner whose callbacks may write into the history


def check_scores(study: Study, sources: StudyData) -> None:
    """Complain about a score that would be missed when the runs have ended, or whose better direction nobody knows.

    Raises:
        BadInputError: the study decides, searches or compares by such a score.
    """
    deciding = {"Study": study.metric} | ({"Search": study.search.metric} if study.search is not None else {})
    for _, variant in study.conditions:
        known = variant.task.score_names(sources.of(variant).bundle.classes)
        for owner, metric in deciding.items():
            if metric not in known:
                raise BadInputError(f"{owner}.metric: {unknown(metric, known, 'score to maximise')}")
    for answer in study.answers:
        if isinstance(answer, Compare):
            concerned = [variant for name, variant in study.conditions if name in (answer.a, answer.b)]
            if concerned:
                answer.check(_recorded(concerned, sources))


def _recorded(variants: Sequence[Variant], sources: StudyData) -> list[str] | None:
    """Return the scores that some run of the variants will have, None where code of the user's may add its own."""
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
    """Tell whether all that writes scores of a variant's runs is a part of medcls."""
    given = arguments_of(variant.learner)
    writing = [variant.learner, variant.task.metrics, variant.task.scores, *(given.get(name) for name in WRITES)]
    return all(function_of(each).__module__.startswith("medcls.") for each in writing if each is not None)
