"""`medcls data check`: what a source holds and whether a study can use it."""

import argparse
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from medcls.cli.commands.common import examples
from medcls.cli.options import Parser, work_dir
from medcls.utils.errors import BadInputError
from medcls.utils.texts import say

if TYPE_CHECKING:
    from medcls.data.checks import Description
    from medcls.data.content_hashes import Hashes
    from medcls.data.finding import Finding

QUIET = 5.0  # seconds between two lines about a long look
FIRST = 10  # of all that a finding names


def add(commands: Any, places: Parser) -> None:
    """Add the command's parser to the subparsers of `medcls data`."""
    each = commands.add_parser(
        "check",
        parents=[places],
        help="say what a source holds and whether a study can use it",
        **examples("medcls data check ~/my_images", "medcls data check labels.csv --folds 3 --all"),
    )
    each.add_argument("source", metavar="SOURCE", help="what --data takes: a folder, a labels.csv, a built-in name")
    each.add_argument("--folds", type=int, metavar="K", help="as a study with K folds would use it")
    each.add_argument(
        "--patients", default="", metavar="HOW", help="whose the images are: folder, none or a pattern with one group"
    )
    each.add_argument("--size", type=int, metavar="N", help="as a study would resize it: are targets of masks lost?")
    each.add_argument("--all", action="store_true", help="name everything that was found, not the first ten")
    each.set_defaults(command=_check)


def _check(given: argparse.Namespace) -> None:
    from medcls.data.checks import examine
    from medcls.data.content_hashes import Hashes
    from medcls.data.patients import patients_known
    from medcls.data.resolve import POINTS, builtin
    from medcls.data.toy2d import TOYS

    hashes = Hashes(work_dir(given) / "cache" / "hashes.sqlite")
    if builtin(given.source) == POINTS:
        _print_points(hashes, TOYS)
        return
    patients_known(patients=given.patients)
    described = examine(
        given.source, hashes, folds=given.folds, size=given.size, patients=given.patients, tell=_Progress()
    )
    for name, value in _facts(described):
        say(f"{name:<12} {value}")
    for finding in described.findings:
        _print(finding, everything=given.all or finding.kind == "unreadable")
    if described.complaint:
        raise BadInputError(described.complaint)


def _print_points(hashes: "Hashes", toys: Sequence[str]) -> None:
    """Print what the points are that studies make themselves."""
    from medcls.data.toy2d import toy2d

    print(f"{'source':<12} points in the plane that scikit-learn makes, no images: toy_boundaries learns from them")
    for name in toys:
        bundle = toy2d(hashes, name=name)
        counted = ", ".join(f"{each} {(bundle.labels == label).sum()}" for label, each in enumerate(bundle.classes))
        print(f"{name:<12} {len(bundle.labels)}: {counted}; {bundle.fingerprint}")


class _Progress:
    """Says every few seconds how far a long look has come."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        if time.monotonic() - self._said > QUIET:
            self._said = time.monotonic()
            print(f"{what}: {done} of {total}", flush=True)


def _print(finding: "Finding", *, everything: bool) -> None:
    """Print a finding and what it concerns, one a line."""
    say(f"{finding.word:<12} {finding.sentence}")
    shown = finding.names if everything else finding.names[:FIRST]
    if not finding.says_all:
        for name in shown:
            say(f"             {name}")
        if len(shown) < len(finding.names):
            print(f"             and {len(finding.names) - len(shown)} more (--all)")


def _facts(described: "Description") -> list[tuple[str, str]]:
    bundle = described.bundle
    images = str(len(bundle.labels))
    if bundle.patients is not None:
        images += f" of {len(set(bundle.patients.tolist()))} patients"
    facts = [("source", bundle.source), ("layout", bundle.layout), ("images", images)]
    for part, counts in described.counts().items():
        classes = ", ".join(f"{name} {count}" for name, count in counts.items())
        facts.append((part or "not split", f"{sum(counts.values())}: {classes}"))
    if described.channels:
        channels = ", ".join(f"{name} {count}" for name, count in described.channels.most_common())
        pixels = " to ".join(f"{width}x{height}" for width, height in described.sizes)
        facts += [("channels", channels), ("pixels", pixels)]
        if described.marks is not None:
            facts.append(("masks", described.marks.sentence))
        if not any(finding.kind == "unreadable" for finding in described.findings):
            facts.append(("bad files", "none: every image was decoded"))
    return [*facts, ("fingerprint", bundle.fingerprint)]
