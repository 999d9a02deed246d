"""The tables that a study ends with on the screen, made from its summary."""

from collections.abc import Mapping
from typing import Any

from medcls.screen import Screen

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
    if summary["comparisons"]:
        _comparisons(screen, summary)
    for answer in summary["answers"]:
        screen.say(f"{answer['question']} {answer['answer']}")


def _trials(screen: Screen, summary: Mapping[str, Any]) -> None:
    trials = summary["trials"]
    complete = sorted((each for each in trials if each["value"] is not None), key=lambda each: -each["value"])
    pruned = sum(each["state"] == "pruned" for each in trials)
    if not complete:
        screen.say("No trial was completed.")
        return
    shown = complete[:MOST]
    metric = next(iter(summary["best"].values()))["metric"] if summary["best"] else "score"
    means = [f"mean {metric.replace('_', ' ')}", *(f"{each['value']:.3f}" for each in shown)]
    rows = [
        [path.removeprefix("learner."), *(_short(each["params"].get(path)) for each in shown)]
        for path in shown[0]["params"]
    ]
    title = f"The best of {len(trials)} trials ({pruned} pruned), over the folds"
    screen.table(title, ["", *(f"trial {each['number']}" for each in shown)], [means, *rows])


def _variants(screen: Screen, summary: Mapping[str, Any]) -> None:
    rows = []
    for run in summary["runs"]:
        fold = "" if not run["params"]["folds"] else " refit" if run["fold"] is None else f" fold {run['fold'] + 1}"
        label = f"{run['variant']} seed {run['seed']}{fold}"
        scores = [_short(run["metrics"].get(name)) for name in ("balanced_accuracy", "accuracy", "macro_f1", "gap")]
        rows.append([label, run["status"], str(run["epochs"]), *scores])
    columns = ["run", "status", "epochs", "balanced accuracy", "accuracy", "macro F1", "gap"]
    screen.table("Runs, scored on the comparison part", columns, rows)


def _test(screen: Screen, name: str, best: Mapping[str, Any]) -> None:
    rows = []
    for metric, score in best["test"].items():
        mean, sd = best["mean_sd"].get(metric, (None, None))
        together = (best["ensemble"] or {}).get(metric)
        rows.append(
            [
                metric.replace("_", " "),
                "" if mean is None else f"{mean:.3f} ± {sd:.3f}",
                f"{score['value']:.3f} [{score['ci95'][0]:.3f}, {score['ci95'][1]:.3f}]",
                f"{together['value']:.3f}" if together else "",
            ]
        )
    title = (
        f"{best['variant']} on {name}: folds (mean ± sd), refit on the held-out part (95% interval), folds' ensemble"
    )
    screen.table(title, ["metric", "folds", "held out", "ensemble"], rows)


def _comparisons(screen: Screen, summary: Mapping[str, Any]) -> None:
    rows = []
    for each in summary["comparisons"]:
        low, high = each["ci95"]
        rows.append(
            [
                f"{each['b']} against {each['a']}" + (f" on {each['data']}" if len(summary["data_sets"]) > 1 else ""),
                each["metric"].replace("_", " "),
                f"{each['difference']:+.3f}" if each["n"] else "",
                f"{low:+.3f} to {high:+.3f}" if each["n"] > 1 else "",
                _short(each["p_adjusted"]),
                str(each["n"]),
                _short(each["detectable"]),
                each["verdict"],
            ]
        )
    columns = ["variants", "score", "difference", "95% interval", "adjusted p", "pairs", "detectable", "verdict"]
    screen.table("Comparisons, paired by seed or fold", columns, rows)


def _short(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
