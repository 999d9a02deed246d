"""Why Pillow does not open a file that is an image nevertheless, or opens it wrongly: its header says so."""

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

JPEG, TIFFS = b"\xff\xd8", (b"II*\0", b"MM\0*")
BITS, SAMPLES, PLANES, FORMAT = 258, 277, 284, 339  # TIFF's tags
SIGNED, FLOATING, SEPARATE = 2, 3, 2  # values of TIFF's tags
KINDS = MappingProxyType({1: "whole numbers", SIGNED: "signed numbers", FLOATING: "floating-point numbers"})
FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # JPEG's markers that begin a frame
LOSSLESS = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
UNSAID = "32 bits or signed, whose black and white nobody knows: save it in 8 or 16 bits"


def reason(path: Path) -> str:
    """Return why Pillow does not know an image file of a kind that it reads otherwise; "" if nothing is known.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(JPEG):
        return _jpeg(path)
    return _tiff(path) if start in TIFFS else ""


def jpeg_frame(path: Path) -> tuple[int, bool] | None:
    """Return how many bits a JPEG has, and whether it is lossless; None where its header does not say.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        file.seek(2)
        while len(start := file.read(4)) == 4 and start[0] == 0xFF:
            if start[1] in FRAMES:
                bits = file.read(1)
                return (bits[0], start[1] in LOSSLESS) if bits else None
            file.seek(int.from_bytes(start[2:]) - 2, 1)
    return None


def _jpeg(path: Path) -> str:
    frame = jpeg_frame(path)
    if frame is None or frame[0] == 8:
        return ""
    kind = "lossless JPEG" if frame[1] else "JPEG"
    return (
        f"a {kind} of {frame[0]} bits, which Pillow does not read: save it as PNG or TIFF of 16 bits "
        "(imagecodecs.imread of the package imagecodecs reads it)"
    )


def _tiff(path: Path) -> str:
    from PIL import TiffImagePlugin

    with path.open("rb") as file:
        tags: Any = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
        file.seek(tags.next)
        tags.load(file)
    bits, samples = max(tags.get(BITS, (1,))), tags.get(SAMPLES, 1)
    kind = KINDS.get(max(tags.get(FORMAT, (1,))), "numbers")
    return (
        f"a TIFF of {samples} x {bits} bits, {kind}, which Pillow does not read: save it in 8 or 16 bits, grey or RGB"
    )


def is_signed(image: "Image.Image") -> bool:
    """Tell whether a TIFF's values may be negative, which Pillow passes over where it calls them grey."""
    tags: Any = getattr(image, "tag_v2", {})
    return SIGNED in tags.get(FORMAT, ())


def is_misread(image: "Image.Image") -> bool:
    """Tell whether a TIFF's colours lie in planes of more than 8 bits, which Pillow takes for bytes."""
    tags: Any = getattr(image, "tag_v2", {})
    return bool(tags.get(PLANES) == SEPARATE and max(tags.get(BITS, (1,))) > 8)
