"""Figures as files to take away: PDF and SVG, which stay sharp at any size, and PNG."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from medcls.utils.files import draw_whole
from medcls.utils.lazy import matplotlib

FORMATS = ("pdf", "svg", "png")
DOTS = 300  # an inch of a PNG, as journals want them
WITHOUT_DATE = MappingProxyType({"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {}})


def write(figure: matplotlib.figure.Figure, path: Path) -> None:
    """Write a figure in the format that the file's name ends with; equal figures give equal bytes.

    Args:
        figure: the figure.
        path: the file, which is replaced once it is written.
    """
    kind = path.suffix.removeprefix(".")

    def save(file: Path) -> None:
        # Equal figures get equal identifiers, and a PDF's text can be edited.
        with matplotlib.rc_context({"svg.hashsalt": "medcls", "pdf.fonttype": 42}):
            figure.savefig(file, format=kind, dpi=DOTS, metadata=WITHOUT_DATE[kind])

    draw_whole(path, save)
