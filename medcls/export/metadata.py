"""The facts about an exported model, and its preprocessing.json."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medcls.data.levels import AS_STORED, PERCENTILES, Levels
from medcls.evaluation.run_record import DataSetRecord, RunRecord
from medcls.evaluation.summary import BestRecord, StudySummary
from medcls.tracking.run_records import RunDescription

PREPROCESSING, CARD = "preprocessing.json", "MODEL_CARD.md"

DIVIDED = "divide 16-bit values by 257"
RESIZING = (
    "Rotate the image as its EXIF data say; put transparent images on black; convert to gray (ITU-R 601-2 luma) or "
    f"RGB; {DIVIDED}; apply the window of DICOM images; resize to the size, ignoring the aspect ratio, with Pillow's "
    "bilinear filter, which averages over all pixels when it reduces an image; round to whole numbers."
)

MASK = (
    "Resize the probabilities to the size of the image after its EXIF rotation, with Pillow's bilinear filter; the "
    "mask is where they are above 0.5."
)


@dataclass(frozen=True)
class Facts:
    """What is known about a finished run and its study.

    Attributes:
        summary: of the study.
        run: the record of the run in the summary.
        data: the record of its data set in the summary.
        best: the record of the data set's best variant, if this is its model, else None.
        described: the description of the run in its run directory.
        counts: "train", "validation" and "test" -> class -> the run's number of images.
        shape: height, width and channels of the model's input.
        weights: the digest of the saved weights.
        leaks: the kinds of findings that make the scores too good.
        versions: package -> the version that exported the model.
        formats: the export formats.
        pixels: whether it is a segmentation model.
        levels: black and white in images of more than 8 bits.
    """

    summary: StudySummary
    run: RunRecord
    data: DataSetRecord
    best: BestRecord | None
    described: RunDescription
    counts: Mapping[str, Mapping[str, int]]
    shape: tuple[int, int, int]
    weights: str
    leaks: frozenset[str]
    versions: Mapping[str, str]
    formats: tuple[str, ...] = ("keras",)
    pixels: bool = False
    levels: Levels = AS_STORED

    @property
    def label(self) -> str:
        """The name of the run for people: study, variant, seed and fold."""
        run, which = self.run, ""
        if run.is_refit:
            which = ", refitted on all folds"
        elif run.fold is not None:
            which = f", fold {run.fold + 1} of {run.folds}"
        return f"{self.summary.study}: {run.variant}, seed {run.seed}{which}"

    @property
    def meaning(self) -> str:
        """What the model returns for an image."""
        if self.pixels:
            return "the probability of every pixel to belong to the target, with the height and width of the input"
        return "one probability for each class, in the order of the classes"


def preprocessing(facts: Facts) -> dict[str, Any]:
    """Return the content of preprocessing.json: how to make the model's input, and what its output means."""
    height, width, channels = facts.shape
    return {
        "size": [height, width],
        "channels": channels,
        "value_range": [0, 255],
        "dtype": "float32",
        "shape": ["any", height, width, channels],
        "resizing": RESIZING if facts.levels.as_stored else RESIZING.replace(DIVIDED, in_words(facts.levels)),
        **({} if facts.levels.as_stored else {"levels": facts.levels.plain()}),
        "pillow": in_pillow(facts.shape),
        "classes": list(facts.data.classes),
        "answer": facts.meaning,
        **({"mask": MASK} if facts.pixels else {}),
        "study": facts.summary.study,
        "run": facts.run.key,
        "data": {name: getattr(facts.data, name) for name in ("name", "source", "kind", "fingerprint")},
        "weights": facts.weights,
        "weights_sha256": facts.run.weights_sha256,
        "parameters": dict(facts.run.params),
        "versions": dict(facts.versions),
    }


def in_words(levels: Levels) -> str:
    """Return how values of more than 8 bits are scaled to 0 to 255, in words."""
    if levels.own:
        low, high = PERCENTILES
        return f"stretch gray values of more than 8 bits from the image's percentile {low:g} to its percentile {high:g}"
    return f"stretch gray values of more than 8 bits from {levels.black:g} (black) to {levels.white:g} (white)"


def in_pillow(shape: tuple[int, int, int]) -> list[str]:
    """Return three lines of Python that make input of shape (height, width, channels) from an 8-bit image file."""
    height, width, channels = shape
    mode = "L" if channels == 1 else "RGB"
    return [
        f'image = ImageOps.exif_transpose(Image.open("image.png")).convert("{mode}")',
        f"image = image.resize(({width}, {height}), Image.Resampling.BILINEAR)",
        f'images = np.asarray(image, "float32").reshape(1, {height}, {width}, {channels})',
    ]
