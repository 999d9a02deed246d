"""A study's page: written beside its summary when it ends, and again from that summary alone whenever asked for."""

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from medcls.data.dataset import Dataset
from medcls.data.loading.decoded_cache import open_decoded
from medcls.evaluation.summary import StudySummary
from medcls.report import html
from medcls.report.figures import canvas, segmentation
from medcls.report.figures.montage import montage, scatter
from medcls.report.page_parts import PageExtras, Picture
from medcls.utils.files import write_atomically
from medcls.utils.naming import in_file
from medcls.utils.redaction import typed
from medcls.utils.version import __version__

REPORT = "report.html"
PNG = b"\x89PNG\r\n\x1a\n"  # how such a file begins


def write_report(folder: Path, summary: StudySummary, decoded: Mapping[str, Path]) -> Path:
    """Draw examples of the data sets and write the report of a study that has ended; return its path.

    Args:
        folder: the study's, below the work directory.
        summary: the study's.
        decoded: data set -> the folder of its decoded images.
    """
    files = _montages(data.name for data in summary.data_sets)
    for name, home in decoded.items():
        _draw_examples(open_decoded(home), folder / files[name])
    return rewrite_report(folder, summary)


def _draw_examples(data: Dataset, path: Path) -> None:
    if data.masks is not None:
        figure = segmentation.examples(data.images, data.masks)
        write_atomically(path, lambda file: canvas.save(figure, Path(file.name)))
        return
    examples = montage if data.holds_images else scatter
    _write(path, examples(data.images, data.labels, data.classes))


def rewrite_report(folder: Path, summary: StudySummary) -> Path:
    """Write the report of a study from its summary and the pictures beside it; return its path."""
    montages = {}
    for name, file in _montages(data.name for data in summary.data_sets).items():
        picture = _own_picture(folder, file)
        if picture is not None:
            montages[name] = picture
    sheets: list[Picture] = []
    of_best: dict[str, list[Picture]] = {}
    for figure in summary.figures or ():
        content = _own_picture(folder, figure.file)
        if content is not None:
            pictures = of_best.setdefault(figure.best_on, []) if figure.best_on else sheets
            pictures.append(Picture(figure.title, content))
    extras = PageExtras(
        notes=paragraphs(summary.document),
        command=summary.command or typed("python", f"studies/{summary.study}.py"),
        version=__version__,
        day=time.strftime("%d %B %Y").lstrip("0"),
        montages=montages,
        sheets=sheets,
        of_best=of_best,
        left_out=foreign_figures(folder, summary),
    )
    text = html.render(summary, extras)
    _write(folder / REPORT, text.encode())
    return folder / REPORT


def foreign_figures(folder: Path, summary: StudySummary) -> list[str]:
    """Return the files that a summary names as figures and that are no pictures of the study's own folder.

    Nothing but a summary from elsewhere, or one that was changed by hand, names such files; none of them is read.
    """
    files = [figure.file for figure in summary.figures or ()]
    return [file for file in files if _own_picture(folder, file) is None and not _is_missing(folder, file)]


def paragraphs(document: str) -> list[str]:
    """Return the paragraphs of a docstring without the question at its head and without commands."""
    _, *others = document.split("\n\n")
    return [" ".join(paragraph.split()) for paragraph in others if not paragraph.startswith("    ")]


def _write(path: Path, content: bytes) -> None:
    write_atomically(path, lambda file: file.write(content))


def _montages(names: Iterable[str]) -> dict[str, str]:
    """Return the name of the file with examples of each data set."""
    return {name: f"montage_{safe}.png" for name, safe in in_file(names).items()}


def _own_picture(folder: Path, file: str) -> bytes | None:
    """Return a PNG that lies in a study's folder itself; None if it is missing, is elsewhere, or is something else."""
    path = folder / file
    if Path(file).name != file or path.is_symlink() or not path.is_file():
        return None
    content = path.read_bytes()
    return content if content.startswith(PNG) else None


def _is_missing(folder: Path, file: str) -> bool:
    return Path(file).name == file and not os.path.lexists(folder / file)
