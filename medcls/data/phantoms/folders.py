"""Where a phantom's images and masks lie when they are written as files, as the real data set's do."""

from pathlib import PurePosixPath


def by_prefix(part: str, label: str, number: int) -> str:
    """Return train/C4_0001.png: the label begins the file's name."""
    return _in(part, f"{label}_{number:04d}.png")


def by_class(part: str, label: str, number: int) -> str:
    """Return train/Mel/0001.png: a folder a class."""
    return _in(part, f"{label}/{number:04d}.png")


def in_images(part: str, label: str, number: int) -> str:  # noqa: ARG001 - a table or a mask beside says the rest
    """Return train/images/0001.png: all in one folder, whatever their class."""
    return _in(part, f"images/{number:04d}.png")


def as_warwick(part: str, label: str, number: int) -> str:  # noqa: ARG001 - there are no classes
    """Return Train/image_01.png."""
    return _in(part.capitalize(), f"image_{number:02d}.png")


def mask_apart(image: str, mask: str) -> str:
    """Return label_masks/train/AFF/0001.png: outside the parts, where no class is looked for."""
    return f"{mask}_masks/{image}"


def mask_beside(image: str, mask: str) -> str:  # noqa: ARG001 - there is one kind of mask
    """Return train/masks/0001.png for train/images/0001.png, Train/label_01.png for Train/image_01.png."""
    path = PurePosixPath(image)
    if path.parent.name == "images":
        return (path.parent.parent / "masks" / path.name).as_posix()
    return path.with_name(path.name.replace("image_", "label_")).as_posix()


def _in(part: str, name: str) -> str:
    return f"{part}/{name}" if part else name
