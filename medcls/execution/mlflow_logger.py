"""From runs, variants, trials and the study to the entries of the tracking store; does nothing when offline."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from medcls.evaluation.summary import StudySummary
from medcls.execution import entry_names, entry_tags, entry_verdicts, run_endings
from medcls.execution.planning.datasets import DataSource, StudyData
from medcls.execution.planning.plan import StudyPlan
from medcls.execution.search.trials import Trial
from medcls.execution.study_views import views_of
from medcls.report.case_images import CaseImage, case_images, of_group
from medcls.report.note import note, opening
from medcls.spec.run import Run
from medcls.tracking import run_table
from medcls.tracking.entries import Ending, Entry, EntryStatus
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


class MlflowLogger:
    """What the driver says to the store: `mirror` is None when offline.

    Args:
        mirror: keeps the store up to date.
        plan: of the study.
        created: when the study was begun, in milliseconds since 1970.

    Attributes:
        names: the ids, names and colours of the study's entries.
        git_commit: that is checked out, None outside a repository.
        git_dirty: whether tracked files differ from the commit.
    """

    def __init__(self, mirror: Mirror | None, plan: StudyPlan, created: int) -> None:
        self.mirror, self.names = mirror, entry_names.names_of(plan)
        self.git_commit, self.git_dirty = plan.code.commit, plan.code.is_dirty
        self.tags = entry_tags.of_study(plan, created) | entry_tags.of_commit(self.git_commit, self.git_dirty)
        self._plan = plan
        self._metric = plan.study.metric if plan.study.search is None else plan.search.metric
        self._shown: dict[str, str] = {}  # the names of variants and trials, by entry
        self._ended: dict[str, dict[Run, Ended]] = {}  # how their runs ended
        self._cases: dict[str, dict[Run, list[CaseImage]]] = {}  # what their runs show in the image grid

    @property
    def study(self) -> str:
        """The id of the study's own entry."""
        return self.names.study

    def settle(self, seconds: float | None = None) -> bool:
        """Write what is waiting, for at most so long; return whether the store has everything."""
        return self.mirror is None or self.mirror.settle(seconds)

    def run_id(self, run: Run, parent: str) -> str:
        """Return the store's id of a run's entry, "" where it has none."""
        if self.mirror is None:
            return ""
        return self.mirror.store.run_id(self.run_entry_id(run, parent)) or ""

    def run_entry_id(self, run: Run, parent: str) -> str:
        """Return the id of a run's entry below its parent.

        Older versions had no entries of variants; their runs keep the ids that they had right below the study.
        """
        older = f"{self.study}/{run.key}"
        if parent == self.names.variant_id(run) and self.mirror is not None and self.mirror.store.run_id(older):
            return older
        return f"{parent}/{run.key}"

    def open_trial(self, number: int, labels: Mapping[str, Any], metric: str) -> None:
        """Show a trial's entry, with the parameters that the search proposed."""
        if self.mirror is None:
            return
        variant, name = f"trial {number}", self.names.trial(number, labels)
        tags = {
            **self.tags,
            entry_tags.LEVEL: "trial",
            entry_tags.VARIANT: variant,
            entry_tags.REFIT: False,
            entry_tags.COLOUR: self.names.colour(variant),
            "medcls.trial": number,
            "medcls.metric": metric,
        }
        self._shown[self.names.trial_id(number)] = name
        self.mirror.open(Entry(self.names.trial_id(number), name, self.study, parameters=labels, tags=tags))

    def close_trial(self, trial: Trial, runs: Sequence[Ended]) -> None:
        """End a trial's entry: KILLED if it was pruned or taken over, FAILED if one of its runs failed."""
        if self.mirror is not None:
            ends = {TrialState.COMPLETE: EntryStatus.FINISHED, TrialState.FAILED: EntryStatus.FAILED}
            status = ends.get(trial.state, EntryStatus.KILLED)
            state = "taken over" if trial.taken_over else trial.state
            entry_id = self.names.trial_id(trial.number)
            ending = replace(self._of_repeats(entry_id, runs), status=status, tags={"medcls.state": state})
            self.mirror.close(entry_id, ending)

    def open_run(self, run: Run, folder: RunDir, parent: str, sources: StudyData, *, fresh: bool) -> None:
        """Show a run's entry; `fresh` if it is not finished, so that the store must follow it."""
        if self.mirror is None:
            return
        described, source = folder.description(), sources.of(run.variant)
        tags = {
            **self.tags,
            **entry_tags.of_commit(described.git_commit, described.git_dirty),
            **entry_tags.of_data([source]),
            entry_tags.LEVEL: "run",
            entry_tags.VARIANT: run.variant_name,
            entry_tags.REFIT: run.is_refit,
            entry_tags.COLOUR: self.names.colour(run.variant_name),
            "medcls.key": run.key,
            "medcls.seed": run.seed,
            "medcls.fold": run.fold,
            "medcls.code": described.code,
            "medcls.threads": described.threads,
            "medcls.shared_from": described.shared_from,
            "weights.kind": kind(run.variant),
        }
        if parent == self.names.variant_id(run):
            self._open_variant(run, source, described.started)
        data, parameters = (entry_tags.data_record(source),), entry_names.shown_parameters(run)
        entry_id = self.run_entry_id(run, parent)
        entry = Entry(entry_id, self.names.run(run), parent, None, parameters, tags, data, folder)
        self.mirror.open(entry, anew=fresh)

    def close_run(self, run: Run, folder: RunDir, parent: str, result: RunResult, source: DataSource) -> None:
        """End a run's entry with its scores and figures; or with its traceback."""
        self._ended.setdefault(parent, {})[run] = (folder, result)
        if result.is_finished and self.mirror is not None:
            self._cases.setdefault(parent, {})[run] = case_images(run, folder, source.decoded)
        entry_id = self.run_entry_id(run, parent)
        if self.mirror is None or self.mirror.has_ended(entry_id):
            return
        self.mirror.close(entry_id, run_endings.ending_of_run(run, folder, result, source))

    def add_scores(self, run: Run, parent: str, ended: int, scores: Mapping[str, float]) -> None:
        """Add scores to a run's entry that came after its end."""
        if self.mirror is not None:
            self.mirror.add(self.run_entry_id(run, parent), scores, ended)

    def close_study(self, ending: Ending, summary: StudySummary) -> None:
        """End the entries of the variants, mark the best, and end the study's own entry, whose description answers."""
        if self.mirror is None:
            return
        self._close_variants(summary)
        self._judge_trials(summary)
        self._mark_best(summary)
        tags = {**ending.tags, "mlflow.note.content": note(summary, provenance.command())}
        self.mirror.close(self.study, replace(ending, tags=tags))
        self.mirror.save_views(views_of(self._plan, self.tags[entry_tags.STUDY_RUN], ended=True))

    def interrupt(self) -> None:
        """Show what is open as killed until the command is run again; a store that is slow is not waited for."""
        if self.mirror is not None:
            self.mirror.interrupt()
            self.mirror.settle(5.0)

    def _open_variant(self, run: Run, source: DataSource, started: int | None) -> None:
        """Show the entry of a run's variant, with the parameters in which the variants differ."""
        assert self.mirror is not None
        tags = {
            **self.tags,
            **entry_tags.of_data([source]),
            entry_tags.LEVEL: "variant",
            entry_tags.VARIANT: run.variant_name,
            entry_tags.REFIT: False,
            entry_tags.COLOUR: self.names.colour(run.variant_name),
            "medcls.metric": self._metric,
        }
        entry_id, name = self.names.variant_id(run), self.names.variant(run)
        parameters = entry_names.differing(self._plan, run.variant)
        if entry_id not in self._shown:
            self._shown[entry_id] = name
            self.mirror.open(Entry(entry_id, name, self.study, started, parameters, tags))

    def _of_repeats(self, entry_id: str, runs: Sequence[Ended]) -> Ending:
        """Return how a variant or trial ended: mean scores, mean curves and cases of its seeds or folds."""
        repeats = len(self._plan.repeats) if self._plan.study.search is not None else len(runs)
        failed = any(not result.is_finished for _, result in runs)
        cases, images = self._cases.get(entry_id, {}), list[CaseImage]()
        for run in _in_order(cases):
            images += cases[run]
        return Ending(
            EntryStatus.FAILED if failed else EntryStatus.FINISHED,
            max((result.ended for _, result in runs), default=int(time.time() * 1000)),
            run_table.of_repeats(runs, self._metric, repeats),
            curves=run_table.curves_of_repeats(runs, self._metric),
            images=of_group(images),
        )

    def _close_variants(self, summary: StudySummary) -> None:
        """End the entries of the variants, each with its scores and its verdict."""
        assert self.mirror is not None
        for entry_id, runs in self._ended.items():
            run = next(iter(runs))
            if entry_id == self.names.variant_id(run):
                verdict = entry_verdicts.of_variant(summary, run.data_name, run.variant_name)
                self.mirror.close(entry_id, self._of_repeats(entry_id, [runs[run] for run in _in_order(runs)]))
                self.mirror.amend(entry_id, {entry_tags.VERDICT: verdict})

    def _judge_trials(self, summary: StudySummary) -> None:
        """Say of each trial how it ended, and how far it is from the best."""
        assert self.mirror is not None
        trials = summary.trials or ()
        best = max((trial.value for trial in trials if trial.value is not None), default=None)
        for trial in trials:
            entry_id = self.names.trial_id(trial.number)
            verdict = entry_verdicts.of_trial(trial, len(self._ended.get(entry_id, ())), best)
            self.mirror.amend(entry_id, {entry_tags.VERDICT: verdict})

    def _mark_best(self, summary: StudySummary) -> None:
        """Tag the best variant or trial of each data set and its runs, and say so in its name."""
        assert self.mirror is not None
        for parent, runs in self._ended.items():
            for run in runs:
                best = summary.best.get(run.data_name)
                is_best = best is not None and best.variant == run.variant_name
                if parent in self._shown:
                    name = self._shown[parent]
                    shown = f"{name}{entry_names.BEST}" if is_best else name
                    self.mirror.amend(parent, {entry_tags.BEST: is_best}, shown)
                self.mirror.amend(self.run_entry_id(run, parent), {entry_tags.BEST: True if is_best else None})


def _in_order(runs: Iterable[Run]) -> list[Run]:
    """Return the runs of a variant by seed and fold, so that nothing depends on which ended first."""
    return sorted(runs, key=lambda run: run.repeat)


def opened_store(plan: StudyPlan, say: Callable[[str], None] = print) -> Store | None:
    """Return the store that a study is to be shown in, None if it is to stay offline; `say` is told of waiting for it.

    Raises:
        BadInputError: the store cannot be reached.
    """
    study, options = plan.study, plan.options
    if options.offline:
        return None
    reach(options.tracking_uri, say)
    return Store(options.tracking_uri, study.name, study.question, root() / "mlruns")


def study_mirroring(plan: StudyPlan, store: Store | None) -> MlflowLogger:
    """Return the mirroring of a study's plan into a store, its own entry open; nothing is shown without one.

    Raises:
        BadInputError: the store cannot be reached.
    """
    created = _created(plan.work.study(plan.key))
    if store is None:
        return MlflowLogger(None, plan, created)
    with store.explained():
        store.find(plan.key, created)
    mirror = Mirror(store)
    mirroring = MlflowLogger(mirror, plan, created)
    mirror.open(_study_entry(plan, created, mirroring.tags))
    mirror.save_views(views_of(plan, mirroring.tags[entry_tags.STUDY_RUN], ended=False))
    return mirroring


def _study_entry(plan: StudyPlan, created: int, tags: Mapping[str, Any]) -> Entry:
    """Return the study's own entry."""
    study, sources = plan.study, plan.sources.by_name
    tags = {
        **tags,
        entry_tags.LEVEL: "study",
        "mlflow.note.content": opening(plan.question, provenance.command()),
    }
    data = tuple(entry_tags.data_record(source) for source in sources.values())
    name = f"{study.name} on {', '.join(sources)}"
    if plan.options.smoke:
        name += ", smoke"
    return Entry(plan.key, name, None, created, entry_names.common(plan), tags, data)


def _created(folder: Path) -> int:
    """Return when the study was begun in this work directory, in milliseconds since 1970; --force begins it anew."""
    known = read_record(folder / "study.json", {"created": is_count})
    if known is None:
        known = {"created": int(time.time() * 1000)}
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "study.json", known)
    return int(known["created"])
