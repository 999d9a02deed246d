"""How an image file is turned by its EXIF data, and whether an image and its mask are turned alike."""

from pathlib import Path

from medcls.data.readers import dicom
from medcls.data.readers.images import FORMATS

ORIENTATION = 0x0112
UPRIGHT = 1
ON_ITS_SIDE = frozenset({5, 6, 7, 8})  # orientations that exchange width and height


def turned(path: Path) -> int:
    """Return the EXIF orientation of a readable image file, 1 to 8; 1, upright, where it has none."""
    from PIL import Image

    if dicom.is_dicom(path):
        return UPRIGHT
    with Image.open(path, formats=FORMATS) as image:
        orientation = image.getexif().get(ORIENTATION, UPRIGHT)
    return orientation if orientation in range(1, 9) else UPRIGHT


def at_odds(image: int, mask: int, size: tuple[int, int]) -> bool:
    """Tell whether an image and its mask, of one size when shown, may lie at odds because one of them is turned.

    Where one of them is turned on its side and the image is no square, that both have one size when shown says that
    the mask was drawn on the image as it is shown.

    Args:
        image: the image's EXIF orientation, 1 to 8.
        mask: the mask's EXIF orientation, 1 to 8.
        size: width and height of both when shown.
    """
    if image == mask:
        return False
    one_on_its_side = (image in ON_ITS_SIDE) != (mask in ON_ITS_SIDE)
    is_square = size[0] == size[1]
    return is_square or not one_on_its_side
