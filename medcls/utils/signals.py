"""Signal handlers: Ctrl-C and SIGTERM raise KeyboardInterrupt until the interruption is handled."""

import signal
import sys
from typing import Any

AGAIN = 0.5  # seconds


class Terminated(KeyboardInterrupt):
    """SIGTERM, whose sender does not wait for long, so that nothing is finished first."""


def install_handlers() -> None:
    """Raise KeyboardInterrupt at Ctrl-C and SIGTERM, and again every half second until `stop_repeating` is called.

    Once is not enough: Python drops exceptions that are raised in a callback of the garbage collection.
    """
    for number in _numbers():
        signal.signal(number, _interrupt)
    report = sys.unraisablehook
    sys.unraisablehook = lambda dropped: None if dropped.exc_type is KeyboardInterrupt else report(dropped)


def stop_repeating() -> None:
    """Stop raising KeyboardInterrupt again, because an orderly end has begun; another Ctrl-C still cuts that short."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


def ignore_signals() -> None:
    """Ignore interruptions from now on, because only cleaning up is left."""
    for number in _numbers():
        signal.signal(number, signal.SIG_IGN)
    stop_repeating()


def _interrupt(number: int, _: Any) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _numbers() -> list[signal.Signals]:
    """Return the signals that interrupt; a shell may have set them to be ignored for background processes."""
    alarm = [signal.SIGALRM] if hasattr(signal, "setitimer") else []
    return [signal.SIGINT, signal.SIGTERM, *alarm]
