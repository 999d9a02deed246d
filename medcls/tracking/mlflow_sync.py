"""Mirrors run directories in an MLflow store: nothing twice, nothing lost, and no training waits for the store.

A thread of the driver writes at most once a second, many epochs at a time. While the store does not answer, everything
stays as it is for the next try. What a driver could not write before it ended is written when the command is run again:
every entry that has not ended in the store is mirrored from its run directory, and the store drops values that it has
already.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from medcls.tracking.entries import Ending, Entry
from medcls.tracking.mlflow_client import Point, Store
from medcls.tracking.run_records import EpochRow
from medcls.tracking.saved_views import Views
from medcls.tracking.store_errors import is_refusal, sentence
from medcls.utils.files import draw_whole

PERIOD = 1.0  # seconds between two looks at the journals
PATIENCE = 5.0  # seconds between two tries of a store that does not answer


@dataclass
class _OpenEntry:
    """An entry that has not ended: whether the store has it, with how many epochs, and the checkpoint's stamp then."""

    entry: Entry
    created: bool = False
    written: int = 0
    stamp: object = None


class Mirror:
    """Keeps a store up to date with the open entries, in a thread of its own.

    Args:
        store: that is written to.

    Attributes:
        lost: why the store does not answer, None while it does.
        refused: a sentence for each entry that the store refused and each figure that could not be drawn.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.lost: str | None = None
        self.refused: list[str] = []
        self._open: dict[str, _OpenEntry] = {}
        self._closed: set[str] = set()
        self._last: deque[Callable[[], None]] = deque()
        self._turn = threading.Condition()
        self._asked = self._answered = 0
        threading.Thread(target=self._work, name="mirror", daemon=True).start()

    def open(self, entry: Entry, *, anew: bool = False) -> None:
        """Show an entry as soon as it has a start, and then its epochs.

        Args:
            entry: what is shown; if it has ended in the store, it stays as it is there.
            anew: whether an entry that has ended in the store is created again, beside that one.
        """
        if anew and self.store.has_ended(entry.id):
            self.store.forget(entry.id)
        if entry.id not in self._open and not self.has_ended(entry.id):
            with self._turn:
                self._open[entry.id] = _OpenEntry(entry)
        elif self.store.has_ended(entry.id):
            self._last.append(partial(self._change, entry.name, partial(self.store.complete, entry)))

    def close(self, entry_id: str, ending: Ending) -> None:
        """Write the last epochs, the scores and the files of an entry, and end the entry."""
        if not self.has_ended(entry_id):
            self._closed.add(entry_id)
            self._last.append(lambda: self._end(entry_id, ending))

    def add(self, entry_id: str, metrics: Mapping[str, float], ended: int) -> None:
        """Log scores to an entry, which may have ended.

        Args:
            entry_id: of the entry.
            metrics: the scores by name.
            ended: when the run ended, in milliseconds since 1970.
        """
        points = [(name, value, ended, 0) for name, value in metrics.items()]
        self._last.append(lambda: self._add(entry_id, points))

    def amend(self, entry_id: str, tags: Mapping[str, Any], name: str | None = None) -> None:
        """Change the tags and the name of an entry, which may have ended.

        Args:
            entry_id: of the entry.
            tags: by name; None removes the tag.
            name: that the run table shows; None leaves it as it is.
        """
        change = partial(self.store.amend, entry_id, tags, name=name)
        self._last.append(partial(self._change, "what was found of a run", change))

    def save_views(self, views: Views) -> None:
        """Write saved views of the experiment."""
        self._last.append(partial(self._change, "the saved views", partial(self.store.save_views, views)))

    def interrupt(self) -> None:
        """Show the open entries as killed until the command is run again."""
        now = int(time.time() * 1000)
        waiting = [entry_id for entry_id in reversed(self._open) if entry_id not in self._closed]
        for entry_id in waiting:
            self._last.append(partial(self._interrupt, entry_id, now))

    def has_ended(self, entry_id: str) -> bool:
        """Tell whether an entry has ended in the store, or will once everything is written."""
        return entry_id in self._closed or self.store.has_ended(entry_id)

    def settle(self, seconds: float | None = None) -> bool:
        """Write everything that is waiting; return whether the store has all of it.

        Args:
            seconds: the longest time to wait, None for no limit.
        """
        with self._turn:
            self._asked += 1
            asked = self._asked
            self._turn.notify_all()
            return self._turn.wait_for(lambda: self._answered >= asked, seconds) and self.lost is None

    def _work(self) -> None:
        next_try = 0.0
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._asked > self._answered, PERIOD)
                asked, urgent = self._asked, self._asked > self._answered
            if urgent or time.monotonic() >= next_try:
                try:
                    self._write()
                    self.lost = None
                except Exception as error:  # noqa: BLE001 - whatever the client raises, the store cannot be reached now
                    self.lost = sentence(error, self.store.uri)
                    next_try = time.monotonic() + PATIENCE
            with self._turn:
                self._answered = asked
                self._turn.notify_all()

    def _write(self) -> None:
        self.store.check_there()
        with self._turn:
            all_open = list(self._open.values())
        for opened in all_open:
            self._unless_refused(self._follow, opened)
        while self._last:
            self._last[0]()
            self._last.popleft()
        self.store.check_there()

    def _unless_refused(self, write: Callable[..., None], opened: _OpenEntry, *arguments: Any) -> None:
        """Write; drop an entry that the store refuses, e.g. because it was deleted there, so that the others go on."""
        try:
            write(opened, *arguments)
        except Exception as error:
            if not is_refusal(error):
                raise
            self.refused.append(f"The MLflow store refused {opened.entry.name}: {sentence(error, self.store.uri)}")
            self._drop(opened)

    def _change(self, what: str, change: Callable[[], None]) -> None:
        """Change what the store has; if it refuses, only note why, so that everything else goes on.

        Args:
            what: is changed, in a few words.
            change: is called.
        """
        try:
            change()
        except Exception as error:
            if not is_refusal(error):
                raise
            self.refused.append(f"The MLflow store refused {what}: {sentence(error, self.store.uri)}")

    def _drop(self, opened: _OpenEntry) -> None:
        with self._turn:
            self._open.pop(opened.entry.id, None)
        self._closed.add(opened.entry.id)

    def _follow(self, opened: _OpenEntry) -> None:
        """Create an entry if it has started, and write the epochs that its checkpoint holds by now."""
        folder = opened.entry.folder
        started = opened.entry.started or (folder.description().started if folder is not None else None)
        if not opened.created and started is not None:
            self._create(opened, started)
        stamp = folder.stamp() if folder is not None and opened.created else None
        if folder is None or stamp == opened.stamp:
            return
        rows, first = folder.held_rows(), self.store.first_epoch(opened.entry.id)
        points: list[Point] = []
        for row in rows[opened.written :]:
            points += _points(row, first)
        self.store.log(opened.entry.id, points)
        opened.written, opened.stamp = len(rows), stamp

    def _create(self, opened: _OpenEntry, started: int) -> None:
        parent = self._open.get(opened.entry.parent or "")
        if parent is not None and not parent.created:
            self._create(parent, started)
        self.store.create(opened.entry, started)
        opened.created = True

    def _end(self, entry_id: str, ending: Ending) -> None:
        if entry_id in self._open:
            self._unless_refused(self._finish, self._open[entry_id], ending)

    def _finish(self, opened: _OpenEntry, ending: Ending) -> None:
        self._follow(opened)
        if not opened.created:
            self._create(opened, ending.ended)
        drawn = {image.path: image.draw for image in ending.images}
        for path, figure in {**ending.drawings, **drawn}.items():
            if not path.exists():  # the worker has not drawn it
                self._draw(path, figure)
        self.store.end(opened.entry.id, ending)
        self._drop(opened)

    def _draw(self, path: Path, figure: Callable[[Path], object]) -> None:
        """Draw a figure; if that fails, only note why."""
        try:
            draw_whole(path, figure)
        except Exception as error:  # noqa: BLE001 - a figure must never cost a result
            self.refused.append(f"{path} could not be drawn: {sentence(error)}")

    def _add(self, entry_id: str, points: list[Point]) -> None:
        if self.store.run_id(entry_id) is not None:
            self.store.log(entry_id, points)

    def _interrupt(self, entry_id: str, now: int) -> None:
        if self._open[entry_id].created:
            self.store.interrupt(entry_id, now)


def _points(row: EpochRow, first: int) -> list[Point]:
    """Return the values of a journal's row as points of metrics, with the time at which the epoch ended.

    Args:
        row: of the journal, whose epochs are counted from 0.
        first: the step of the first epoch.
    """
    values = {**row.metrics, **row.system, "seconds": row.seconds}
    return [(name, value, row.time, row.epoch + first) for name, value in values.items()]
