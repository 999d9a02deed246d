"""`medcls data fetch`: download a published data set once for all studies."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from medcls.cli.commands.common import Commands, examples
from medcls.cli.options import Parser
from medcls.utils.console import PAUSE, moves
from medcls.utils.errors import BadInputError
from medcls.utils.lazy import rich

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from medcls.data.published import Published


def add(commands: Commands, shared: Parser) -> None:
    """Add the parser of `medcls data fetch` to the subparsers of `medcls data`."""
    parser = commands.add_parser(
        "fetch",
        parents=[shared],
        help="download a published data set",
        **examples("medcls data fetch mnist", "medcls data fetch medmnist:pneumoniamnist"),
    )
    parser.add_argument("name", metavar="NAME", help="mnist, or medmnist:NAME such as medmnist:pneumoniamnist")
    parser.add_argument("--mirror", metavar="URL", help="download from this folder of another server instead")
    parser.set_defaults(command=_fetch)


def _fetch(arguments: argparse.Namespace) -> None:
    from medcls.data.published import PUBLISHED, SEVERAL_LABELS
    from medcls.data.resolve import VARIABLE, homes, unpublished
    from medcls.spec.variant import BUILTIN

    name: str = arguments.name.removeprefix(BUILTIN)
    if name not in PUBLISHED:
        raise unpublished(name)
    if arguments.mirror is not None and not arguments.mirror.startswith(("http://", "https://")):
        raise BadInputError(f"--mirror {arguments.mirror}: give a URL that begins with http:// or https://.")
    if not homes():
        raise BadInputError(f"You have no home directory to download into: set {VARIABLE} to a folder for data sets.")
    if SEVERAL_LABELS in name:
        print(f"{name} has several labels per image; no study can use it yet, because studies expect one.")
    try:
        path = _download(PUBLISHED[name], homes(), arguments.mirror)
    except KeyboardInterrupt:
        print("medcls: Interrupted. The downloaded part is kept; run the same command to resume.", file=sys.stderr)
        raise
    source = f"{BUILTIN}{name}" if Path(name).exists() else name  # something else here has this name
    print(f"{name} is in {path}. Use it with --data {source}")


def _download(published: "Published", homes: list[Path], mirror: str | None) -> Path:
    """Return the path of a published file, downloaded if none of the directories has it yet.

    Args:
        published: the file.
        homes: directories to look in; the first is where the file is downloaded to.
        mirror: the URL of a folder that has the file, None for the publisher's own.
    """
    from medcls.data.download import fetch

    home = homes[0]
    for directory in homes:
        if os.path.isfile(directory / published.file):  # noqa: PTH113 - Path.is_file raises where it may not look
            home = directory
            break
    else:
        print(f"downloading {published.address(mirror)}", flush=True)
    with _DownloadProgress() as progress:
        return fetch(published, home, mirror, progress.show)


class _DownloadProgress:
    """Shows how much has been downloaded: a bar in a terminal, a line every few seconds elsewhere."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._last = time.monotonic()

    def __enter__(self) -> "_DownloadProgress":
        output = rich.console.Console()
        if moves(output):
            self._bar = rich.progress.Progress(
                rich.progress.BarColumn(),
                rich.progress.DownloadColumn(),
                rich.progress.TransferSpeedColumn(),
                rich.progress.TimeRemainingColumn(),
                console=output,
                transient=True,
            )
            self._task = self._bar.add_task("", total=None)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: int, total: int | None) -> None:
        """Show that `done` of `total` bytes have been downloaded; `total` is None if the server does not say."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total)
        elif time.monotonic() - self._last > PAUSE:
            self._last = time.monotonic()
            of_total = f" of {total / 1e6:.1f}" if total else ""
            print(f"  {done / 1e6:.1f}{of_total} MB", flush=True)
