"""How a study ends in the store: its scores, figures and summary, the champion; and what to type next."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from medcls.evaluation.summary import FigureRecord, StudySummary
from medcls.execution.controller import RunController
from medcls.execution.planning.plan import StudyPlan
from medcls.execution.search.trials import Trial
from medcls.execution.search.tuner import Tuner
from medcls.execution.selection import BestModel
from medcls.export.champion import register_best, standing
from medcls.export.registry import placed
from medcls.report import saliency_report
from medcls.report.figures import canvas, class_scores
from medcls.report.run_figures import tested
from medcls.spec.run import Run
from medcls.tracking import run_table
from medcls.tracking.entries import Ending, EntryStatus
from medcls.tracking.mlflow_client import Store, sentence
from medcls.tracking.run_dir import RunDir
from medcls.utils import store_uris
from medcls.utils.console import Screen
from medcls.utils.files import read_json, write_json
from medcls.utils.hashing import digest
from medcls.utils.naming import in_file
from medcls.utils.paths import root
from medcls.utils.redaction import typed, without_secrets
from medcls.utils.statuses import RunStatus


def plots(tuner: Tuner, folder: Path, trials: Sequence[Trial], screen: Screen) -> dict[Path, str]:
    """Draw the search's own plots, unless they show these very trials already; return them as artifacts."""
    state = digest([[each.number, each.state, each.value] for each in trials])
    if read_json(folder / "plots.json") != state:
        try:
            for name, figure in tuner.plots().items():
                canvas.save(figure, folder / f"search_{name}.png")
            write_json(folder / "plots.json", state)
        except Exception as error:  # noqa: BLE001 - a figure must never cost a result
            screen.say(f"The plots of the search could not be drawn: {error}")
    return dict.fromkeys(sorted(folder.glob("search_*.png")), "")


def saliency_figures(plan: StudyPlan, controller: RunController, folder: Path) -> tuple[FigureRecord, ...]:
    """Draw where the first network of each variant looks; return the figures of the report, none if not asked.

    Args:
        plan: of the study.
        controller: of its runs, which have ended.
        folder: the study's directory.
    """
    if controller.explain is None:
        return ()
    first: dict[str, tuple[Run, RunDir, Path]] = {}
    for record in controller.records.values():
        run, source = record.run, controller.sources.of(record.run.variant)
        if record.result.is_finished and source.decoded is not None:
            title = run.variant_name if len(plan.sources.by_name) == 1 else f"{run.variant_name} on {source.name}"
            first.setdefault(title, (run, controller.work.folder(run), source.decoded))
    try:
        return tuple(saliency_report.figures(first, folder))
    except Exception as error:  # noqa: BLE001 - a figure must never cost a result
        controller.screen.say(f"The figures of saliency maps could not be drawn: {error}")
        return ()


def recalls(
    driver: RunController, best: Mapping[str, BestModel | None], folder: Path
) -> dict[Path, Callable[[Path], None]]:
    """Return where the figures of the best variants' recalls belong, and what draws each; older ones are removed."""
    drawings: dict[Path, Callable[[Path], None]] = {}
    names = in_file(best)
    for name, each in best.items():
        path = folder / ("best_recalls.png" if len(best) == 1 else f"best_recalls_{names[name]}.png")
        path.unlink(missing_ok=True)
        if each is not None and not each.run.variant.task.pixels:
            drawings[path] = partial(_draw_recalls, each, driver.sources.by_name[name].bundle.classes, name)
    return drawings


def _draw_recalls(best: BestModel, names: tuple[str, ...], data_name: str, path: Path) -> None:
    repeat = "seed" if best.run.folds is None else "fold"
    repeats = {name: best.scores.get(f"recall/{name}", ()) for name in names}
    tested = {name: best.test[f"recall/{name}"] for name in names if best.test and f"recall/{name}" in best.test}
    title = f"{best.run.variant_name} on {data_name}, the best: recall from {repeat} to {repeat}"
    canvas.save(class_scores.recalls(repeats, tested, names, repeat, title), path)


def log_study_results(
    driver: RunController,
    best: Mapping[str, BestModel | None],
    summary: StudySummary,
    files: Mapping[Path, str],
    drawings: Mapping[Path, Callable[[Path], None]],
) -> None:
    """End the study's node with the best scores, the search's plots, the figures to be drawn and the summary."""
    ended = [(driver.work.folder(record.run), record.result) for record in driver.records.values()]
    scores = {"minutes": run_table.of_group(ended)["minutes"]}
    for name, each in best.items():
        if each is not None:
            found = _scores(driver, each)
            scores |= found if len(best) == 1 else {f"{name}/{metric}": value for metric, value in found.items()}
    status = (
        EntryStatus.FAILED if any(result.status == RunStatus.FAILED for _, result in ended) else EntryStatus.FINISHED
    )
    last = max((result.ended for _, result in ended), default=0)
    drawings = {**drawings, **_tested(driver, best)}
    driver.mirroring.close_study(Ending(status, last, scores, files=files, drawings=drawings), summary)


def _tested(driver: RunController, best: Mapping[str, BestModel | None]) -> dict[Path, Callable[[Path], None]]:
    """Return what draws the held-out part as the best runs see it that are no refits, which have these themselves."""
    drawings: dict[Path, Callable[[Path], None]] = {}
    for each in best.values():
        if each is not None and each.test and each.run.folds is None:
            decoded = driver.sources.of(each.run.variant).decoded
            assert decoded is not None
            drawings |= tested(each.run, driver.work.folder(each.run), decoded)
    return drawings


def register_and_print_next_steps(
    programme: StudyPlan, driver: RunController, best: Mapping[str, BestModel | None], summary: StudySummary
) -> None:
    """Bring the store up to date, register the champions, and say where the results are and what to type next."""
    say, mirror, name = driver.screen.say, driver.mirroring.mirror, f"medcls-{programme.study.name}"
    if mirror is None:
        say("Nothing was logged to MLflow (--offline). Run the same command without --offline to upload these runs.")
        return
    whole = mirror.settle()
    for refusal in mirror.refused:
        say(refusal)
    if not whole:
        say(
            f"Lost the connection to the MLflow store ({mirror.lost}). Run the same command again to upload the "
            "missing data."
        )
        return
    register = partial(_registered, driver, summary, promote=programme.options.promote)
    with ThreadPoolExecutor(driver.executor.slots) as registrars:
        for told in registrars.map(lambda each: register(*each), _champions(driver, best, name)):
            say(told)
    say(f"Compare the runs: {_viewer(mirror.store)}")


def _champions(
    driver: RunController, best: Mapping[str, BestModel | None], name: str
) -> list[tuple[BestModel, str, str]]:
    """Return the best models to be registered, their data sets, and under which names; nobody predicts points later."""
    images = {each: found for each, found in best.items() if found and driver.sources.by_name[each].bundle.size}
    names = in_file(images)
    return [(found, each, name if len(best) == 1 else f"{name}-{names[each]}") for each, found in images.items()]


def _scores(driver: RunController, best: BestModel) -> dict[str, float]:
    """Return the best variant's means, deviations and test scores; those of the test go to its run's node too."""
    tested = {f"test/{metric}": score.value for metric, score in (best.test or {}).items()}
    for record in driver.records_of(best.run)[:1]:
        driver.mirroring.add_scores(best.run, record.parent, record.result.ended, tested)
    together = (best.ensemble or {}).get(best.metric)
    ensemble = {f"test/ensemble_{best.metric}": together.value} if together else {}
    return run_table.of_best(best.mean_sd) | tested | ensemble


def _registered(
    driver: RunController, summary: StudySummary, best: BestModel, data_name: str, model: str, *, promote: bool
) -> str:
    """Register the best model in the store, as champion if none is better; return what to say."""
    record, mirror = driver.records_of(best.run)[0], driver.mirroring.mirror
    run_id = driver.mirroring.run_id(best.run, record.parent)
    unsaved = record.result.unsaved
    if unsaved or mirror is None:
        return f"The best model, {best.run.variant_name}, is not registered: {unsaved}."
    uri, new = mirror.store.uri, standing(summary, data_name)
    try:
        place = placed(uri, model, new, promote=promote)
        if place is None:
            driver.executor.ask(register_best, summary, data_name, driver.work.path, uri, run_id, model)
            place = placed(uri, model, new, promote=promote)
    except Exception as error:  # noqa: BLE001 - a store that is lost now costs no result
        return f"The best model was not registered ({sentence(error, uri)}). Run the same command again."
    if place is None or not place.reason:
        return f"The best model is registered as {model}@champion."
    return (
        f"The best model is registered as version {place.version} of {model}; the champion is still version "
        f"{place.champion} ({place.reason}). Run the same command with --promote to make this version the champion."
    )


def _viewer(store: Store) -> str:
    """Return how to see the experiment in the browser."""
    if store.uri.startswith("http"):
        return without_secrets(store.uri).rstrip("/") + store.page
    command = typed("mlflow", "ui", "--backend-store-uri", store.uri)
    if store.uri == store_uris.of_file(root() / "mlflow.db"):
        command = "mlflow ui" if Path.cwd() == root() else f"{typed('cd', root())} && mlflow ui"
    return f"{command}, then open http://127.0.0.1:5000{store.page}"
