"""Exit codes of commands."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every command of medcls and of every study."""

    DONE = 0
    SOME_FAILED = 1
    BAD_INPUT = 2
    INTERRUPTED = 130
