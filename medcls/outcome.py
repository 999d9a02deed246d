"""From a programme to its outcome: all runs, the conclusion, the summary, the tables, the champion."""

import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from medcls.agenda import FixedAgenda, SearchAgenda
from medcls.champion import crown
from medcls.conclude import Best, conclude
from medcls.drive import Driver, Record
from medcls.errors import TrainingError
from medcls.files import write_json
from medcls.programme import Programme
from medcls.report import figures
from medcls.search.tuner import Trial, Tuner
from medcls.spec import Run
from medcls.summary import summarise
from medcls.tables import show
from medcls.tracking.nodes import FAILED, FINISHED, Ending


def carry_out(programme: Programme, driver: Driver, started: float) -> bool:
    """Carry out a programme to its summary; return whether some run failed."""
    tuner = programme.tuner() if programme.study.search is not None else None
    if tuner is None:
        driver.carry_out(FixedAgenda(programme.runs()), lambda _: driver.mirroring.study)
    else:
        _search(programme, driver, tuner, started)
    best = {name: conclude(programme, driver, source, _groups(driver, name)) for name, source in driver.sources.items()}
    trials = tuner.trials() if tuner is not None else []
    summary = summarise(programme, driver, best, trials, started)
    folder = programme.work.study(programme.key)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "summary.json", summary)
    if programme.options.json is not None:
        write_json(programme.options.json, summary)
    _close(programme, driver, best, tuner, folder)
    show(driver.screen, summary)
    _farewell(programme, driver, best)
    return any(record.result["status"] == "failed" for record in driver.records.values())


def _search(programme: Programme, driver: Driver, tuner: Tuner, started: float) -> None:
    timeout = programme.options.timeout
    mirroring, search = driver.mirroring, programme.search

    def run_of(trial: Trial, fold: int) -> Run:
        mirroring.open_trial(trial.number, trial.labels, search.metric)
        return programme.trial_run(trial, fold)

    def on_trial(trial: Trial) -> None:
        runs = [record for record in driver.records.values() if record.parent == mirroring.trial_identity(trial.number)]
        mirroring.close_trial(trial, _means(runs), _last_end(runs))

    agenda = SearchAgenda(search, tuner, run_of, programme.study.folds or 0, timeout and started + timeout, on_trial)
    driver.carry_out(agenda, lambda run: mirroring.trial_identity(int(run.variant_name.split()[-1])))


def _groups(driver: Driver, data_name: str) -> Mapping[str, list[Record]]:
    """Return the runs on one data set by variant; under a search only trials with every fold."""
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in driver.records.values():
        if record.run.data_name == data_name:
            groups[record.run.variant_name].append(record)
    folds = max((record.run.folds or 1 for record in driver.records.values()), default=1)
    return {name: each for name, each in groups.items() if len(each) >= folds}


def _means(records: list[Record]) -> dict[str, float]:
    """Return the mean scores of the runs that finished, under the names of their own best scores."""
    finished = [record.result["metrics"] for record in records if record.result["status"] == "finished"]
    names = [name for name in (finished[0] if finished else {}) if all(name in each for each in finished)]
    return {f"best/val_{name}": sum(each[name] for each in finished) / len(finished) for name in names}


def _last_end(records: list[Record]) -> int:
    return max((int(record.result["ended"]) for record in records), default=int(time.time() * 1000))


def _close(
    programme: Programme, driver: Driver, best: Mapping[str, Best | None], tuner: Tuner | None, folder: Path
) -> None:
    """End the study's node: the best scores, the search's plots, the summary; register the champion."""
    driver.mirroring.sync(now=True)
    records = list(driver.records.values())
    files = {folder / "summary.json": ""} | (_plots(tuner, folder) if tuner is not None else {})
    metrics: dict[str, float] = {}
    for name, each in best.items():
        if each is not None:
            prefix = "" if len(best) == 1 else f"{name}/"
            metrics |= {f"{prefix}best/val_{metric}": mean for metric, (mean, _) in each.mean_sd.items()}
            metrics |= {f"{prefix}best/val_{metric}_sd": sd for metric, (_, sd) in each.mean_sd.items()}
            metrics |= {f"{prefix}test/{metric}": value["value"] for metric, value in (each.test or {}).items()}
    failed = any(record.result["status"] == "failed" for record in records)
    driver.mirroring.close_study(Ending(FAILED if failed else FINISHED, metrics, _last_end(records), files))
    if driver.mirroring.sync(now=True):
        for name, each in best.items():
            if each is not None:
                _crown(programme, driver, name, each, several=len(best) > 1)


def _plots(tuner: Tuner, folder: Path) -> dict[Path, str]:
    """Draw the search's own plots, as far as its trials allow."""
    files = {}
    for name, figure in tuner.plots().items():
        path = folder / f"search_{name}.png"
        figures.save(figure, path)
        files[path] = "search"
    return files


def _crown(programme: Programme, driver: Driver, data_name: str, best: Best, *, several: bool) -> None:
    """Log the best model in the store and give it the alias champion, unless it has it already."""
    mirror = driver.mirroring.mirror
    job = driver.job(best.run, test=False)
    parent = driver.records_of(best.run)[0].parent
    run_id = mirror.run_id(driver.mirroring.run_identity(best.run, parent)) if mirror else None
    if mirror is None or run_id is None:
        return
    model = f"medcls-{programme.study.name}" + (f"-{data_name}" if several else "")
    try:
        driver.executor.ask(crown, job, mirror.uri, run_id, model)
    except TrainingError as error:
        driver.screen.say(f"The champion was not registered: {error}")


def _farewell(programme: Programme, driver: Driver, best: Mapping[str, Best | None]) -> None:
    """Say where the results are and what to type next."""
    say, mirror = driver.screen.say, driver.mirroring.mirror
    if mirror is None:
        say("Nothing was written to MLflow (--offline): the same command without it brings the runs there.")
    elif mirror.lost is not None:
        say(f"The MLflow store was lost ({mirror.lost}): run the same command again and what it missed appears.")
    else:
        if any(best.values()):
            say(f"The best model is registered as medcls-{programme.study.name}@champion.")
        default = mirror.uri.startswith("sqlite")
        say(f"Compare the runs: mlflow ui{f' --backend-store-uri {mirror.uri}' if default else ''}")
