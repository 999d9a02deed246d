"""The summary of a study, from its plan and its run directories."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from medcls.data.dataset import DatasetSpec
from medcls.evaluation.one_answer import remarks
from medcls.evaluation.run_record import DataSetRecord, FindingRecord, JudgedImages, RunRecord
from medcls.evaluation.summary import BestRecord, StudySummary, TrialRecord
from medcls.execution.controller import EndedRun, RunController
from medcls.execution.planning.plan import StudyPlan
from medcls.execution.remarks import remark
from medcls.execution.search.trials import Trial
from medcls.execution.selection import BestModel
from medcls.explain import saliency_scores
from medcls.spec.run import Run
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_origin import environments
from medcls.utils import provenance


def summarise(
    plan: StudyPlan,
    controller: RunController,
    best: Mapping[str, BestModel | None],
    trials: Sequence[Trial],
    started: float,
) -> StudySummary:
    """Return what a study has found, without comparisons and answers.

    Args:
        plan: of the study.
        controller: of its runs, which have ended.
        best: data set -> its best model, None where no variant was finished.
        trials: of its search.
        started: when the command began, as of time.monotonic.
    """
    study = plan.study
    best_records = {}
    for name, model in best.items():
        if model is not None:
            best_records[name] = _best(model)
    summary = StudySummary(
        study=study.name,
        question=study.question,
        smoke=plan.options.smoke,
        command=provenance.command(),
        directory=provenance.directory(),
        document=study.document,
        wall_seconds=round(time.monotonic() - started, 3),
        git_commit=plan.code.commit,
        git_dirty=plan.code.is_dirty,
        data_sets=_with_judged_images(plan, controller),
        runs=tuple(_run(controller, record) for record in controller.records.values()),
        answers=(),
        best=best_records,
    )
    if plan.options.until_decided is not None:
        seeds = {record.run.seed for record in controller.records.values()}
        summary = replace(summary, look=plan.look(len(seeds)))
    if study.search is not None:
        records = [TrialRecord(trial.number, trial.state, trial.value, trial.labels) for trial in trials]
        summary = replace(summary, trials=tuple(records))
    return replace(summary, remarks=remarks(summary))


def data_sets(plan: StudyPlan) -> tuple[DataSetRecord, ...]:
    """Return each data set once: where it came from, its fingerprint, its sets and classes."""
    records = []
    for name, source in plan.sources.by_name.items():
        bundle, public = source.bundle, source.pseudonymous
        findings = [FindingRecord(finding.kind, finding.sentence, finding.count) for finding in public.findings]
        records.append(
            DataSetRecord(
                name=name,
                instead_of=source.instead_of or None,
                source=bundle.source,
                kind=bundle.kind,
                fingerprint=bundle.fingerprint,
                n=plan.parts[name],
                counts=_counts(bundle),
                classes=tuple(bundle.classes),
                findings=tuple(findings),
                skipped=tuple(public.skipped),
            )
        )
    return tuple(records)


def _with_judged_images(plan: StudyPlan, controller: RunController) -> tuple[DataSetRecord, ...]:
    """Return each data set with the images on which the runs without folds were judged."""
    records = []
    for data in data_sets(plan):
        judged = None
        for ended in controller.records.values():
            if judged is None and ended.run.data_name == data.name:
                judged = _judged_images(controller, ended.run)
        records.append(replace(data, judged=judged))
    return tuple(records)


def _judged_images(controller: RunController, run: Run) -> JudgedImages | None:
    """Return the images on which a run without folds was judged; None for other runs and tasks, and without images."""
    parameters = run.parameters()
    saved = controller.work.folder(run).read_arrays("predictions")
    if saved is None or saved["predictions"].ndim != 2 or parameters.get("folds") is not None:
        return None
    bundle, rows, split_seed = controller.sources.of(run.variant).bundle, saved["rows"], parameters.get("split_seed")
    patients = None
    if bundle.patients is not None:
        numbers: dict[str, int] = {}
        patients = tuple(numbers.setdefault(str(name), len(numbers)) for name in bundle.patients[rows])
    labels = tuple(int(label) for label in bundle.labels[rows])
    return JudgedImages(split_seed if isinstance(split_seed, int) else 0, labels, patients)


@dataclass(frozen=True)
class NamedFinding:
    """Something that was found in a data set, with the names of the images; patients have pseudonyms."""

    data: str
    kind: str
    sentence: str
    count: int
    names: tuple[str, ...]


def findings(plan: StudyPlan) -> list[NamedFinding]:
    """Return all that was found in a study's data sets."""
    findings = []
    for name, source in plan.sources.by_name.items():
        for finding in source.pseudonymous.findings:
            names = tuple(finding.names)
            findings.append(NamedFinding(name, finding.kind, finding.sentence, finding.count, names))
    return findings


def _counts(bundle: DatasetSpec) -> dict[str, dict[str, int]]:
    """Return the number of images of each class in each set that the data set came with."""
    counts = {}
    for name in sorted(set(bundle.parts)):
        inside = bundle.parts == name
        of_classes = {}
        for label, class_name in enumerate(bundle.classes):
            of_classes[class_name] = int((inside & (bundle.labels == label)).sum())
        counts[str(name)] = of_classes
    return counts


def _run(controller: RunController, record: EndedRun) -> RunRecord:
    run, result, folder = record.run, record.result, controller.work.folder(record.run)
    described = folder.description()
    predicted = _predicted(controller, run, folder)
    *before, environment = environments(folder) or (None,)
    return RunRecord(
        key=run.key,
        data=run.data_name,
        variant=run.variant_name,
        seed=run.seed,
        fold=run.fold,
        refit=run.is_refit,
        status=result.status,
        reused=record.reused,
        shared_epochs=described.shared_epochs,
        epochs=result.epochs,
        best_epoch=result.best_epoch,
        params=run.parameters(),
        parameters=result.parameters,
        metrics=result.metrics,
        history={name: tuple(curve) for name, curve in folder.history().items()},
        predictions_sha256=predicted.sha256,
        right=predicted.right,
        remark=predicted.remark,
        heat=saliency_scores.read(folder),
        seconds_per_epoch=_seconds_per_epoch(folder),
        weights_sha256=result.weights_sha256,
        threads=described.threads or 0,
        environment=environment,
        earlier_environments=tuple(before),
        mlflow_run_id=controller.mirroring.run_id(run, record.parent),
        error=result.error,
    )


@dataclass(frozen=True)
class _Predicted:
    """What is said of a run's predictions: their digest, a "1" for each right one, and a remark."""

    sha256: str = ""
    right: str | None = None
    remark: str = ""


def _predicted(controller: RunController, run: Run, folder: RunDir) -> _Predicted:
    saved = folder.read_arrays("predictions")
    if saved is None:
        return _Predicted()
    source = controller.sources.of(run.variant)
    rows, predictions = saved["rows"], np.ascontiguousarray(saved["predictions"])
    digest = hashlib.sha256(np.asarray(rows, np.int64).tobytes())
    digest.update(predictions.tobytes())
    right = None
    if predictions.ndim == 2:
        hits = predictions.argmax(axis=1) == source.bundle.labels[rows]
        right = "".join("1" if hit else "0" for hit in hits)
    return _Predicted(digest.hexdigest(), right, remark(saved, source))


def _seconds_per_epoch(folder: RunDir) -> float | None:
    """Return the median over the epochs that the run trained itself, without the first, which builds the network."""
    own = folder.held_rows()[folder.description().shared_epochs :]
    if not own:
        return None
    return float(median(row.seconds for row in own[1:] or own))


def _best(best: BestModel) -> BestRecord:
    run = best.run
    return BestRecord(
        key=run.key,
        variant=run.variant_name,
        metric=best.metric,
        value=best.value,
        params=run.parameters(),
        mean_sd=best.mean_sd,
        folds=None if run.folds is None else best.scores,
        test=best.test,
        ensemble=best.ensemble,
        tested=best.tested,
    )
