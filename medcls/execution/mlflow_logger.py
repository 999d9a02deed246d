"""From runs, trials and the study to the nodes of the tracking store; does nothing when offline."""

import getpass
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from medcls.evaluation.summary import StudySummary
from medcls.execution.planning.datasets import DataSource, StudyData
from medcls.execution.planning.plan import StudyPlan
from medcls.execution.remarks import remark
from medcls.execution.search.trials import Trial
from medcls.explain import saliency_scores
from medcls.report.note import note, opening
from medcls.report.run_figures import pictures
from medcls.spec.run import Run
from medcls.tracking import run_origin, run_table
from medcls.tracking.entries import DataRecord, Ending, EntryStatus, Node
from medcls.tracking.mlflow_client import Store
from medcls.tracking.mlflow_sync import Mirror
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import RunResult
from medcls.tracking.run_table import Ended
from medcls.training.backbone import kind
from medcls.utils import provenance
from medcls.utils.files import write_json
from medcls.utils.paths import root
from medcls.utils.reachability import reach
from medcls.utils.records import is_count, read_record
from medcls.utils.statuses import TrialState
from medcls.utils.version import __version__


class MlflowLogger:
    """What the driver says to the store: `mirror` is None when offline.

    Args:
        mirror: keeps the store up to date.
        study: the identity of the study's own node.
        tags: on every node: study, version, kind of data.
        git_commit: that is checked out, None outside a repository.
        git_dirty: whether tracked files differ from the commit.
    """

    def __init__(
        self, mirror: Mirror | None, study: str, tags: Mapping[str, Any], git_commit: str | None, *, git_dirty: bool
    ) -> None:
        self.mirror, self.study = mirror, study
        self.git_commit, self.git_dirty = git_commit, git_dirty
        self.tags = {**tags, **_commit_tags(git_commit, git_dirty)}

    def settle(self, seconds: float | None = None) -> bool:
        """Write what is waiting, for at most so long; return whether the store has everything."""
        return self.mirror is None or self.mirror.settle(seconds)

    def run_id(self, run: Run, parent: str) -> str:
        """Return the store's id of a run's node, "" where it has none."""
        if self.mirror is None:
            return ""
        return self.mirror.store.run_id(self.run_identity(run, parent)) or ""

    def trial_identity(self, number: int) -> str:
        """Return the identity of a trial's node."""
        return f"{self.study}/trial-{number}"

    def run_identity(self, run: Run, parent: str) -> str:
        """Return the identity of a run's node below its parent."""
        return f"{parent}/{run.key}"

    def open_trial(self, number: int, labels: Mapping[str, Any], metric: str) -> None:
        """Show a trial's node, with the parameters that the search proposed."""
        if self.mirror is not None:
            tags = {**self.tags, "medcls.level": "trial", "medcls.trial": number, "medcls.metric": metric}
            identity, name = self.trial_identity(number), f"trial {number}"
            self.mirror.open(Node(identity, name, self.study, parameters=labels, tags={**tags, "medcls.variant": name}))

    def close_trial(self, trial: Trial, runs: Sequence[Ended]) -> None:
        """End a trial's node: KILLED if it was pruned or taken over, FAILED if one of its runs failed."""
        if self.mirror is not None:
            ends = {TrialState.COMPLETE: EntryStatus.FINISHED, TrialState.FAILED: EntryStatus.FAILED}
            status = ends.get(trial.state, EntryStatus.KILLED)
            ended = max((result.ended for _, result in runs), default=int(time.time() * 1000))
            tags = {"medcls.state": "taken over" if trial.taken_over else trial.state}
            scores = run_table.of_group(runs)
            self.mirror.close(self.trial_identity(trial.number), Ending(status, ended, scores, tags=tags))

    def open_run(self, run: Run, folder: RunDir, parent: str, sources: StudyData, *, fresh: bool) -> None:
        """Show a run's node; `fresh` if it is not finished, so that the store must follow it."""
        if self.mirror is None:
            return
        described, source = folder.description(), sources.of(run.variant)
        tags = {
            **self.tags,
            **_commit_tags(described.git_commit, described.git_dirty),
            **_data_tags([source]),
            "medcls.level": "run",
            "medcls.key": run.key,
            "medcls.variant": run.variant_name,
            "medcls.seed": run.seed,
            "medcls.fold": run.fold,
            "medcls.code": described.code,
            "medcls.threads": described.threads,
            "medcls.shared_from": described.shared_from,
            "weights.kind": kind(run.variant),
        }
        identity, data = self.run_identity(run, parent), (_data_record(source),)
        node = Node(identity, sources.called(run), parent, None, run.parameters(), tags, data, folder)
        self.mirror.open(node, anew=fresh)

    def close_run(self, run: Run, folder: RunDir, parent: str, result: RunResult, source: DataSource) -> None:
        """End a run's node with its scores and figures; or with its traceback."""
        identity = self.run_identity(run, parent)
        if self.mirror is None or self.mirror.has_ended(identity):
            return
        files = dict.fromkeys([folder.path / "result.json", *run_origin.kept_code(folder)], "")
        origin = run_origin.tags(folder)
        if result.is_finished:
            tags = {**origin, "medcls.weights_sha256": result.weights_sha256}
            sentence = remark(folder.read_arrays("predictions"), source)
            if sentence:
                tags["medcls.remark"] = sentence
            drawings = pictures(run, folder, result, source.decoded)
            scores = run_table.of_run(folder, result) | saliency_scores.scores(saliency_scores.read(folder))
            ending = Ending(EntryStatus.FINISHED, result.ended, scores, tags, files, drawings)
        else:
            files |= {folder.path / "traceback.txt": "", folder.path / "output.txt": ""}
            traced = {folder.path / "traceback.txt": lambda path: path.write_text(_trace(result))}
            tags = {**origin, "medcls.error": str(result.error)}
            ending = Ending(EntryStatus.FAILED, result.ended, tags=tags, files=files, drawings=traced)
        self.mirror.close(identity, ending)

    def add_scores(self, run: Run, parent: str, ended: int, scores: Mapping[str, float]) -> None:
        """Add scores to a run's node that came after its end."""
        if self.mirror is not None:
            self.mirror.add(self.run_identity(run, parent), scores, ended)

    def close_study(self, ending: Ending, summary: StudySummary) -> None:
        """End the study's own node; its description says the answer."""
        if self.mirror is not None:
            tags = {**ending.tags, "mlflow.note.content": note(summary, provenance.command())}
            self.mirror.close(self.study, replace(ending, tags=tags))

    def interrupt(self) -> None:
        """Show what is open as killed until the command is run again; a store that is slow is not waited for."""
        if self.mirror is not None:
            self.mirror.interrupt()
            self.mirror.settle(5.0)


def opened_store(plan: StudyPlan, say: Callable[[str], None] = print) -> Store | None:
    """Return the store that a study is to be shown in, None if it is to stay offline; `say` is told of waiting for it.

    Raises:
        BadInputError: the store cannot be reached.
    """
    study, options = plan.study, plan.options
    if not options.offline:
        reach(options.tracking_uri, say)
    return None if options.offline else Store(options.tracking_uri, study.name, study.question, root() / "mlruns")


def study_mirroring(plan: StudyPlan, store: Store | None) -> MlflowLogger:
    """Return the mirroring of a study's plan into a store, its own node open; nothing is shown without one.

    Raises:
        BadInputError: the store cannot be reached.
    """
    commit, is_dirty = plan.code.commit, plan.code.is_dirty
    created = _created(plan.work.study(plan.key))
    if store is None:
        return MlflowLogger(None, plan.key, {}, commit, git_dirty=is_dirty)
    with store.explained():
        store.find(plan.key, created)
    mirror = Mirror(store)
    mirroring = MlflowLogger(mirror, plan.key, _tags(plan), commit, git_dirty=is_dirty)
    mirror.open(_node(plan, created, mirroring.tags))
    return mirroring


def _node(plan: StudyPlan, created: int, tags: Mapping[str, Any]) -> Node:
    """Return the study's own node."""
    study, sources = plan.study, plan.sources.by_name
    tags = {
        **tags,
        "medcls.level": "study",
        "mlflow.note.content": opening(plan.question, provenance.command()),
    }
    data = tuple(_data_record(source) for source in sources.values())
    return Node(plan.key, study.name, None, created, _common(plan), tags, data)


def _created(folder: Path) -> int:
    """Return when the study was begun in this work directory, in milliseconds since 1970; --force begins it anew."""
    known = read_record(folder / "study.json", {"created": is_count})
    if known is None:
        known = {"created": int(time.time() * 1000)}
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "study.json", known)
    return int(known["created"])


def _tags(plan: StudyPlan) -> dict[str, Any]:
    return {
        "medcls.study": plan.study.name,
        "medcls.version": __version__,
        "medcls.smoke": plan.options.smoke,
        **_data_tags(plan.sources.by_name.values()),
        "mlflow.source.name": provenance.script(),
        "mlflow.source.type": "LOCAL",
        "mlflow.user": _user(),
    }


def _data_tags(sources: Collection[DataSource]) -> dict[str, Any]:
    """Return what the store says of data sets: their kinds, their leaks, how many files were left out."""
    leaks = []
    for source in sources:
        if source.leaks != "none":
            leaks.append(source.leaks if len(sources) == 1 else f"{source.name}: {source.leaks}")
    return {
        "data.kind": ",".join(sorted({source.bundle.kind for source in sources})),
        "data.leaks": "; ".join(leaks) or "none",
        "data.skipped": sum(len(source.skipped) for source in sources),
    }


def _commit_tags(commit: str | None, is_dirty: bool | None) -> dict[str, Any]:
    """Return the tags of a commit: ours, and the one that MLflow's run table shows as the version."""
    if is_dirty is None:  # older run directories do not say it
        return {}
    return {
        "medcls.git_commit": commit,
        "medcls.git_dirty": is_dirty,
        "mlflow.source.git.commit": commit,
    }


def _common(plan: StudyPlan) -> dict[str, Any]:
    """Return the parameters that all runs of the study share: no variant, seed, fold or trial has its own."""
    parameters = []
    for _, variant in plan.study.conditions:
        parameters.append({**variant.parameters(), "data": plan.sources.of(variant).name})
    first, *others = parameters
    searched = tuple(plan.study.search.space) if plan.study.search is not None else ()
    inside_searched = tuple(f"{path}." for path in searched)
    common = {}
    for path, value in first.items():
        if path in searched or path.startswith(inside_searched):
            continue
        if all(path in other and other[path] == value for other in others):
            common[path] = value
    return common


def _data_record(source: DataSource) -> DataRecord:
    """Return what the store's data set input says of a source."""
    bundle = source.bundle
    counts = {name: int((bundle.labels == label).sum()) for label, name in enumerate(bundle.classes)}
    profile = {"num_rows": len(bundle.labels), "classes": counts, "size": bundle.size, "channels": bundle.channels}
    return DataRecord(source.name, bundle.source, bundle.kind, bundle.fingerprint, profile)


def _trace(result: RunResult) -> str:
    return result.traceback or f"{result.error}\n"


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user may have no name
        return None
