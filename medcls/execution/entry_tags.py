"""The tags of a study's entries in MLflow: what they belong to, on which data, by which code."""

import getpass
from collections.abc import Collection
from typing import Any

from medcls.execution.planning.datasets import DataSource
from medcls.execution.planning.plan import StudyPlan
from medcls.tracking.entries import DataRecord
from medcls.utils import provenance
from medcls.utils.version import __version__

BEST, COLOUR, LEVEL, VERDICT = "medcls.best", "mlflow.runColor", "medcls.level", "medcls.verdict"
VARIANT, DATA, REFIT = "medcls.variant", "medcls.data", "medcls.refit"
STUDY_RUN = "medcls.study_run"  # the entries of one study run: other data, other code or --smoke make another


def of_study(plan: StudyPlan, created: int) -> dict[str, Any]:
    """Return the tags of every entry of a study.

    Args:
        plan: of the study.
        created: when the study was begun, in milliseconds since 1970.
    """
    return {
        "medcls.study": plan.study.name,
        STUDY_RUN: f"{plan.key}-{created}",
        "medcls.version": __version__,
        "medcls.smoke": plan.options.smoke,
        **of_data(plan.sources.by_name.values()),
        "mlflow.source.name": provenance.script(),
        "mlflow.source.type": "LOCAL",
        "mlflow.user": _user(),
    }


def of_data(sources: Collection[DataSource]) -> dict[str, Any]:
    """Return what the store says of data sets: their kinds, their leaks, how many files were left out."""
    leaks = []
    for source in sources:
        if source.leaks != "none":
            leaks.append(source.leaks if len(sources) == 1 else f"{source.name}: {source.leaks}")
    return {
        DATA: ", ".join(source.name for source in sources),
        "data.kind": ",".join(sorted({source.bundle.kind for source in sources})),
        "data.leaks": "; ".join(leaks) or "none",
        "data.skipped": sum(len(source.skipped) for source in sources),
    }


def of_commit(commit: str | None, is_dirty: bool | None) -> dict[str, Any]:
    """Return the tags of a commit: ours, and the one that MLflow's run table shows as the version."""
    if is_dirty is None:  # older run directories do not say it
        return {}
    return {
        "medcls.git_commit": commit,
        "medcls.git_dirty": is_dirty,
        "mlflow.source.git.commit": commit,
    }


def data_record(source: DataSource) -> DataRecord:
    """Return what the store's data set input says of a source."""
    bundle = source.bundle
    counts = {name: int((bundle.labels == label).sum()) for label, name in enumerate(bundle.classes)}
    profile = {"num_rows": len(bundle.labels), "classes": counts, "size": bundle.size, "channels": bundle.channels}
    return DataRecord(source.name, bundle.source, bundle.kind, bundle.fingerprint, profile)


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user may have no name
        return None
