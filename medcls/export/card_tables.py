"""The tables of the model card: numbers of images, scores, recall by class, hyper-parameters."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from medcls.evaluation.run_record import Scalar
from medcls.evaluation.summary import TestScore
from medcls.export.metadata import Facts
from medcls.utils.texts import printable

NAMES_OF_SCORES = MappingProxyType(
    {
        "auc": "AUC",
        "brier": "Brier score",
        "dice": "Dice",
        "dice_own_size": "Dice at the images' own sizes",
        "dice_sd": "Dice, standard deviation over images",
        "dice_worst": "Dice of the worst image",
        "ece": "expected calibration error",
        "empty_in_both": "images with an empty mask and an empty prediction",
        "empty_masks": "images with an empty mask (excluded from Dice)",
        "false_alarm_rate": "share of the images with an empty mask in which something was marked",
        "hausdorff95": "Hausdorff distance, 95th percentile, in pixels",
        "hausdorff95_sd": "Hausdorff distance, standard deviation",
        "iou": "IoU",
        "iou_own_size": "IoU at the images' own sizes",
        "iou_sd": "IoU, standard deviation",
        "macro_f1": "macro F1",
        "precision_sd": "precision, standard deviation",
        "recall_sd": "recall, standard deviation",
        "surface_distance": "average symmetric surface distance, in pixels",
        "surface_distance_sd": "surface distance, standard deviation",
    }
)
"""Score -> what the card calls it, where that is not the score's own name."""

MarkdownTable = tuple[str, ...]  # one line of Markdown each


def scored_set(facts: Facts) -> str:
    """Return the name of the set whose scores the card shows class by class."""
    return "test" if facts.best and facts.best.test else "validation"


def image_counts(facts: Facts) -> MarkdownTable:
    """Return a table of the number of images in each set that has any: by class, and of all."""
    is_refit = facts.run.is_refit
    titles = {
        "train": "training set",
        "validation": "used for early stopping" if is_refit else "validation set",
        "test": "test set",
    }
    sets = [name for name in titles if sum(facts.counts[name].values())]
    rows = []
    if not facts.pixels:
        for class_name in facts.data.classes:
            counts = [facts.counts[name][class_name] for name in sets]
            rows.append([class_name, *map(str, counts)])
    totals = [sum(facts.counts[name].values()) for name in sets]
    rows.append(["all", *map(str, totals)])
    return _markdown_table(["images" if facts.pixels else "class", *(titles[name] for name in sets)], rows)


def scores(facts: Facts) -> MarkdownTable:
    """Return a table of the scores: on the validation set, and on the test set if the model was tested."""
    best = facts.best
    columns: dict[str, dict[str, str]] = {}
    if best is not None and best.folds:
        folds = len(next(iter(best.folds.values())))
        column = columns.setdefault(f"validation sets of {folds} folds, mean ± SD", {})
        for name, (mean, sd) in best.mean_sd.items():
            column[name] = f"{mean:.3f} ± {sd:.3f}"
    else:
        columns["validation set"] = {name: f"{value:.3f}" for name, value in facts.run.metrics.items()}
    if best is not None and best.test:
        columns["test set [95% interval]"] = _intervals(best.test)
    if best is not None and best.ensemble:
        columns["test set, mean prediction of the folds"] = _intervals(best.ensemble)
    rows: dict[str, list[str]] = {}
    for column in columns.values():
        for name in column:
            if "/" not in name and name not in rows:  # recalls by class have a table of their own
                rows[name] = [_name_of(name, facts), *(other.get(name, "") for other in columns.values())]
    return _markdown_table(["score", *columns], list(rows.values()))


def _name_of(score: str, facts: Facts) -> str:
    """Return what the card calls a score."""
    if score == "gap":
        return "gap to the training Dice" if facts.pixels else "gap to the training accuracy"
    return NAMES_OF_SCORES.get(score, score.replace("_", " "))


def recalls(facts: Facts) -> MarkdownTable:
    """Return a table of each class's recall and number of images, on the test set if the model was tested."""
    scored_on = scored_set(facts)
    rows = []
    for class_name in facts.data.classes:
        name, text = f"recall/{class_name}", ""
        if facts.best is not None and facts.best.test:
            if name in facts.best.test:
                text = _interval(facts.best.test[name])
        elif name in facts.run.metrics:
            text = f"{facts.run.metrics[name]:.3f}"
        rows.append([class_name, text, str(facts.counts[scored_on][class_name])])
    title = "recall on the test set [95% interval]" if scored_on == "test" else "recall on the validation set"
    return _markdown_table(["class", title, "images"], rows)


def hyperparameters(parameters: Mapping[str, Scalar]) -> MarkdownTable:
    """Return a table of the parameters of a variant that have a value."""
    rows = []
    for name, value in parameters.items():
        if value not in (None, ""):
            rows.append([f"`{name}`", f"`{value}`"])
    return _markdown_table(["parameter", "value"], rows)


def _intervals(scores: Mapping[str, TestScore]) -> dict[str, str]:
    """Return each score with its interval, as text."""
    return {name: _interval(score) for name, score in scores.items()}


def _interval(score: TestScore) -> str:
    """Return a score with its interval, as text."""
    low, high = score.ci95
    return f"{score.value:.3f} [{low:.3f}, {high:.3f}]"


def _markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> MarkdownTable:
    """Return the lines of a table in Markdown, all columns but the first aligned to the right."""
    lines = []
    for cells in (columns, ["---", *["---:"] * (len(columns) - 1)], *rows):
        escaped = [printable(text).replace("|", "\\|") for text in cells]  # one line, and no bar that ends the cell
        lines.append(f"| {' | '.join(escaped)} |")
    return tuple(lines)
