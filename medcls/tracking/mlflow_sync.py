"""Mirrors run directories in an MLflow store: nothing twice, nothing lost, and no training waits for the store.

A thread of the driver writes at most once a second, many epochs at a time. While the store does not answer, everything
stays as it is for the next try. What a driver could not write before it ended is written when the command is run again:
every node that has not ended in the store is mirrored from its run directory, and the store drops values that it has
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

from medcls.tracking.entries import Ending, Node
from medcls.tracking.mlflow_client import Point, Store, sentence
from medcls.tracking.run_records import EpochRow
from medcls.utils.files import draw_whole

PERIOD = 1.0  # seconds between two looks at the journals
PATIENCE = 5.0  # seconds between two tries of a store that does not answer


@dataclass
class _Entry:
    """A node that has not ended: whether the store has it, with how many epochs, and the checkpoint's stamp then."""

    node: Node
    created: bool = False
    written: int = 0
    stamp: object = None


class Mirror:
    """Keeps a store up to date with the open nodes, in a thread of its own.

    Args:
        store: that is written to.

    Attributes:
        lost: why the store does not answer, None while it does.
        refused: a sentence for each node that the store refused and each figure that could not be drawn.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.lost: str | None = None
        self.refused: list[str] = []
        self._open: dict[str, _Entry] = {}
        self._closed: set[str] = set()
        self._last: deque[Callable[[], None]] = deque()
        self._turn = threading.Condition()
        self._asked = self._answered = 0
        threading.Thread(target=self._work, name="mirror", daemon=True).start()

    def open(self, node: Node, *, anew: bool = False) -> None:
        """Show a node as soon as it has a start, and then its epochs.

        Args:
            node: what is shown; if it has ended in the store, it stays as it is there.
            anew: whether a node that has ended in the store is created again, beside that one.
        """
        if anew and self.store.has_ended(node.identity):
            self.store.forget(node.identity)
        if node.identity not in self._open and not self.has_ended(node.identity):
            with self._turn:
                self._open[node.identity] = _Entry(node)

    def close(self, identity: str, ending: Ending) -> None:
        """Write the last epochs, the scores and the files of a node, and end the node."""
        if not self.has_ended(identity):
            self._closed.add(identity)
            self._last.append(lambda: self._end(identity, ending))

    def add(self, identity: str, metrics: Mapping[str, float], ended: int) -> None:
        """Log scores to a node, which may have ended.

        Args:
            identity: of the node.
            metrics: the scores by name.
            ended: when the run ended, in milliseconds since 1970.
        """
        points = [(name, value, ended, 0) for name, value in metrics.items()]
        self._last.append(lambda: self._add(identity, points))

    def interrupt(self) -> None:
        """Show the open nodes as killed until the command is run again."""
        now = int(time.time() * 1000)
        waiting = [identity for identity in reversed(self._open) if identity not in self._closed]
        for identity in waiting:
            self._last.append(partial(self._interrupt, identity, now))

    def has_ended(self, identity: str) -> bool:
        """Tell whether a node has ended in the store, or will once everything is written."""
        return identity in self._closed or self.store.has_ended(identity)

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
            entries = list(self._open.values())
        for entry in entries:
            self._unless_refused(self._follow, entry)
        while self._last:
            self._last[0]()
            self._last.popleft()
        self.store.check_there()

    def _unless_refused(self, write: Callable[..., None], entry: _Entry, *arguments: Any) -> None:
        """Write; drop a node that the store refuses, e.g. because it was deleted there, so that the others go on."""
        try:
            write(entry, *arguments)
        except Exception as error:
            if not self.store.refuses(error):
                raise
            self.refused.append(f"The MLflow store refused {entry.node.name}: {sentence(error, self.store.uri)}")
            self._drop(entry)

    def _drop(self, entry: _Entry) -> None:
        with self._turn:
            self._open.pop(entry.node.identity, None)
        self._closed.add(entry.node.identity)

    def _follow(self, entry: _Entry) -> None:
        """Create a node if it has started, and write the epochs that its checkpoint holds by now."""
        folder = entry.node.folder
        started = entry.node.started or (folder.description().started if folder is not None else None)
        if not entry.created and started is not None:
            self._create(entry, started)
        stamp = folder.stamp() if folder is not None and entry.created else None
        if folder is None or stamp == entry.stamp:
            return
        rows = folder.held_rows()
        self.store.log(entry.node.identity, [point for row in rows[entry.written :] for point in _points(row)])
        entry.written, entry.stamp = len(rows), stamp

    def _create(self, entry: _Entry, started: int) -> None:
        parent = self._open.get(entry.node.parent or "")
        if parent is not None and not parent.created:
            self._create(parent, started)
        self.store.create(entry.node, started)
        entry.created = True

    def _end(self, identity: str, ending: Ending) -> None:
        if identity in self._open:
            self._unless_refused(self._finish, self._open[identity], ending)

    def _finish(self, entry: _Entry, ending: Ending) -> None:
        self._follow(entry)
        if not entry.created:
            self._create(entry, ending.ended)
        for path, figure in ending.drawings.items():
            if not path.exists():  # the worker has not drawn it
                self._draw(path, figure)
        self.store.end(entry.node.identity, ending)
        self._drop(entry)

    def _draw(self, path: Path, figure: Callable[[Path], object]) -> None:
        """Draw a figure; if that fails, only note why."""
        try:
            draw_whole(path, figure)
        except Exception as error:  # noqa: BLE001 - a figure must never cost a result
            self.refused.append(f"{path} could not be drawn: {sentence(error)}")

    def _add(self, identity: str, points: list[Point]) -> None:
        if self.store.run_id(identity) is not None:
            self.store.log(identity, points)

    def _interrupt(self, identity: str, now: int) -> None:
        if self._open[identity].created:
            self.store.interrupt(identity, now)


def _points(row: EpochRow) -> list[Point]:
    """Return the values of a journal's row as points of metrics, with the time at which the epoch ended."""
    values = {**row.metrics, **row.system, "seconds": row.seconds}
    return [(name, value, row.time, row.epoch) for name, value in values.items()]
