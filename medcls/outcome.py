"""From a programme to its outcome: all runs, the conclusion, the summary, the tables, the store."""

from collections import defaultdict
from collections.abc import Mapping

from medcls import closing
from medcls.agenda import FixedAgenda, SearchAgenda
from medcls.conclude import conclude
from medcls.drive import Driver, Record
from medcls.files import write_json
from medcls.interruption import take_note
from medcls.programme import Programme
from medcls.reporting import write_report
from medcls.search.tuner import Trial, Tuner
from medcls.spec import Run
from medcls.summary import findings, summarise
from medcls.tables import show


def carry_out(programme: Programme, driver: Driver, started: float) -> bool:
    """Carry out a programme to its summary; return whether some run failed. Cut off, the store shows it so."""
    try:
        return _carried_out(programme, driver, started)
    except BaseException as error:
        take_note()
        driver.mirroring.interrupt()
        if isinstance(error, KeyboardInterrupt) and programme.options.json is not None:
            driver.note_interruption()
            write_json(programme.options.json, summarise(programme, driver, {}, programme.trials(), started, ()))
        raise


def _carried_out(programme: Programme, driver: Driver, started: float) -> bool:
    tuner = programme.tuner() if programme.study.search is not None else None
    if tuner is None:
        driver.carry_out(FixedAgenda(programme.runs()), lambda _: driver.mirroring.study)
    else:
        _search(programme, driver, tuner, started)
    named = driver.sources.by_name.items()
    best = {name: conclude(programme, driver, source, _groups(programme, driver, name)) for name, source in named}
    trials = tuner.trials() if tuner is not None else []
    driver.mirroring.settle()
    summary = summarise(programme, driver, best, trials, started, programme.study.answers)
    folder = programme.work.study(programme.key)
    folder.mkdir(parents=True, exist_ok=True)
    plots = closing.plots(tuner, folder, trials, driver.screen) if tuner is not None else {}
    write_json(folder / "summary.json", summary)
    write_json(folder / "findings.json", findings(programme))
    if programme.options.json is not None:
        write_json(programme.options.json, summary)
    recalls = closing.recalls(driver, best, folder)
    report = write_report(folder, summary, driver.sources.by_name)
    files = {folder / "summary.json": "", folder / "findings.json": "", report: "", **plots}
    closing.close(driver, best, summary, files, recalls)
    show(driver.screen, summary)
    driver.screen.say(f"The report: {report}")
    closing.farewell(programme, driver, best, summary)
    return any(record.result["status"] == "failed" for record in driver.records.values())


def _search(programme: Programme, driver: Driver, tuner: Tuner, started: float) -> None:
    timeout = programme.options.timeout
    mirroring, search = driver.mirroring, programme.search

    def run_of(trial: Trial, repeat: int) -> Run:
        mirroring.open_trial(trial.number, trial.labels, search.metric)
        return programme.trial_run(trial, repeat)

    def on_trial(trial: Trial) -> None:
        parent = mirroring.trial_identity(trial.number)
        records = [record for record in driver.records.values() if record.parent == parent]
        mirroring.close_trial(trial, [(driver.work.folder(each.run), each.result) for each in records])

    agenda = SearchAgenda(search, tuner, run_of, len(programme.repeats), timeout and started + timeout, on_trial)
    driver.carry_out(agenda, lambda run: mirroring.trial_identity(int(run.variant_name.split()[-1])))


def _groups(programme: Programme, driver: Driver, data_name: str) -> Mapping[str, list[Record]]:
    """Return the runs on one data set by variant; under a search only of the trials that have them all."""
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in driver.records.values():
        if record.run.data_name == data_name:
            groups[record.run.variant_name].append(record)
    whole = len(programme.repeats) if programme.study.search is not None else 1
    return {name: each for name, each in groups.items() if len(each) >= whole}
