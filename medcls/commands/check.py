"""`medcls data check`: what a source holds and whether a study can use it."""

import argparse
from typing import TYPE_CHECKING, Any

from medcls.commands.places import work_dir
from medcls.options import Parser

if TYPE_CHECKING:
    from medcls.data.checks import Description


def add(commands: Any, places: Parser) -> None:
    """Add the command's parser to the subparsers of `medcls data`."""
    each = commands.add_parser("check", parents=[places], help="say what a source holds and whether a study can use it")
    each.add_argument("source", metavar="SOURCE", help="what --data takes: a folder, a labels.csv, a built-in name")
    each.set_defaults(command=_check)


def _check(given: argparse.Namespace) -> None:
    from medcls.data.checks import examine
    from medcls.data.hashes import Hashes

    described = examine(given.source, Hashes(work_dir(given) / "cache" / "hashes.sqlite"))
    for name, value in _facts(described):
        print(f"{name:<12} {value}")


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
        facts += [("channels", channels), ("pixels", pixels), ("bad files", "none: every image was decoded")]
    return [*facts, ("fingerprint", bundle.fingerprint)]
