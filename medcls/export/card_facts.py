"""What differs between model cards: the values that the template `model_card.md` is filled in with."""

from dataclasses import dataclass

from medcls.evaluation.wording import asked
from medcls.export import card_tables
from medcls.export.card_tables import MarkdownTable
from medcls.export.format_names import FILES
from medcls.export.metadata import Facts, in_pillow
from medcls.export.usage_snippets import LINES, MARK_PIXELS, PRINT_ANSWERS, TITLES

FEW = 30  # images, below which a score says little


@dataclass(frozen=True)
class CardFinding:
    """Something that the data checks found.

    Attributes:
        sentence: what was found.
        is_leak: whether the scores are too good because of it.
    """

    sentence: str
    is_leak: bool


@dataclass(frozen=True)
class Usage:
    """How to use one exported file.

    Attributes:
        title: the library that loads it.
        code: lines of Python that read an image and predict.
    """

    title: str
    code: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CardFacts:
    """Everything that the template of the model card shows.

    Attributes:
        title: study, variant, seed and fold.
        question: the study's.
        is_phantom: whether the images were drawn by a program.
        is_smoke: whether this was a quick trial on a few images.
        is_segmentation: whether the model marks pixels instead of classifying images.
        classes: the names of the classes, or the single name of what is marked.
        architecture: the function that makes the network.
        parameters: the number of the network's parameters.
        trainable_parameters: how many of them were trained.
        colour: "RGB" or "grayscale".
        height: of the input, in pixels.
        width: of the input, in pixels.
        output: what the model returns for an image.
        data_name: the name of the data set.
        data_source: where its images came from.
        fingerprint: the digest of the data set.
        image_counts: a table of the number of images by set.
        leaks_were_checked: whether the data checks were run.
        has_leaks: whether they found a leak.
        findings: everything that they found.
        scores: a table of the scores.
        is_tested: whether there are scores on the test set.
        recalls: a table of the recall by class.
        usages: one for each exported file that needs code.
        weights_file: the file of the weights alone, "" without one.
        needs_trust: whether `medcls predict` asks for `--trust`, because every model here is a program.
        few: the number of images below which a score says little.
        few_images: the number of scored images if it is below `few`, else None.
        rare_classes: the classes of which fewer than `few` images were scored.
        remark: what the predictions make one wary of, "" for nothing.
        epochs: the number of epochs.
        best_epoch: the epoch whose weights were kept, from 1 on.
        hyperparameters: a table of the variant's parameters.
        run_key: the name of the run directory.
        study: the name of the study.
        weights_sha256: the digest of the weights.
        commit: of the repository around the study's file, None outside one.
        has_uncommitted_changes: whether the code differed from the commit.
        trained_with: the software in which the run was trained, "" where it was not recorded.
        trained_on: the machine on which it was trained, "" where it was not recorded.
        earlier: each other environment in which its first epochs were trained, in words.
        versions: packages that exported the model, with their versions.
    """

    title: str
    question: str
    is_phantom: bool
    is_smoke: bool
    is_segmentation: bool
    classes: tuple[str, ...]
    architecture: str
    parameters: int
    trainable_parameters: int
    colour: str
    height: int
    width: int
    output: str
    data_name: str
    data_source: str
    fingerprint: str
    image_counts: MarkdownTable
    leaks_were_checked: bool
    has_leaks: bool
    findings: tuple[CardFinding, ...]
    scores: MarkdownTable
    is_tested: bool
    recalls: MarkdownTable
    usages: tuple[Usage, ...]
    weights_file: str
    needs_trust: bool
    few: int
    few_images: int | None
    rare_classes: tuple[str, ...]
    remark: str
    epochs: int
    best_epoch: int
    hyperparameters: MarkdownTable
    run_key: str
    study: str
    weights_sha256: str
    commit: str | None
    has_uncommitted_changes: bool
    trained_with: str
    trained_on: str
    earlier: tuple[str, ...]
    versions: tuple[str, ...]


def card_facts(facts: Facts) -> CardFacts:
    """Return the numbers and words of the model card."""
    run, data = facts.run, facts.data
    height, width, channels = facts.shape
    counts = facts.counts[card_tables.scored_set(facts)]
    images = sum(counts.values())
    findings = [CardFinding(finding.sentence, finding.kind in facts.leaks) for finding in data.findings or ()]
    return CardFacts(
        title=facts.label,
        question=asked(facts.summary),
        is_phantom=data.kind == "phantom",
        is_smoke=facts.summary.smoke,
        is_segmentation=facts.pixels,
        classes=data.classes,
        architecture=str(run.params.get("learner.model", "network")),
        parameters=run.parameters["total"],
        trainable_parameters=run.parameters["trainable"],
        colour="grayscale" if channels == 1 else "RGB",
        height=height,
        width=width,
        output=facts.meaning,
        data_name=data.name,
        data_source=data.source,
        fingerprint=data.fingerprint,
        image_counts=card_tables.image_counts(facts),
        leaks_were_checked=data.findings is not None,
        has_leaks=bool(facts.leaks),
        findings=tuple(findings),
        scores=card_tables.scores(facts),
        is_tested=card_tables.scored_set(facts) == "test",
        recalls=card_tables.recalls(facts),
        usages=_usages(facts),
        weights_file=FILES["weights"] if "weights" in facts.formats else "",
        needs_trust="savedmodel" in facts.formats and set(facts.formats) <= {"savedmodel", "weights"},
        few=FEW,
        few_images=images if images < FEW else None,
        rare_classes=tuple(name for name, count in counts.items() if count < FEW),
        remark=run.remark,
        epochs=run.epochs,
        best_epoch=(run.best_epoch or 0) + 1,
        hyperparameters=card_tables.hyperparameters(run.params),
        run_key=run.key,
        study=facts.summary.study,
        weights_sha256=run.weights_sha256,
        commit=facts.described.git_commit,
        has_uncommitted_changes=bool(facts.described.git_dirty),
        trained_with="" if run.environment is None else run.environment.software,
        trained_on="" if run.environment is None else run.environment.machine,
        earlier=tuple(f"{before.software}; {before.machine}" for before in run.earlier_environments),
        versions=tuple(f"{name} {version}" for name, version in facts.versions.items()),
    )


def _usages(facts: Facts) -> tuple[Usage, ...]:
    """Return how to use each exported file that Python code can load without medcls."""
    opened, *read = in_pillow(facts.shape)
    before = ["from PIL import Image, ImageOps", "import numpy as np", opened]
    if facts.pixels:
        before.append("own_size = image.size")
    before += read
    after = MARK_PIXELS if facts.pixels else PRINT_ANSWERS
    return tuple(Usage(TITLES[name], (*before, *LINES[name], *after)) for name in facts.formats if name in LINES)
