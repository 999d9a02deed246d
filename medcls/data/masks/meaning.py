"""The meaning of the values in a data set's masks, one for all of its files."""

from collections.abc import Sequence
from pathlib import Path

from medcls.data.masks.values import FLAT, GREY, HOPELESS, LABELS, SPECK, Content, Meaning, Value, several_labels
from medcls.data.readers.records import listed
from medcls.utils.errors import BadInputError

BETWEEN = (0.25, 0.75)  # of the range of all masks: what a file has there for its black or white is neither


def decide(source: str, values: str, masks: Sequence[tuple[Path, Content]]) -> Meaning:
    """Return what the numbers of a data set's masks mean.

    Args:
        source: the data set.
        values: "two", "labels" or "grey".
        masks: the files that can be read, with what they hold.

    Raises:
        BadInputError: the files contradict one another, or none has two values.
    """
    _refuse_hopeless(source, masks)
    laid = any(content.drawn_in_alpha for _, content in masks)
    seen = [(path, content if laid or content.bare is None else content.bare) for path, content in masks]
    sound = [(path, content) for path, content in seen if not content.fault]
    judged = sound or seen
    if not judged:
        return Meaning(values, 0.0, 0.0, laid)
    low, high = min(content.low for _, content in judged), max(content.high for _, content in judged)
    meaning = Meaning(values, low, high, laid)
    if not sound:
        _refuse_all(source, seen)
        return meaning
    if values == LABELS or (low == high == 0):  # all empty: reported with other empty masks
        return meaning
    if all(content.low == content.high for _, content in sound):
        shown = _shown({content.low for _, content in sound})
        raise BadInputError(
            f"{source}: every mask has one value all over ({shown}), so none outlines anything: give masks with a "
            "target and a ground."
        )
    if values != GREY:
        _refuse_others(source, meaning, sound)
    return meaning


def _refuse_hopeless(source: str, masks: Sequence[tuple[Path, Content]]) -> None:
    """Refuse a data set some of whose masks were saved in a way that no other reading of them mends.

    Raises:
        BadInputError: there are some.
    """
    for fault in HOPELESS:
        names = [path.name for path, content in masks if content.fault == fault]
        if names:
            raise BadInputError(f"{source}: {fault} ({len(names)} of {len(masks)}: {listed(sorted(names), 3)}).")


def _refuse_all(source: str, masks: Sequence[tuple[Path, Content]]) -> None:
    """Refuse in one sentence masks that all have one fault; different faults are reported one by one.

    Raises:
        BadInputError: all masks share one reason.
    """
    faults = {content.fault for _, content in masks}
    fault = faults.pop() if len(faults) == 1 else ""
    if not fault and all(content.values and not content.lossy for _, content in masks):
        labels: set[float] = set()
        for _, content in masks:
            labels |= {value.value for value in content.values}
        fault = several_labels(sorted(labels))
    if fault:
        names = listed(sorted(path.name for path, _ in masks), 3)
        raise BadInputError(f"{source}: {fault} ({len(masks)} of {len(masks)}: {names}).")


def _refuse_others(source: str, meaning: Meaning, masks: Sequence[tuple[Path, Content]]) -> None:
    """Refuse masks whose values are neither the ground nor the target of the other masks, nor traces of them.

    Raises:
        BadInputError: there are some.
    """
    others: dict[float, Path] = {}
    for path, content in masks:
        for value in _others(meaning, content):
            others.setdefault(value.value, path)
    if others:
        values = _shown({meaning.low, meaning.high, *others})
        names = listed(sorted({path.name for path in others.values()}), 3)
        raise BadInputError(
            f"{source}: its masks have several labels ({values}), even if not in one file (see {names}): "
            "set data.mask_values=labels if all but 0 are the target, else save them all with the same two values."
        )


def _others(meaning: Meaning, content: Content) -> list[Value]:
    """Return the values of a mask that count as a label but are neither the ground nor the target."""
    if content.lossy:
        return []
    reach = meaning.high - meaning.low
    spans = content.low <= meaning.cut < content.high
    others = []
    for value in content.values:
        middle = meaning.low + BETWEEN[0] * reach < value.value < meaning.low + BETWEEN[1] * reach
        end = value.value in (content.low, content.high)
        if value.value in (meaning.low, meaning.high) or (spans and not middle and end):
            continue
        flat = value.amid > 0 and value.amid >= FLAT * value.pixels
        if flat or (len(content.values) == 2 and value.pixels > SPECK * content.pixels):
            others.append(value)
    return others


def _shown(values: set[float]) -> str:
    return ", ".join(f"{value:g}" for value in sorted(values))
