"""A study's page: written beside its summary when it ends, and again from that summary alone whenever asked for."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medcls import __version__
from medcls.data.cache import open_decoded
from medcls.data.types import Decoded
from medcls.files import write_atomically
from medcls.overview import outcomes
from medcls.report import canvas, outlines, page
from medcls.report.montage import montage, scatter
from medcls.sources import Source

REPORT = "report.html"


def write_report(folder: Path, summary: Mapping[str, Any], sources: Mapping[str, Source]) -> Path:
    """Draw examples of the data sets and write the report of a study that has ended; return its path."""
    for name, source in sources.items():
        if source.decoded is not None:
            _draw_examples(open_decoded(source.decoded), _picture(folder, name))
    return rewrite_report(folder, summary)


def _draw_examples(data: Decoded, path: Path) -> None:
    if data.masks is not None:
        write_atomically(path, lambda file: canvas.save(outlines.examples(data.images, data.masks), Path(file.name)))
        return
    examples = montage if data.holds_images else scatter
    _write(path, examples(data.images, data.labels, data.classes))


def rewrite_report(folder: Path, summary: Mapping[str, Any]) -> Path:
    """Write the report of a study from its summary and the pictures beside it; return its path."""
    names = [each["name"] for each in summary["data_sets"]]
    sheets = [each for each in summary.get("figures", ()) if (folder / each["file"]).exists()]
    text = page.render(
        summary,
        notes=paragraphs(summary.get("document", "")),
        command=summary.get("command", f"python studies/{summary['study']}.py"),
        version=__version__,
        day=time.strftime("%d %B %Y").lstrip("0"),
        sheets={each["title"]: (folder / each["file"]).read_bytes() for each in sheets},
        montages={name: _picture(folder, name).read_bytes() for name in names if _picture(folder, name).exists()},
    )
    _write(folder / REPORT, text.encode())
    return folder / REPORT


def latest(work: Path, study: str) -> tuple[Path, dict[str, Any]] | None:
    """Return folder and summary of a study's last whole run, a smoke run only if there is no other; None if none."""
    found = sorted(outcomes(work).get(study, ()), key=lambda each: bool(each.summary["smoke"]))
    return (found[0].folder, found[0].summary) if found else None


def paragraphs(document: str) -> list[str]:
    """Return the paragraphs of a docstring without the question at its head and without commands."""
    _, *others = document.split("\n\n")
    return [" ".join(each.split()) for each in others if not each.startswith("    ")]


def _write(path: Path, content: bytes) -> None:
    write_atomically(path, lambda file: file.write(content))


def _picture(folder: Path, name: str) -> Path:
    return folder / f"montage_{name}.png"
