"""Images under keys and steps, as MLflow's image grid shows them: each is logged once, whatever was interrupted."""

import re
from collections.abc import Iterable
from typing import Any

from medcls.tracking.entries import KeyedImage
from medcls.utils.lazy import PIL

FOLDER = "images"  # where MLflow keeps them among a run's artifacts
LOGGED = re.compile(r"(?P<key>.+?)[+%]step[+%](?P<step>\d+)[+%].*compressed\.webp")
"""The small copy of a logged image, which MLflow writes last; versions differ in the separator."""


def log_images(client: Any, run_id: str, images: Iterable[KeyedImage], time: int) -> None:
    """Log those images that have been drawn and that the store does not have yet.

    Args:
        client: MLflow's client.
        run_id: MLflow's id of the run.
        images: the images.
        time: when the run ended, in milliseconds since 1970.
    """
    drawn = [image for image in images if image.path.is_file()]
    if not drawn:
        return
    known = logged(client, run_id)
    for image in drawn:
        if (image.key, image.step) not in known:
            with PIL.Image.open(image.path) as picture:
                client.log_image(run_id, picture, key=image.key, step=image.step, timestamp=time, synchronous=True)


def logged(client: Any, run_id: str) -> set[tuple[str, int]]:
    """Return key and step of each image that a run has in the store as a whole."""
    found = set()
    for file in client.list_artifacts(run_id, FOLDER):
        name = LOGGED.fullmatch(file.path.removeprefix(f"{FOLDER}/"))
        if name is not None:
            found.add((name["key"], int(name["step"])))
    return found
