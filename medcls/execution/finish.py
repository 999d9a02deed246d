"""How a study ends in the store: its scores, figures and summary, the champion; and what to type next."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from medcls.evaluation.summary import StoreRecord, StudySummary
from medcls.execution.controller import RunController
from medcls.execution.planning.plan import StudyPlan
from medcls.execution.registration import register_models
from medcls.execution.search.tuner import Tuner
from medcls.execution.selection import BestModel
from medcls.report.run_figures import tested
from medcls.tracking import run_table
from medcls.tracking.entries import Ending, EntryStatus
from medcls.tracking.mlflow_client import Store
from medcls.utils import store_uris
from medcls.utils.console import Screen
from medcls.utils.paths import root
from medcls.utils.redaction import typed, without_secrets
from medcls.utils.statuses import RunStatus

Draw: TypeAlias = Callable[[Path], None]
"""Draws a figure into a file."""
LOCAL_UI = "http://127.0.0.1:5000"  # where `mlflow ui` answers


def importances(tuner: Tuner, screen: Screen) -> dict[str, float] | None:
    """Return how much each parameter of a search mattered; None where its trials are too few to tell."""
    try:
        return tuner.importances()
    except Exception as error:  # noqa: BLE001 - this must never cost a result
        screen.say(f"The importances of the search's parameters could not be computed: {error}")
        return None


def log_study_results(
    controller: RunController,
    best: Mapping[str, BestModel | None],
    summary: StudySummary,
    files: Mapping[Path, str],
    drawings: Mapping[Path, Draw],
) -> None:
    """End the study's entry in MLflow with the best scores, the figures and the summary.

    Args:
        controller: of the study's runs.
        best: data set -> its best model, None where no variant was finished.
        summary: what the study found.
        files: path -> the directory among the entry's artifacts, "" for their top.
        drawings: path -> what draws this figure.
    """
    ended = [(controller.work.folder(record.run), record.result) for record in controller.records.values()]
    scores = {"minutes": run_table.of_group(ended)["minutes"]}
    drawings = dict(drawings)
    for data_name, model in best.items():
        if model is None:
            continue
        for metric, value in _scores(controller, model).items():
            scores[metric if len(best) == 1 else f"{data_name}/{metric}"] = value
        if model.test and model.run.folds is None:  # a refit has figures of the test set of its own
            decoded = controller.sources.of(model.run.variant).decoded
            assert decoded is not None
            drawings |= tested(model.run, controller.work.folder(model.run), decoded)
    failed = any(result.status == RunStatus.FAILED for _, result in ended)
    status = EntryStatus.FAILED if failed else EntryStatus.FINISHED
    last = max((result.ended for _, result in ended), default=0)
    controller.mirroring.close_study(Ending(status, last, scores, files=files, drawings=drawings), summary)


def register_and_print_next_steps(
    plan: StudyPlan, controller: RunController, best: Mapping[str, BestModel | None], summary: StudySummary
) -> None:
    """Bring MLflow up to date, register the best models, and say where the results are and what to type next.

    Args:
        plan: of the study.
        controller: of its runs.
        best: data set -> its best model, None where no variant was finished.
        summary: what the study found.
    """
    say, mirror = controller.screen.say, controller.mirroring.mirror
    if mirror is None:
        say(
            "Nothing was logged to MLflow (--offline). Run medcls sync, or the same command without --offline, to "
            "upload these runs."
        )
        return
    is_complete = mirror.settle()
    for refusal in mirror.refused:
        say(refusal)
    if not is_complete:
        say(
            f"Lost the connection to the MLflow store ({mirror.lost}). Run the same command again to upload the "
            "missing data."
        )
        return
    for line in register_models(controller, best, summary, promote=plan.options.promote):
        say(line)
    say(f"Compare the runs: {_viewer(mirror.store)}")


def _scores(controller: RunController, best: BestModel) -> dict[str, float]:
    """Return the best variant's means, deviations and test scores; the test scores go to its run's entry, too."""
    scores = run_table.of_best(best.mean_sd, len(best.scores[best.metric]))
    test_scores = {f"test/{metric}": score.value for metric, score in (best.test or {}).items()}
    for record in controller.records_of(best.run)[:1]:
        controller.mirroring.add_scores(best.run, record.parent, record.result.ended, test_scores)
    scores |= test_scores
    if best.ensemble is not None and best.metric in best.ensemble:
        scores[f"test/ensemble_{best.metric}"] = best.ensemble[best.metric].value
    return scores


def store_record(store: Store) -> StoreRecord:
    """Return where a store shows the experiment, and what starts its user interface."""
    experiment = store.page.partition("/runs")[0]
    if store.uri.startswith("http"):
        return StoreRecord(without_secrets(store.uri).rstrip("/") + experiment)
    command = typed("mlflow", "ui", "--backend-store-uri", without_secrets(store.uri))
    if store.uri == store_uris.of_file(root() / "mlflow.db"):
        command = f"{typed('cd', root())} && mlflow ui"
    return StoreRecord(f"{LOCAL_UI}{experiment}", command)


def _viewer(store: Store) -> str:
    """Return how to see the experiment in the browser."""
    if store.uri.startswith("http"):
        return without_secrets(store.uri).rstrip("/") + store.page
    command = typed("mlflow", "ui", "--backend-store-uri", store.uri)
    if store.uri == store_uris.of_file(root() / "mlflow.db"):
        command = "mlflow ui" if Path.cwd() == root() else f"{typed('cd', root())} && mlflow ui"
    return f"{command}, then open {LOCAL_UI}{store.page}"
