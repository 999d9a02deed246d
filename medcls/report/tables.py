"""The tables that a study ends with on the screen, made from its summary."""

from collections.abc import Mapping, Sequence
from typing import Any

from medcls.evaluation import run_scores
from medcls.evaluation.answers import looked
from medcls.evaluation.metrics import SCREEN, missing, words
from medcls.evaluation.wording import counted, mean_sd, p_value
from medcls.utils.console import Screen
from medcls.utils.errors import BadInputError

MOST = 5  # trials shown


def show(screen: Screen, summary: Mapping[str, Any]) -> None:
    """Print the best trials or the variants, what the held-out part says, and the answers."""
    if "trials" in summary:
        _trials(screen, summary)
    else:
        _variants(screen, summary)
    for name, best in summary["best"].items():
        if best["test"]:
            _test(screen, name, best)
    _comparisons(screen, summary, summary["comparisons"])
    for row in summary.get("remarks", ()):
        screen.say(f"Note: {row['sentence']}")
    for answer in summary["answers"]:
        screen.say(f"{answer['question']} {answer['answer']}")


def compared(screen: Screen, summary: Mapping[str, Any], metric: str | None) -> None:
    """Print the variants of a finished study and their comparisons, only those by one score if it is named.

    Raises:
        BadInputError: the study compares nothing by this score.
    """
    rows = [each for each in summary["comparisons"] if metric in (None, each["metric"])]
    if metric is not None and not rows:
        known = list(dict.fromkeys(row["metric"] for row in summary["comparisons"]))
        there_are = [*known, *run_scores.names(summary)]
        why = "" if metric in there_are else f"{missing(metric, there_are)} "
        raise BadInputError(f"--metric {metric}: {why}{summary['study']} compares by {', '.join(known) or 'none'}.")
    screen.say(f"{summary['study']}: {summary['question']}")
    _variants(screen, summary)
    _comparisons(screen, summary, rows)


def _trials(screen: Screen, summary: Mapping[str, Any]) -> None:
    trials = summary["trials"]
    complete = sorted((each for each in trials if each["value"] is not None), key=lambda each: -each["value"])
    pruned = sum(each["state"] == "pruned" for each in trials)
    if not complete:
        screen.say("No trial was completed.")
        return
    shown = complete[:MOST]
    metric = next(iter(summary["best"].values()))["metric"] if summary["best"] else "score"
    means = [f"mean {words(metric)}", *(f"{each['value']:.3f}" for each in shown)]
    rows = [
        [path.removeprefix("learner."), *(_short(each["params"].get(path)) for each in shown)]
        for path in shown[0]["params"]
    ]
    title = f"The best of {len(trials)} trials ({pruned} pruned), over the folds"
    screen.table(title, ["", *(f"trial {each['number']}" for each in shown)], [means, *rows])


def _variants(screen: Screen, summary: Mapping[str, Any]) -> None:
    for data in summary["data_sets"]:
        known = run_scores.variants(summary, data["name"])
        runs = {name: list(run_scores.finished(summary, data["name"], name).values()) for name in known}
        cells = {
            name: {score: _mean_sd(run_scores.score(score), each) for score in SCREEN} for name, each in runs.items()
        }
        shown = [score for score in SCREEN if any(each[score] for each in cells.values())]
        rows = [[name, counted(runs[name]), *(each[score] for score in shown)] for name, each in cells.items()]
        over = "folds" if any(run["params"].get("folds") for run in summary["runs"]) else "seeds"
        title = f"Variants on {data['name']}: mean ± standard deviation over the {over}"
        screen.table(title, ["variant", "runs", *map(words, shown)], rows)
    for run in summary["runs"]:
        if run["status"] == "failed":
            screen.say(f"{run['variant']} seed {run['seed']} failed: {run['error']}")


def _mean_sd(score: run_scores.Score, runs: Sequence[Mapping[str, Any]]) -> str:
    known = run_scores.values(runs, score)
    if not known:
        return ""
    found = run_scores.spread(known)
    return f"{found['mean']:.3f} ± {found['sd']:.3f}" if len(known) > 1 else f"{found['mean']:.3f}"


def _test(screen: Screen, name: str, best: Mapping[str, Any]) -> None:
    rows = []
    for metric, score in best["test"].items():
        mean, sd = best["mean_sd"].get(metric, (None, None))
        together = (best["ensemble"] or {}).get(metric)
        rows.append(
            [
                words(metric),
                "" if mean is None else mean_sd(mean, sd),
                f"{score['value']:.3f} [{score['ci95'][0]:.3f}, {score['ci95'][1]:.3f}]",
                f"{together['value']:.3f}" if together else "",
            ]
        )
    over, which = ("folds", "refit") if best["folds"] else ("seeds", "best run")
    title = (
        f"{best['variant']} on {name}: {over} (mean ± sd), {which} on the held-out part (95% interval), "
        f"{over}' ensemble there"
    )
    screen.table(title, ["metric", over, "held out", "ensemble"], rows)


def _comparisons(screen: Screen, summary: Mapping[str, Any], comparisons: Sequence[Mapping[str, Any]]) -> None:
    rows = []
    for each in comparisons:
        (low, high), digits = each["ci95"], run_scores.digits(each["metric"])
        rows.append(
            [
                f"{each['b']} against {each['a']}" + (f" on {each['data']}" if len(summary["data_sets"]) > 1 else ""),
                words(each["metric"]),
                f"{each['difference']:+.{digits}f}" if each["n"] else "",
                f"{low:+.{digits}f} to {high:+.{digits}f}" if low < high else "",
                p_value(each["p_adjusted"]),
                str(each["n"]),
                _short(each["detectable"]),
                each["verdict"],
            ]
        )
    columns = ["variants", "score", "difference", "95% interval", "adjusted p", "pairs", "detectable", "verdict"]
    if rows:
        screen.table("Comparisons, paired by seed or fold", columns, rows)
        if looked(summary):
            screen.say(looked(summary))


def _short(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
