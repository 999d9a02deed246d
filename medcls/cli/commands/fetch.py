"""`medcls data fetch`: a published data set, downloaded once for all studies."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medcls.cli.commands.common import examples
from medcls.cli.options import Parser
from medcls.utils.console import moves
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import rich

if TYPE_CHECKING:
    from medcls.data.published import Published


QUIET = 5.0  # seconds between two lines where the output is no terminal


def add(commands: Any, places: Parser) -> None:
    """Add the command's parser to the subparsers of `medcls data`."""
    each = commands.add_parser(
        "fetch",
        parents=[places],
        help="download a published data set",
        **examples("medcls data fetch mnist", "medcls data fetch medmnist:pneumoniamnist"),
    )
    each.add_argument("name", metavar="NAME", help="mnist, or medmnist:NAME such as medmnist:pneumoniamnist")
    each.add_argument("--mirror", metavar="URL", help="a folder on another server that has the file")
    each.set_defaults(command=_fetch)


def _fetch(given: argparse.Namespace) -> None:
    from medcls.data.published import PUBLISHED, SEVERAL_LABELS
    from medcls.data.resolve import VARIABLE, homes, unpublished
    from medcls.spec.variant import BUILTIN

    name: str = given.name.removeprefix(BUILTIN)
    if name not in PUBLISHED:
        raise unpublished(name)
    if given.mirror is not None and not given.mirror.startswith(("http://", "https://")):
        raise BadInputError(f"--mirror {given.mirror}: give a URL that begins with http:// or https://.")
    if not homes():
        raise BadInputError(f"You have no home folder to fetch into: set {VARIABLE} to a folder for your data sets.")
    if SEVERAL_LABELS in name:
        print(f"{name} has several labels an image: no study can use it yet, they all expect one.")
    try:
        path = _fetched(PUBLISHED[name], homes(), given.mirror)
    except KeyboardInterrupt:
        print("medcls: interrupted; what has come is kept, and the same command goes on.", file=sys.stderr)
        raise
    said = f"{BUILTIN}{name}" if Path(name).exists() else name  # beside something else of that name
    print(f"{name} is at {path}: use it with --data {said}")


def _fetched(published: "Published", homes: list[Path], mirror: str | None) -> Path:
    """Return where a file is, in the first of the folders that has it; else fetch it into the first of all."""
    from medcls.data.download import fetch

    home = next((home for home in homes if os.path.isfile(home / published.file)), None)  # noqa: PTH113 - as find() asks
    if home is None:
        home = homes[0]
        print(f"fetching {published.address(mirror)}", flush=True)
    with _View() as view:
        return fetch(published, home, mirror, view.show)


class _View:
    """Shows how much there is: a bar on a terminal, a line every few seconds elsewhere."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._said = time.monotonic()

    def __enter__(self) -> "_View":
        output = rich.console.Console()
        if moves(output):
            columns = [rich.progress.BarColumn(), rich.progress.DownloadColumn(), rich.progress.TransferSpeedColumn()]
            self._bar = rich.progress.Progress(
                *columns, rich.progress.TimeRemainingColumn(), console=output, transient=True
            )
            self._task = self._bar.add_task("", total=None)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: int, total: int | None) -> None:
        """Show that `done` of `total` bytes are there."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)
        elif time.monotonic() - self._said > QUIET:
            self._said = time.monotonic()
            of_all = f" of {total / 1e6:.1f}" if total else ""
            print(f"  {done / 1e6:.1f}{of_all} MB", flush=True)
