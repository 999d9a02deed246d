"""Findings about a data set, their kinds, and which of them are leaks."""

from collections.abc import Iterable
from dataclasses import dataclass

UNREADABLE, FIXED, MISSING, EMPTY = "unreadable", "fixed", "class_missing", "empty_masks"


TWO_CLASSES, EXACT, NEAR, PATIENTS = "two_classes", "exact_across_parts", "near_across_parts", "patients_across_parts"


PATIENTS_KNOWN = "patients_known"  # by what was not asked for: DICOM's own word


PASSED_OVER, EMPTY_FOLDERS, UNUSED_FOLDERS = "passed_over", "empty_folders", "unused_folders"


DARK, BRIGHTER, NOTHING_DEEP = "dark_images", "above_white", "no_deep_images"


WITHIN, DIVIDED = "copies_within_part", "copies_divided"


FULL, LOST, TURNED, ASIDE = "full_masks", "lost_targets", "turned_apart", "masks_left_out"


SCORED = "scores_of_empty_masks"


NOTES = (FIXED, WITHIN, PATIENTS_KNOWN, ASIDE, SCORED, PASSED_OVER, UNUSED_FOLDERS)


LEAKS = (EXACT, NEAR, PATIENTS, TWO_CLASSES, DIVIDED)


@dataclass(frozen=True)
class Finding:
    """One finding about a data set.

    Attributes:
        kind: one of the words above.
        sentence: the finding in words.
        count: how many images, patients or groups it concerns.
        names: the names of all of these; the sentence has the first few.
        short: a few words for a tag, "" for findings that are no leaks.
    """

    kind: str
    sentence: str
    count: int
    names: tuple[str, ...] = ()
    short: str = ""

    @property
    def says_all(self) -> bool:
        """Whether the sentence has all the names."""
        return all(name in self.sentence for name in self.names)

    @property
    def word(self) -> str:
        """How serious the finding is: "note" or "warning"."""
        return "note" if self.kind in NOTES else "warning"


def leaks(findings: Iterable[Finding]) -> list[Finding]:
    """Return those findings because of which scores cannot be trusted."""
    return [finding for finding in findings if finding.kind in LEAKS]


def counted(count: int, thing: str) -> str:
    """Return a count with its noun, in the plural unless the count is 1."""
    return f"{count} {thing}{'' if count == 1 else 's'}"
