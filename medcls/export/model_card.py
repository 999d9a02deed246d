"""MODEL_CARD.md: what a model is, what it was trained on, how good it is, and what it must not be used for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from medcls.export.metadata import FILES, Facts
from medcls.export.model_card_text import scored, wording
from medcls.export.usage_snippets import LINES, TITLES
from medcls.utils.texts import printable


def card(facts: Facts) -> str:
    """Return the model card, in Markdown."""
    sections = {
        f"Model card: {facts.label}": _summary(facts),
        "Data": _data(facts),
        "Results": _results(facts),
        **({} if facts.pixels else {"Each class": _classes(facts)}),
        "How to use it": _use(facts),
        "Limits": _limits(facts),
        "Training": _training(facts),
        "Origin": _origin(facts),
    }
    text = []
    for number, (title, paragraphs) in enumerate(sections.items()):
        text += [f"{'##' if number else '#'} {title}", *paragraphs]
    return printable("\n\n".join(text) + "\n", keep="\n")


def _summary(facts: Facts) -> Iterator[str]:
    height, width, channels = facts.shape
    kind = facts.run["params"].get("learner.model", "network")
    count = facts.run["parameters"]
    yield f"**Not for clinical use.** Question of the study: {facts.summary['question']}"
    if facts.data["kind"] == "phantom":
        yield "**Trained on a phantom: drawn by a program, no real images. Its scores say nothing of medicine.**"
    if facts.summary["smoke"]:
        yield "**Made with --smoke, to try the study out: on a few images only. Its scores mean nothing.**"
    yield (
        f"A {kind} with {count['total']:,} parameters ({count['trainable']:,} trainable) that "
        f"{wording(facts).does(facts)}. It takes images of {height}x{width} pixels, "
        f"{'grey' if channels == 1 else 'RGB'}, as numbers from 0 to 255, any number at once, "
        f"and answers each with {facts.meaning}."
    )


def _data(facts: Facts) -> Iterator[str]:
    data = facts.data
    origin = "a phantom made by medcls, no real images" if data["kind"] == "phantom" else printable(data["source"])
    yield f"{data['name']}: {origin}. Fingerprint `{data['fingerprint']}`."
    parts = [(part, words) for part, words in _parts(facts).items() if sum(facts.counts[part].values())]
    rows = wording(facts).counts(facts, [part for part, _ in parts])
    yield _table(["images" if facts.pixels else "class", *(words for _, words in parts)], rows)
    yield from _findings(facts)


def _parts(facts: Facts) -> dict[str, str]:
    """Return what the images of each part were for."""
    refit = facts.run["params"]["folds"] is not None and facts.run["fold"] is None
    return {"train": "trained on", "validation": "told when to stop" if refit else "compared on", "test": "held out"}


def _findings(facts: Facts) -> Iterator[str]:
    found = facts.data.get("findings")
    if found is None:
        yield "Leaks (the same picture or patient on both sides of a cut): not checked."
    elif not facts.leaks:
        yield "Leaks (the same picture or patient on both sides of a cut): no leak found."
    if found:
        yield "Found in the data:"
        yield "\n".join(f"- {'**Leak.** ' * (each['kind'] in facts.leaks)}{each['sentence']}" for each in found)


def _results(facts: Facts) -> Iterator[str]:
    best, own = facts.best, facts.run["metrics"]
    columns: dict[str, Mapping[str, str]] = {}
    if best is not None and best["folds"]:
        several = len(next(iter(best["folds"].values())))
        columns[f"{several} runs on folds, mean ± sd"] = {
            name: f"{mean:.3f} ± {sd:.3f}" for name, (mean, sd) in best["mean_sd"].items()
        }
    else:
        columns["comparison part"] = {name: f"{value:.3f}" for name, value in own.items()}
    for title, scores in (("held-out part [95% interval]", "test"), ("the folds' mean prediction there", "ensemble")):
        if best is not None and best.get(scores):
            columns[title] = {name: _interval(score) for name, score in best[scores].items()}
    names = dict.fromkeys(name for column in columns.values() for name in column if "/" not in name)
    words = wording(facts).scores
    rows = [
        [words.get(name, name.replace("_", " ")), *(column.get(name, "") for column in columns.values())]
        for name in names
    ]
    yield _table(["score", *columns], rows)
    if best is not None and best["test"]:
        yield "The held-out part was used once, after the choice was made. This model is the one scored there."
    else:
        yield "The comparison part also decided when to stop or which variant is best: expect a little less elsewhere."


def _classes(facts: Facts) -> Iterator[str]:
    tested = (facts.best or {}).get("test")
    part = scored(facts)
    rows = []
    for name in facts.data["classes"]:
        score = (tested or facts.run["metrics"]).get(f"recall/{name}")
        told = "" if score is None else _interval(score) if tested else f"{score:.3f}"
        rows.append([name, told, str(facts.counts[part][name])])
    yield _table([f"class, {_parts(facts)[part]}", "recall [95% interval]" if tested else "recall", "images"], rows)


def _use(facts: Facts) -> Iterator[str]:
    words = wording(facts)
    for name in facts.formats:
        if name in LINES:
            yield f"{TITLES[name]}:"
            yield "\n".join(["```python", *words.before(facts), *LINES[name], *words.after(facts), "```"])
    if "weights" in facts.formats:
        yield f"`{FILES['weights']}` has the weights alone, to train on from (`--weights`), or for `load_weights`."
    yield "With medcls, in the folder of this file, for images of any kind that medcls reads:"
    is_program = "savedmodel" in facts.formats and set(facts.formats) <= {"savedmodel", "weights"}
    yield f"```sh\n{words.command}{' --trust' if is_program else ''}\n```"


def _limits(facts: Facts) -> Iterator[str]:
    limits = [
        "For teaching and research only. **Not for clinical use**: not validated for diagnosis, not a medical device.",
        *wording(facts).limits(facts),
    ]
    if facts.run.get("remark"):
        limits.append(f"This network {facts.run['remark']}")
    if facts.leaks:
        limits.append("The leaks listed above make the scores too good.")
    yield "\n".join(f"- {each}" for each in limits)


def _training(facts: Facts) -> Iterator[str]:
    run = facts.run
    yield f"{run['epochs']} epochs, of which the weights of epoch {run['best_epoch'] + 1} were kept."
    rows = [[f"`{name}`", f"`{value}`"] for name, value in run["params"].items() if value not in (None, "")]
    yield _table(["parameter", "value"], rows)


def _origin(facts: Facts) -> Iterator[str]:
    described = facts.described
    commit = described.get("git_commit") or "unknown"
    changed = " with changes that were not committed" if described.get("git_dirty") else ""
    versions = ", ".join(f"{name} {version}" for name, version in facts.versions.items())
    yield "\n".join(
        [
            f"- Run `{facts.run['key']}` of the study {facts.summary['study']}; weights SHA-256 "
            f"`{facts.run['weights_sha256']}`",
            f"- Code: commit {commit}{changed}",
            f"- Versions: {versions}",
        ]
    )


def _interval(score: Mapping[str, Any]) -> str:
    low, high = score["ci95"]
    return f"{score['value']:.3f} [{low:.3f}, {high:.3f}]"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    """Return a text as a table of Markdown holds it: in one line, without bars."""
    return printable(text).replace("|", "\\|")
