"""The description of a registered model in Markdown: what it was trained on, how good it is, what it is not."""

from collections.abc import Mapping

from medcls.evaluation.metrics import digits, words
from medcls.evaluation.run_record import DataSetRecord
from medcls.evaluation.summary import BestRecord
from medcls.export.exporter import Chosen
from medcls.utils.texts import printable

MOST_SCORES = 12  # that are shown; the model card has all
MOST_CLASSES = 30
LONGEST = 4000  # characters; MLflow's column takes 5,000, and links follow


def registered_note(chosen: Chosen) -> str:
    """Return the description of a best model."""
    summary, run, best = chosen.summary, chosen.run, chosen.best
    paragraphs = [f"**{printable(chosen.outcome.name)}**: {printable(summary.question)}"]
    paragraphs += _warnings(chosen)
    paragraphs.append(_trained_on(chosen.data))
    parameters = f"{run.parameters['total']:,} parameters, " if "total" in run.parameters else ""
    refit = "refitted on all folds" if run.is_refit else f"seed {run.seed}"
    paragraphs.append(f"Network: {printable(run.variant)}, {refit}, {parameters}run {run.key}.")
    if best is not None:
        paragraphs.append(_scores(best))
    paragraphs.append("For teaching and research only. **Not for clinical use.**")
    return "\n\n".join(paragraphs)[:LONGEST]


def _warnings(chosen: Chosen) -> list[str]:
    warnings = []
    if chosen.outcome.is_phantom:
        warnings.append("**Trained on a phantom: images drawn by a program, no real images.**")
    if chosen.summary.smoke:
        warnings.append("**Made with --smoke, a quick trial on a few images: its scores mean nothing.**")
    return warnings


def _trained_on(data: DataSetRecord) -> str:
    """Return which data set a model was trained on: how many images of which classes."""
    counts = ", ".join(f"{name} {count}" for name, count in data.n.items())
    names = [printable(name) for name in data.classes[:MOST_CLASSES]]
    if len(data.classes) > len(names):
        names.append(f"{len(data.classes) - len(names)} more")
    return (
        f"Trained on {printable(data.name)} ({data.kind}), {sum(data.n.values())} images: {counts}. "
        f"Classes: {', '.join(names)}. Fingerprint {data.fingerprint}."
    )


def _scores(best: BestRecord) -> str:
    """Return a table of the scores that have no class: mean and deviation over repeats, and the test set's interval."""
    repeats = "folds" if best.folds is not None else "seeds"
    varies = any(sd for _, sd in best.mean_sd.values())
    tested = best.test or {}
    column = f"{repeats}, mean ± SD" if varies else "validation set"
    lines = [f"| score | {column} | test set [95% interval] |", "| --- | ---: | ---: |"]
    names = [name for name in (best.metric, *best.mean_sd, *tested) if "/" not in name]
    for name in list(dict.fromkeys(names))[:MOST_SCORES]:
        lines.append(f"| {words(name)} | {_mean(best.mean_sd, name)} | {_interval(best, name)} |")
    return "\n".join(lines)


def _mean(mean_sd: Mapping[str, tuple[float, float]], name: str) -> str:
    if name not in mean_sd:
        return ""
    mean, sd = mean_sd[name]
    places = digits(name)
    return f"{mean:.{places}f} ± {sd:.{places}f}" if sd else f"{mean:.{places}f}"


def _interval(best: BestRecord, name: str) -> str:
    if name not in (best.test or {}):
        return ""
    assert best.test is not None
    score, places = best.test[name], digits(name)
    low, high = score.ci95
    return f"{score.value:.{places}f} [{low:.{places}f}, {high:.{places}f}]"
