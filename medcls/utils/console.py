"""The screen: tables, lines, and in a terminal the progress of running runs with the time that is left."""

import io
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medcls.utils.lazy import rich
from medcls.utils.texts import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

QUIET = 15.0  # seconds between two lines about the same running runs where the output is not a terminal
PAUSE = 5.0  # seconds between two lines about one long piece of work
ENOUGH = 0.05  # share of a run after which the time of the others can be estimated
NOTEBOOK = "JPY_PARENT_PID"  # an environment variable of a notebook's kernel and of its child processes
MANY = 500  # rows; a longer table has no frame, because a frame takes a millisecond per row


@dataclass(frozen=True)
class Line:
    """A running run on the screen.

    Attributes:
        label: the run's name.
        epoch: the number of completed epochs.
        epochs: the number of all epochs, 0 for a learner without epochs.
        scores: the latest scores in words.
    """

    label: str
    epoch: int
    epochs: int
    scores: str

    @property
    def share(self) -> float:
        """The completed share of the run, 0..1."""
        return min(1.0, self.epoch / self.epochs) if self.epochs else 0.0

    @property
    def progress(self) -> str:
        """The completed epochs in words; before the first of them, what the run is doing."""
        if self.epoch and self.epochs:
            return f"epoch {self.epoch}/{self.epochs}"
        return self.scores or "starting"


def moves(output: "Console") -> bool:
    """Return whether a rich console may move the cursor, which only makes sense in a terminal.

    FORCE_COLOR and the like, which ipykernel and many build servers set, make rich take everything for a terminal.
    A command that a notebook's cell calls with `!` has a terminal of its own, but nobody sees that.
    """
    in_notebook = "ipykernel" in sys.modules or NOTEBOOK in os.environ
    return bool(output.file.isatty() and output.is_terminal and not output.is_dumb_terminal and not in_notebook)


def escape_what_cannot_be_shown() -> None:
    """Let standard output escape characters that its encoding lacks; else a name with an accent could end a command."""
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
    """Writes to standard output; used as a context manager while runs are executed.

    Args:
        loudness: -1 to print only the final results, 1 to print every epoch of every run, else 0.
    """

    def __init__(self, loudness: int = 0) -> None:
        self._loudness = loudness
        self._epochs: dict[str, int] = {}
        escape_what_cannot_be_shown()
        self._console = rich.console.Console(highlight=False, soft_wrap=True, force_jupyter=False)
        self._moves = moves(self._console)
        if not self._moves:
            self._console.width = 120
        self._live: Progress | None = None
        self._bars: dict[str, TaskID] = {}
        self._overall: TaskID | None = None
        self._started = time.monotonic()
        self._last = 0.0

    def say(self, text: str) -> None:
        """Print one line, above the live view if there is one; characters that are not visible are escaped."""
        self._console.print(printable(text), markup=False)

    def tell(self, text: str) -> None:
        """Print a progress line; suppressed by --quiet."""
        if self._loudness >= 0:
            self.say(text)

    def __enter__(self) -> "Screen":
        self._started = self._last = time.monotonic()
        if self._moves and self._loudness >= 0:
            self._live = rich.progress.Progress(
                rich.progress.TextColumn("{task.description}", markup=False),  # a name may look like markup
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
        """Show the progress of all runs.

        Args:
            lines: the running runs.
            done: the number of runs that have ended.
            at_hand: how much work, counted in runs, existed before and so took no time.
            total: the number of all runs.
        """
        if self._loudness < 0:
            return
        if self._loudness > 0:
            self._tell_epochs(lines)
        left = self._time_left(lines, done, at_hand, total)
        note = f"{done} of {total} runs, {left} left" if left else f"{done} of {total} runs"
        if self._live is None or self._overall is None:
            if lines and time.monotonic() - self._last > QUIET:
                self._last = time.monotonic()
                self.say(f"  {note}; {'; '.join(f'{line.label} {line.progress}' for line in lines)}")
            return
        completed = done + sum(line.share for line in lines)
        self._live.update(self._overall, total=total, completed=completed, note=note)
        for label in set(self._bars) - {line.label for line in lines}:
            self._live.remove_task(self._bars.pop(label))
        for line in lines:
            if line.label not in self._bars:
                self._bars[line.label] = self._live.add_task(printable(line.label), total=line.epochs, note="")
            self._live.update(self._bars[line.label], completed=line.epoch, note=f"{line.progress} {line.scores}")

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table, its first column aligned to the left and the others to the right.

        If the table is too wide, long names are folded before numbers. A table of very many rows is printed without a
        frame and without folding.

        Args:
            title: printed above the table.
            columns: the heading of each column.
            rows: one text per column in each row.
        """
        title, columns = printable(title), [printable(column) for column in columns]
        rows = [list(map(printable, row)) for row in rows]
        if len(rows) > MANY:
            self._plain_table(title, columns, rows)
            return
        table = rich.table.Table(title=title, title_justify="left", title_style="bold")
        cells = list(zip(columns, *rows, strict=True))
        frame = 3 * len(columns) + 1
        for number, width in enumerate(column_widths(cells, self._console.width - frame)):
            table.add_column(columns[number], justify="right" if number else "left", overflow="fold", width=width)
        for row in rows:
            table.add_row(*map(rich.text.Text, row))  # a name may look like markup
        self._console.print(table)

    def _plain_table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
        lines = [title]
        for row in (columns, *rows):
            cells = [row[0].ljust(widths[0])]
            for cell, width in zip(row[1:], widths[1:], strict=True):
                cells.append(cell.rjust(width))
            lines.append("  ".join(cells))
        self._console.out("\n".join(lines), highlight=False)

    def _tell_epochs(self, lines: Sequence[Line]) -> None:
        for line in lines:
            if line.epoch and self._epochs.get(line.label) != line.epoch:
                self._epochs[line.label] = line.epoch
                self.say(f"  {line.label}: {line.progress} {line.scores}".rstrip())

    def _time_left(self, lines: Sequence[Line], done: int, at_hand: float, total: int) -> str:
        """Return the estimated time until all runs have ended; "" before enough has been trained to tell."""
        ended = done + sum(line.share for line in lines)
        worked = ended - at_hand
        if worked < ENOUGH:
            return ""
        seconds = (time.monotonic() - self._started) / worked * (total - ended)
        return duration(max(0.0, seconds))


def column_widths(cells: Sequence[Sequence[str]], room: int) -> list[int]:
    """Return the widths of the columns of a table, which together take at most `room` characters.

    Each column is as wide as its longest cell if there is room for that, else at least as its longest word. Columns
    that lack the least are widened first. If there is no room for the longest words, the widest columns are narrowed.

    Args:
        cells: the cells of each column, with its heading.
        room: the characters that all columns together may take.
    """
    full, widths = [], []
    for column in cells:
        full.append(max(rich.cells.cell_len(cell) for cell in column))
        words = " ".join(column).split()
        widths.append(max(map(rich.cells.cell_len, words), default=1))
    while sum(widths) > room and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    lacks = [wanted - width for wanted, width in zip(full, widths, strict=True)]
    order = sorted((number for number, lack in enumerate(lacks) if lack > 0), key=lacks.__getitem__)
    for place, number in enumerate(order):
        spare = max(0, room - sum(widths))
        share = spare // (len(order) - place)
        widths[number] += lacks[number] if lacks[number] <= max(share, spare // 2) else share
    return widths


def duration(seconds: float) -> str:
    """Return a time span for people, such as 45 s, 12 min or 1.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
