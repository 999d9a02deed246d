"""Keeping the warnings of Pillow, pydicom and libtiff off the screen."""

import logging
import re
import warnings
from contextlib import suppress
from ctypes import CDLL


def silence_warnings() -> None:
    """Keep the warnings of Pillow and pydicom off the screen, for all threads: filters are the process's own."""
    if ("ignore", None, Warning, re.compile(r"(PIL|pydicom)\."), 0) not in warnings.filters:
        warnings.filterwarnings("ignore", module=r"(PIL|pydicom)\.")
    logger = logging.getLogger("PIL")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


def silence_libtiff() -> None:
    """Keep libtiff from writing to standard error what Pillow reports as an exception as well."""
    from PIL import _imaging

    with suppress(AttributeError, OSError):  # where it cannot be reached, it goes on
        CDLL(_imaging.__file__).TIFFSetErrorHandler(None)
