"""The summary that --json writes: everything that a study found, as plain values."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np

from medcls.data.dataset import DatasetSpec
from medcls.evaluation.answers import Answer, comparisons
from medcls.evaluation.one_answer import remarks
from medcls.execution.controller import EndedRun, RunController
from medcls.execution.planning.plan import StudyPlan
from medcls.execution.remarks import remark
from medcls.execution.search.trials import Trial
from medcls.execution.selection import BestModel
from medcls.explain import saliency_scores as heat
from medcls.spec.run import Run
from medcls.tracking.run_dir import RunDir
from medcls.utils import provenance
from medcls.utils.paths import root


def summarise(
    programme: StudyPlan,
    driver: RunController,
    best: Mapping[str, BestModel | None],
    trials: Sequence[Trial],
    started: float,
    answers: Sequence[Answer],
) -> dict[str, Any]:
    """Return the summary; `started` is when the command began, as of time.monotonic."""
    study = programme.study
    summary: dict[str, Any] = {
        "study": study.name,
        "question": study.question,
        "smoke": programme.options.smoke,
        "command": provenance.command(),
        "document": study.document,
        "wall_seconds": round(time.monotonic() - started, 3),
        "git_commit": provenance.commit(root()),
        "git_dirty": provenance.is_dirty(root()),
        "data_sets": data_sets(programme),
        "runs": [_run(driver, record) for record in driver.records.values()],
        "comparisons": [],
        "answers": [],
        "best": {name: _best(each) for name, each in best.items() if each is not None},
    }
    if programme.options.until_decided is not None:
        summary["look"] = programme.look(len({record.run.seed for record in driver.records.values()}))
    if study.search is not None:
        summary["trials"] = [
            {"number": each.number, "state": each.state, "value": each.value, "params": each.labels} for each in trials
        ]
    summary["remarks"] = remarks(summary)
    summary["comparisons"] = comparisons(summary, answers)
    summary["answers"] = [dict(answer(summary)) for answer in answers]
    return summary


def data_sets(programme: StudyPlan) -> list[dict[str, Any]]:
    """Return each data set once: where it came from, its fingerprint, its parts and classes."""
    return [
        {
            "name": name,
            "source": source.bundle.source,
            "kind": source.bundle.kind,
            "fingerprint": source.bundle.fingerprint,
            "n": programme.parts[name],
            "counts": _counts(source.bundle),
            "classes": list(source.bundle.classes),
            "findings": [
                {"kind": each.kind, "sentence": each.sentence, "count": each.count}
                for each in source.pseudonymous.findings
            ],
            "skipped": list(source.pseudonymous.skipped),
        }
        for name, source in programme.sources.by_name.items()
    ]


def findings(programme: StudyPlan) -> list[dict[str, Any]]:
    """Return all that was found in the data sets, with every name but the patients'."""
    return [
        {"data": name, "kind": each.kind, "sentence": each.sentence, "count": each.count, "names": list(each.names)}
        for name, source in programme.sources.by_name.items()
        for each in source.pseudonymous.findings
    ]


def _counts(bundle: DatasetSpec) -> dict[str, dict[str, int]]:
    """Return the number of images of each class in each part that the data set came with."""
    return {
        str(part): {
            name: int(((bundle.parts == part) & (bundle.labels == label)).sum())
            for label, name in enumerate(bundle.classes)
        }
        for part in sorted(set(bundle.parts))
    }


def _run(driver: RunController, record: EndedRun) -> dict[str, Any]:
    run, result, folder = record.run, record.result, driver.work.folder(record.run)
    described = folder.description()
    return {
        "key": run.key,
        "data": run.data_name,
        "variant": run.variant_name,
        "seed": run.seed,
        "fold": run.fold,
        "status": result.status,
        "reused": record.reused,
        "shared_epochs": described.shared_epochs,
        "epochs": result.epochs,
        "best_epoch": result.best_epoch,
        "params": run.parameters(),
        "parameters": result.parameters,
        "metrics": result.metrics,
        "history": folder.history(),
        **_predicted(driver, run, folder),
        **_heat(folder),
        "seconds_per_epoch": _seconds_per_epoch(folder),
        "weights_sha256": result.weights_sha256,
        "threads": described.threads or 0,
        "mlflow_run_id": driver.mirroring.run_id(run, record.parent),
        "error": result.error,
    }


def _heat(folder: RunDir) -> dict[str, Any]:
    """Return where the run's network looks, in numbers, where it was asked."""
    found = heat.read(folder)
    return {"heat": found} if found else {}


def _predicted(driver: RunController, run: Run, folder: RunDir) -> dict[str, Any]:
    """Return a digest of what the run predicted of which images, a 1 for each told right, and what to remark of it."""
    saved = folder.read_arrays("predictions")
    if saved is None:
        return {"predictions_sha256": "", "right": None, "remark": ""}
    source = driver.sources.of(run.variant)
    rows, predictions = saved["rows"], np.ascontiguousarray(saved["predictions"])
    told = hashlib.sha256(np.asarray(rows, np.int64).tobytes())
    told.update(predictions.tobytes())
    right = None
    if predictions.ndim == 2:
        labels = source.bundle.labels[rows]
        right = "".join("1" if hit else "0" for hit in predictions.argmax(axis=1) == labels)
    return {"predictions_sha256": told.hexdigest(), "right": right, "remark": remark(saved, source)}


def _seconds_per_epoch(folder: RunDir) -> float | None:
    """Return the median over the epochs that the run trained itself, without the first, which builds the network."""
    own = folder.held_rows()[folder.description().shared_epochs :]
    return median(row.seconds for row in own[1:] or own) if own else None


def _best(best: BestModel) -> dict[str, Any]:
    run = best.run
    return {
        "key": run.key,
        "variant": run.variant_name,
        "metric": best.metric,
        "value": best.value,
        "params": run.parameters(),
        "mean_sd": {name: list(pair) for name, pair in best.mean_sd.items()},
        "folds": None if run.folds is None else {name: list(values) for name, values in best.scores.items()},
        "test": best.test,
        "ensemble": best.ensemble,
        "tested": {name: list(values) for name, values in best.tested.items()},
    }
