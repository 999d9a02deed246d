"""What is known of a model that leaves the harness, and its preprocessing.json."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from medcls.evaluation.run_record import DataSetRecord, RunRecord
from medcls.evaluation.summary import BestRecord, StudySummary
from medcls.tracking.run_records import RunDescription

PREPROCESSING, CARD = "preprocessing.json", "MODEL_CARD.md"

FILES = MappingProxyType(
    {
        "keras": "model.keras",
        "weights": "model.weights.h5",
        "savedmodel": "savedmodel",
        "onnx": "model.onnx",
        "litert": "model.tflite",
        "litert_int8": "model.int8.tflite",
    }
)
"""The formats that a model is exported in, and what each is called in the folder."""

BY_DEFAULT = ("keras", "weights")

DIVIDED = "divide 16-bit values by 257"
RESIZING = (
    "Turn the image as its EXIF data say; lay what is transparent on black; make it grey (ITU-R 601-2 luma) or RGB; "
    f"{DIVIDED}; show DICOM through its window; resize to the size, whatever the proportions, by "
    "Pillow's bilinear filter, which when it reduces averages all pixels that it drops; round to whole numbers."
)

MASK = (
    "Resize the probabilities to the image's own size, as it is shown, by Pillow's bilinear filter; the mask is where "
    "they are above 0.5."
)


@dataclass(frozen=True)
class Facts:
    """What is known of one finished run and its study.

    Attributes:
        summary: of the study.
        run: the record of the run in the summary.
        data: the record of its data set in the summary.
        best: what the summary says of the data set's best variant, if this is its model, else None.
        described: what the run's folder says of how it was made.
        counts: "train", "validation" and "test" -> class -> number of images, as the run had them.
        shape: height, width and channels of the images that the model takes.
        weights: the digest of its saved weights.
        leaks: the kinds of what was found in the data because of which scores cannot be trusted.
        versions: package -> version with which the run was made into a model.
        formats: what the model is written as, beside these facts.
        pixels: whether it answers for every pixel, not for the image.
        levels: what is black and white in images of more than 8 bits: two values or percentiles; None for what the
            bits of the file hold.
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
    levels: Mapping[str, Any] | None = None

    @property
    def label(self) -> str:
        """What a person calls the run: study, variant, seed and fold."""
        run, which = self.run, ""
        if run.is_refit:
            which = ", refitted on all folds"
        elif run.fold is not None:
            which = f", fold {run.fold + 1} of {run.folds}"
        return f"{self.summary.study}: {run.variant}, seed {run.seed}{which}"

    @property
    def meaning(self) -> str:
        """What its answer to an image is."""
        if self.pixels:
            return "the probability of every pixel to belong to what it finds, of the height and width that it takes"
        return "one probability for each class, in their order"


def preprocessing(facts: Facts) -> dict[str, Any]:
    """Return what turns an image file into what the model takes, and what its answer means."""
    height, width, channels = facts.shape
    return {
        "size": [height, width],
        "channels": channels,
        "value_range": [0, 255],
        "dtype": "float32",
        "shape": ["any", height, width, channels],
        "resizing": RESIZING if facts.levels is None else RESIZING.replace(DIVIDED, in_words(facts.levels)),
        **({} if facts.levels is None else {"levels": dict(facts.levels)}),
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


def in_words(levels: Mapping[str, Any]) -> str:
    """Return how values of more than 8 bits become 0 to 255."""
    if "percentiles" in levels:
        low, high = levels["percentiles"]
        return f"stretch grey of more than 8 bits from the image's percentile {low:g} to its percentile {high:g}"
    return f"stretch grey of more than 8 bits from {levels['black']:g} (black) to {levels['white']:g} (white)"


def in_pillow(shape: tuple[int, int, int]) -> list[str]:
    """Return three lines of Python that read an opaque 8-bit file as the model takes it."""
    height, width, channels = shape
    mode = "L" if channels == 1 else "RGB"
    return [
        f'image = ImageOps.exif_transpose(Image.open("image.png")).convert("{mode}")',
        f"image = image.resize(({width}, {height}), Image.Resampling.BILINEAR)",
        f'images = np.asarray(image, "float32").reshape(1, {height}, {width}, {channels})',
    ]
