"""What a study shows while it works: a line per running run, an overall bar, the time left; plain lines elsewhere."""

import io
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from medcls.utils.lazy import rich
from medcls.utils.texts import printable

QUIET = 15.0  # seconds between two lines about the same running runs where the output is not a terminal
PAUSE = 5.0  # seconds between two lines about one long piece of work
ENOUGH = 0.05  # of a run, to tell from it how long the others take
NOTEBOOK = "JPY_PARENT_PID"  # the environment variable of a notebook's kernel and of what it calls
MANY = 500  # rows of a table; a longer one has no frame, as drawing that takes a millisecond a row


@dataclass(frozen=True)
class Line:
    """One running run: what it is called, its epochs done and at most, and its latest scores in words."""

    label: str
    epoch: int
    epochs: int
    scores: str


def moves(output: Any) -> bool:
    """Tell whether a rich console may move the cursor: in a terminal alone, as others may want colours and no more.

    FORCE_COLOR and its like, which ipykernel and many build servers set, make rich take everything for a terminal.
    What a cell calls by `!` has a terminal of its own, whose cursor nobody sees move.
    """
    in_notebook = "ipykernel" in sys.modules or NOTEBOOK in os.environ
    return bool(output.file.isatty() and output.is_terminal and not output.is_dumb_terminal and not in_notebook)


def escape_what_cannot_be_shown() -> None:
    """Let standard output write what its encoding lacks as escapes; else a name with an accent could end a command."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


class ProgressLines:
    """Prints how far a long piece of work has come, at most one line every few seconds.

    Args:
        tell: prints a line.
        indent: what each line begins with.
    """

    def __init__(self, tell: Callable[[str], None], indent: str = "") -> None:
        self._tell, self._indent = tell, indent
        self._last = time.monotonic()

    def __call__(self, work: str, done: int, total: int) -> None:
        """Print that `done` of `total` items of the work are done, if the last line was printed long enough ago."""
        if time.monotonic() - self._last > PAUSE:
            self._last = time.monotonic()
            self._tell(f"{self._indent}{work}: {done} of {total}")


class Screen:
    """Writes to standard output; used as a context while runs are under way.

    `loudness` is -1 for results alone, 1 for every epoch of every run, else 0.
    """

    def __init__(self, loudness: int = 0) -> None:
        self._loudness = loudness
        self._epochs: dict[str, int] = {}
        escape_what_cannot_be_shown()
        self._console = rich.console.Console(highlight=False, soft_wrap=True, force_jupyter=False)
        self._moves = moves(self._console)
        if not self._moves:
            self._console.width = 120
        self._live: Any = None
        self._bars: dict[str, Any] = {}
        self._overall: Any = None
        self._started = time.monotonic()
        self._last = 0.0

    def say(self, text: str) -> None:
        """Print one line, above the live view if there is one; what is no visible character in it is escaped."""
        self._console.print(printable(text), markup=False)

    def tell(self, text: str) -> None:
        """Print a line about what is under way, which who wants results alone does not read."""
        if self._loudness >= 0:
            self.say(text)

    def __enter__(self) -> "Screen":
        self._started = self._last = time.monotonic()
        if self._moves and self._loudness >= 0:
            self._live = rich.progress.Progress(
                rich.progress.TextColumn("{task.description}", markup=False),  # a name may have what markup has
                rich.progress.BarColumn(bar_width=30),
                rich.progress.TextColumn("{task.fields[note]}"),
                console=self._console,
                transient=True,
            )
            self._live.start()
            self._overall = self._live.add_task("all runs", total=None, note="")
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live, self._bars = None, {}

    def show(self, lines: Sequence[Line], done: int, at_hand: float, total: int) -> None:
        """Show where everything stands; as much work as `at_hand` runs was there before and cost no time."""
        if self._loudness < 0:
            return
        if self._loudness > 0:
            self._tell_epochs(lines)
        left = self._left(lines, done, at_hand, total)
        note = f"{done} of {total} runs, {left} left" if left else f"{done} of {total} runs"
        if self._live is None:
            if lines and time.monotonic() - self._last > QUIET:
                self._last = time.monotonic()
                self.say("  " + note + "; " + "; ".join(f"{each.label} {_epochs(each)}" for each in lines))
            return
        part = sum(_part(each) for each in lines)
        self._live.update(self._overall, total=total, completed=done + part, note=note)
        for label in set(self._bars) - {each.label for each in lines}:
            self._live.remove_task(self._bars.pop(label))
        for each in lines:
            if each.label not in self._bars:
                self._bars[each.label] = self._live.add_task(printable(each.label), total=each.epochs, note="")
            self._live.update(self._bars[each.label], completed=each.epoch, note=f"{_epochs(each)} {each.scores}")

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table, the first column to the left and the others to the right; long names fold before numbers.

        One of very many rows is printed without a frame, and nothing in it folds.
        """
        title, columns = printable(title), [printable(column) for column in columns]
        rows = [[printable(cell) for cell in row] for row in rows]
        if len(rows) > MANY:
            self._plain_table(title, columns, rows)
            return
        made = rich.table.Table(title=title, title_justify="left", title_style="bold")
        cells = list(zip(columns, *rows, strict=True))
        frame = 3 * len(columns) + 1
        for number, width in enumerate(column_widths(cells, self._console.width - frame)):
            made.add_column(columns[number], justify="right" if number else "left", overflow="fold", width=width)
        for row in rows:
            made.add_row(*map(rich.text.Text, row))  # a name may have what markup has
        self._console.print(made)

    def _plain_table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        widths = [max(map(len, each)) for each in zip(columns, *rows, strict=True)]
        lines = [
            "  ".join(
                cell.rjust(width) if number else cell.ljust(width)
                for number, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in (columns, *rows)
        ]
        self._console.out("\n".join([title, *lines]), highlight=False)

    def _tell_epochs(self, lines: Sequence[Line]) -> None:
        for each in lines:
            if each.epoch and self._epochs.get(each.label) != each.epoch:
                self._epochs[each.label] = each.epoch
                self.say(f"  {each.label}: {_epochs(each)} {each.scores}".rstrip())

    def _left(self, lines: Sequence[Line], done: int, at_hand: float, total: int) -> str:
        ended = done + sum(_part(each) for each in lines)
        worked = ended - at_hand
        if worked < ENOUGH:
            return ""
        seconds = (time.monotonic() - self._started) / worked * (total - ended)
        return duration(max(0.0, seconds))


def column_widths(cells: Sequence[Sequence[str]], room: int) -> list[int]:
    """Return the widths of a table's columns, of whose cells these are, that take no more than `room` in all.

    Each is as wide as its longest cell if there is room for that, else at least as its longest word; whose cells fold
    least become whole first. Where there is no room for the longest words either, the widest are broken.
    """
    whole = [max(rich.cells.cell_len(cell) for cell in column) for column in cells]
    widths = [
        max((rich.cells.cell_len(word) for cell in column for word in cell.split()), default=1) for column in cells
    ]
    while sum(widths) > room and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    lacks = [full - width for full, width in zip(whole, widths, strict=True)]
    order = sorted((number for number, lack in enumerate(lacks) if lack > 0), key=lacks.__getitem__)
    for place, number in enumerate(order):
        spare = max(0, room - sum(widths))
        share = spare // (len(order) - place)
        widths[number] += lacks[number] if lacks[number] <= max(share, spare // 2) else share
    return widths


def duration(seconds: float) -> str:
    """Return a time span as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def _part(line: Line) -> float:
    return min(1.0, line.epoch / line.epochs) if line.epochs else 0.0


def _epochs(line: Line) -> str:
    return f"epoch {line.epoch}/{line.epochs}" if line.epoch and line.epochs else line.scores or "starting"
