"""Ctrl-C and SIGTERM: raised as KeyboardInterrupt until somebody has taken note."""

import signal
import sys
from typing import Any

AGAIN = 0.5  # seconds


class Terminated(KeyboardInterrupt):
    """SIGTERM: whoever sends it does not wait for long, so nothing is finished first."""


def install_handlers() -> None:
    """Raise KeyboardInterrupt at Ctrl-C and at SIGTERM, and again every half second until somebody takes note.

    Once is not enough: what is raised while Python calls back at a garbage collection is dropped.
    """
    for number in _numbers():
        signal.signal(number, _interrupt)
    report = sys.unraisablehook
    sys.unraisablehook = lambda dropped: None if dropped.exc_type is KeyboardInterrupt else report(dropped)


def stop_repeating() -> None:
    """Raise it no more, for somebody is ending things in good order; only a further Ctrl-C still cuts that short."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


def ignore_signals() -> None:
    """Ignore interruptions from now on: what is left to do is to tidy up."""
    for number in _numbers():
        signal.signal(number, signal.SIG_IGN)
    stop_repeating()


def _interrupt(number: int, _: Any) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _numbers() -> list[signal.Signals]:
    """The signals that interrupt; a shell may have set them to be ignored for what runs beside it."""
    alarm = [signal.SIGALRM] if hasattr(signal, "setitimer") else []
    return [signal.SIGINT, signal.SIGTERM, *alarm]
