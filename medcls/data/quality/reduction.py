"""What a network will see of images that are larger or more colourful than the study reads them."""

from medcls.data.dataset import DatasetSpec
from medcls.data.readers.images import UnreadableImageError
from medcls.utils.evenly_spaced import evenly_spaced

LOOKED_AT = 64  # images whose headers are read, evenly spread over the data set
COLOURED = ("RGB", "DICOM colour", "palette")  # what the kinds of coloured images begin with


def reduction(bundle: DatasetSpec) -> str:
    """Return the sentence that a data set's images are read smaller or without their colours, "" if they are not.

    Only files are looked at: whoever has none has not chosen their size. How they are stored is told by the headers
    of some images.
    """
    if bundle.kind != "files" or not bundle.size:
        return ""
    widths, heights, coloured, is_reduced = [], [], False, False
    rows = evenly_spaced(len(bundle.labels), LOOKED_AT)
    for row in rows:
        try:
            kind, (width, height) = bundle.stored(int(row))
        except (UnreadableImageError, OSError):
            continue  # the checks of the images say so
        widths.append(width)
        heights.append(height)
        loses_colours = kind.startswith(COLOURED) and bundle.channels == 1
        coloured = coloured or loses_colours
        is_reduced = is_reduced or loses_colours or max(width, height) > bundle.size
    if not is_reduced:
        return ""
    stored = "RGB images" if coloured else "images"
    return f"{stored} of {_sizes(widths, heights)} are read as {_read(bundle)}."


def _sizes(widths: list[int], heights: list[int]) -> str:
    """Return the sizes of some images in words."""
    largest = f"{max(widths)}x{max(heights)} pixels"
    return largest if len(set(zip(widths, heights, strict=True))) == 1 else f"up to {largest}"


def _read(bundle: DatasetSpec) -> str:
    """Return as what a data set's images are read, and which parameters say so."""
    colours = "grey" if bundle.channels == 1 else "RGB"
    return f"{bundle.size}x{bundle.size} {colours} (data.size={bundle.size}, data.channels={bundle.channels})"
